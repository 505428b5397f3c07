package socket

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"reflect"
	"slices"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket/internal/unixsock"
)

// Authorizer decides whether a peer may talk to this process. It gets a connection of
// which no byte has been read, and its peer as [Connection.Peer] returns it. An error
// refuses the peer and is the reason in the log. An Authorizer runs on the goroutine that
// accepts connections, so it must not wait. Of the connection it may use the addresses only.
type Authorizer func(conn net.Conn, peer fold.Maybe[Peer]) error

// Anyone lets in every peer that can connect. The folder and the mode of the socket are the
// only guard then.
func Anyone(net.Conn, fold.Maybe[Peer]) error { return nil }

// Users lets in processes of this process's own user, of root, and of the users with
// these names or numbers. It refuses a peer whose user is not known, which is every peer of a
// connection without [Connection.Peer].
//
// No users at all, and a name that no user has, are ErrInvalid of the first use of an IPC
// with the Authorizer in its Config. For this process's own user and root alone, leave
// [Config].Clients and Servers nil.
func Users(users ...string) Authorizer {
	numbers, err := numbersOf("Users", users, unixsock.UserNumber)
	return oneOf(err, func(p Peer) bool { return slices.Contains(numbers, p.UID) })
}

// Groups lets in processes of this process's own user, of root, and of the groups with
// these names or numbers. The effective group of a process counts, and so do its other
// groups. Unknown peers and errors are as with [Users].
func Groups(groups ...string) Authorizer {
	numbers, err := numbersOf("Groups", groups, unixsock.GroupNumber)
	return oneOf(err, func(p Peer) bool {
		return slices.Contains(numbers, p.GID) ||
			slices.ContainsFunc(p.Groups, func(gid int) bool { return slices.Contains(numbers, gid) })
	})
}

// AnyOf lets in a peer if one of several authorizers does. Without an authorizer it is
// ErrInvalid of the first use, and so it is if one of them is invalid.
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

// checkAnyOf returns what is wrong with the authorizers of AnyOf.
func checkAnyOf(authorizers []Authorizer) (err error) {
	if len(authorizers) == 0 {
		return fmt.Errorf("%w: AnyOf without an authorizer lets in nobody", ErrInvalid)
	}
	for _, authorizer := range authorizers {
		err = errors.Join(err, authorizer.check())
	}
	return err
}

// selfCheck stands for a connection: an authorizer of this package that is called with it
// returns what is wrong with its own arguments.
type selfCheck struct{ net.Conn }

func codeOf(a Authorizer) uintptr { return reflect.ValueOf(a).Pointer() }

// check returns what is wrong with an authorizer, as far as it can be known before there is
// a connection. Authorizers of this package are recognized by their code pointer, since a
// function value has no other identity. One of the user's own is not called.
func (a Authorizer) check() error {
	switch {
	case a == nil:
		return fmt.Errorf("%w: nil is no Authorizer", ErrInvalid)
	case codeOf(a) == codeOf(oneOf(nil, nil)), codeOf(a) == codeOf(AnyOf()):
		return a(selfCheck{}, fold.Nothing[Peer]())
	}
	return nil
}

// oneOf lets in peers that are known: of this process's user, of root, and those for which
// listed returns true. With an error it refuses everybody.
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
		case !known:
			return fmt.Errorf("%w: the peer's user is not known", fs.ErrPermission)
		case p.UID != user && !p.isOurs() && !listed(p):
			return fmt.Errorf("%w: %v is not one of those let in", fs.ErrPermission, p)
		}
		return nil
	}
}

// oursOrUnknown makes the default: it lets in this process's user and root, and everybody on
// connections that know no users.
func oursOrUnknown() Authorizer {
	user := os.Geteuid()
	return func(_ net.Conn, peer fold.Maybe[Peer]) error {
		if p, known := peer.Get(); known && p.UID != user && !p.isOurs() {
			return fmt.Errorf("%w: %v, not user %d nor root", fs.ErrPermission, p, user)
		}
		return nil
	}
}

// isOurs reports whether a peer has full power over this process in any case.
func (p Peer) isOurs() bool { return p.UID == 0 || p.UID == os.Geteuid() }

// authorize asks an authorizer about a connection, and returns its peer. It fails as well
// when the system has credentials for the connection but reading them failed.
func authorize(authorizer Authorizer, conn net.Conn) (fold.Maybe[Peer], error) {
	peer, err := peerOf(conn)
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return fold.Nothing[Peer](), err
	}
	known := fold.MaybeOf(peer, err == nil)
	return known, authorizer(conn, known)
}

// numbersOf returns the numbers of users or groups, and all that is wrong with their names.
func numbersOf(authorizer string, names []string, number func(string) (int, error)) (numbers []int, err error) {
	if len(names) == 0 {
		return nil, fmt.Errorf("%w: %s without a name; leave Clients or Servers nil for this process's own user and root", ErrInvalid, authorizer)
	}
	for _, name := range names {
		n, failed := number(name)
		numbers, err = append(numbers, n), errors.Join(err, failed)
	}
	return numbers, err
}
