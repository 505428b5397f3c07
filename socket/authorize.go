package socket

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket/internal/unixsock"
)

// Authorizer decides whether a peer may talk to this process. Its parameters are a connection
// of which no byte has been read, and the peer as [Connection.Peer] returns it. An error
// refuses the peer; the log has the error as the reason. An Authorizer runs on the goroutine
// that accepts connections, so it must not block. It may use only the addresses of the
// connection.
type Authorizer func(conn net.Conn, peer fold.Maybe[Peer]) error

// Anyone accepts every peer that can connect. Only the permissions of the folder and the
// socket then protect the server.
func Anyone(net.Conn, fold.Maybe[Peer]) error { return nil }

// Users accepts processes of this process's own user, of root, and of the users with these
// names or numbers. It refuses a peer whose user is not known, which is every peer of a
// connection without [Connection.Peer].
//
// Without a user, or with an unknown name, every use of an IPC with the Authorizer in its
// Config fails with ErrInvalid. To accept only this process's own user and root, leave
// [Config].Clients and Servers nil.
func Users(users ...string) Authorizer {
	numbers, err := numbersOf("Users", users, unixsock.UserNumber)
	return oneOf(err, func(p Peer) bool { return slices.Contains(numbers, p.UID) })
}

// Groups accepts processes of this process's own user, of root, and of the groups with these
// names or numbers. Both the effective group and the supplementary groups of a process count.
// Unknown peers and errors are as with [Users].
func Groups(groups ...string) Authorizer {
	numbers, err := numbersOf("Groups", groups, unixsock.GroupNumber)
	return oneOf(err, func(p Peer) bool {
		return slices.Contains(numbers, p.GID) ||
			slices.ContainsFunc(p.Groups, func(gid int) bool { return slices.Contains(numbers, gid) })
	})
}

// Named accepts peers with one of these names among its [Peer.Names], compared without regard to case.
// It refuses a peer without names, which is every process of this machine. Without a name every
// use of an IPC with the Authorizer fails with ErrInvalid.
func Named(names ...string) Authorizer {
	if len(names) == 0 {
		return invalid(fmt.Errorf("%w: Named without a name refuses every peer", ErrInvalid))
	}
	return func(_ net.Conn, peer fold.Maybe[Peer]) error {
		p, _ := peer.Get()
		for _, name := range p.Names {
			if slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) }) {
				return nil
			}
		}
		return fmt.Errorf("%w: the peer has none of the accepted names, but %q", fs.ErrPermission, p.Names)
	}
}

// invalid is an Authorizer that cannot be used. It refuses every peer.
func invalid(err error) Authorizer { return oneOf(err, nil) }

// AnyOf accepts a peer if one of several authorizers does. If there is none, or one of them is
// invalid, every use of an IPC with it fails with ErrInvalid.
//
//go:noinline
func AnyOf(authorizers ...Authorizer) Authorizer {
	return func(conn net.Conn, peer fold.Maybe[Peer]) error {
		if _, ok := conn.(selfCheck); ok {
			return checkAnyOf(authorizers)
		}
		var refused error = fs.ErrPermission
		for _, authorizer := range authorizers {
			err := authorizer(conn, peer)
			if err == nil {
				return nil
			}
			refused = fmt.Errorf("%w; %w", refused, err)
		}
		return refused
	}
}

// checkAnyOf returns all errors in the authorizers of AnyOf.
func checkAnyOf(authorizers []Authorizer) (err error) {
	if len(authorizers) == 0 {
		return fmt.Errorf("%w: AnyOf without an authorizer refuses every peer; use Anyone to accept all", ErrInvalid)
	}
	for _, authorizer := range authorizers {
		err = errors.Join(err, authorizer.check())
	}
	return err
}

// selfCheck takes the place of a connection. An authorizer of this package that is called with
// it returns the errors in its own arguments.
type selfCheck struct{ net.Conn }

func codeOf(a Authorizer) uintptr { return reflect.ValueOf(a).Pointer() }

// check returns the error of an authorizer that can be known before there is a connection. It
// recognizes the authorizers of this package by their code pointer, since a function value
// has no other identity. It does not call an authorizer of the user.
func (a Authorizer) check() error {
	switch {
	case a == nil:
		return fmt.Errorf("%w: an Authorizer is nil", ErrInvalid)
	case codeOf(a) == codeOf(oneOf(nil, nil)), codeOf(a) == codeOf(AnyOf()):
		return a(selfCheck{}, fold.Nothing[Peer]())
	}
	return nil
}

// oneOf accepts peers of this process's user, of root, and those for which listed returns
// true. If err is not nil it refuses every peer.
//
//go:noinline
func oneOf(err error, listed func(Peer) bool) Authorizer {
	user := os.Geteuid()
	return func(conn net.Conn, peer fold.Maybe[Peer]) error {
		if _, ok := conn.(selfCheck); ok {
			return err
		}
		switch p, known := peer.Get(); {
		case err != nil:
			return fmt.Errorf("%w: %w", fs.ErrPermission, err)
		case !known, !p.hasUser():
			return fmt.Errorf("%w: the peer's user is not known", fs.ErrPermission)
		case p.UID != user && !p.isOurs() && !listed(p):
			return fmt.Errorf("%w: %v is not among the accepted users and groups", fs.ErrPermission, p)
		}
		return nil
	}
}

// oursOrUnknown is the default Authorizer. It accepts this process's user and root, and every
// peer on connections without users, among them peers with authenticated names.
func oursOrUnknown() Authorizer {
	user := os.Geteuid()
	return func(_ net.Conn, peer fold.Maybe[Peer]) error {
		if p, known := peer.Get(); known && p.hasUser() && p.UID != user && !p.isOurs() {
			return fmt.Errorf("%w: %v is neither user %d nor root", fs.ErrPermission, p, user)
		}
		return nil
	}
}

// isOurs reports whether the peer's user has full power over this process anyway.
func (p Peer) isOurs() bool { return p.UID == 0 || p.UID == os.Geteuid() }

// authorize calls an authorizer for a connection, and returns the peer. It also fails when the
// system has credentials for the connection but reading them failed.
func authorize(authorizer Authorizer, conn net.Conn) (fold.Maybe[Peer], error) {
	peer, err := PeerOf(conn)
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return fold.Nothing[Peer](), err
	}
	known := fold.MaybeOf(peer, err == nil)
	return known, authorizer(conn, known)
}

// numbersOf returns the numbers of users or groups, and all errors in their names.
func numbersOf(authorizer string, names []string, number func(string) (int, error)) (numbers []int, err error) {
	if len(names) == 0 {
		return nil, fmt.Errorf("%w: %s without a name; to accept only this process's own user and root, leave Clients or Servers nil", ErrInvalid, authorizer)
	}
	for _, name := range names {
		n, failed := number(name)
		numbers, err = append(numbers, n), errors.Join(err, failed)
	}
	return numbers, err
}
