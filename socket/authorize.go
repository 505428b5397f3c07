package socket

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net"
	"os"
	"os/user"
	"reflect"
	"slices"
	"strconv"

	"github.com/rxipc/rxipc/fold"
)

// Authorizer decides who may talk. It gets a connection of which no byte has been
// read, and its peer as [Connection.Peer] tells it; an error refuses, and says why. It
// runs where connections are accepted, so it must not wait, and must leave the
// connection alone but for its addresses.
type Authorizer func(conn net.Conn, peer fold.Maybe[Peer]) error

// Anyone lets everybody in who can connect: the folder and the socket's mode are the
// only guard then.
func Anyone(net.Conn, fold.Maybe[Peer]) error { return nil }

// Users lets in processes of this process's own user, of root, and of the users with
// these names or numbers. Who is not known is refused. A name that no user has is an error
// of whatever is done first with an IPC that has it in its Config.
func Users(users ...string) Authorizer {
	numbers, err := numbersOf(users, userNumber)
	return oneOf(err, func(p Peer) bool { return slices.Contains(numbers, p.UID) })
}

// Groups lets in processes of this process's own user, of root, and those that are in
// one of the groups with these names or numbers, with their effective group or
// another. Who is not known is refused. A name that no group has is an error as with [Users].
func Groups(groups ...string) Authorizer {
	numbers, err := numbersOf(groups, groupNumber)
	return oneOf(err, func(p Peer) bool {
		return slices.Contains(numbers, p.GID) ||
			slices.ContainsFunc(p.Groups, func(gid int) bool { return slices.Contains(numbers, gid) })
	})
}

// AnyOf lets in whom one of several lets in.
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

// checkAnyOf tells what is wrong with some authorizers of which one is to let in.
func checkAnyOf(authorizers []Authorizer) (err error) {
	if len(authorizers) == 0 {
		return fmt.Errorf("%w: AnyOf nothing lets in nobody", ErrInvalid)
	}
	for _, authorizer := range authorizers {
		err = errors.Join(err, authorizer.check())
	}
	return err
}

// selfCheck is no connection: an authorizer of this package that is asked about it tells
// what is wrong with itself.
type selfCheck struct{ net.Conn }

func codeOf(a Authorizer) uintptr { return reflect.ValueOf(a).Pointer() }

// check tells what is wrong with an authorizer, as far as that can be known before there is
// a connection. Those of this package are known by their code: a function cannot be asked
// what it is in another way, and one of a user's own must not be called for this.
func (a Authorizer) check() error {
	switch {
	case a == nil:
		return fmt.Errorf("%w: nil is no Authorizer", ErrInvalid)
	case codeOf(a) == codeOf(oneOf(nil, nil)), codeOf(a) == codeOf(AnyOf()):
		return a(selfCheck{}, fold.Nothing[Peer]())
	}
	return nil
}

// oneOf lets in known peers: this user, root, and those of whom listed holds. It
// refuses everybody if there is an error.
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
			return fmt.Errorf("%w: who is there is not known", fs.ErrPermission)
		case p.UID != user && !p.isOurs() && !listed(p):
			return fmt.Errorf("%w: %v is not among those who may talk", fs.ErrPermission, p)
		}
		return nil
	}
}

// oursOrUnknown makes the default: it lets in this user and root, and on connections that
// know no users everybody.
func oursOrUnknown() Authorizer {
	user := os.Geteuid()
	return func(_ net.Conn, peer fold.Maybe[Peer]) error {
		if p, known := peer.Get(); known && p.UID != user && !p.isOurs() {
			return fmt.Errorf("%w: %v, not user %d nor root", fs.ErrPermission, p, user)
		}
		return nil
	}
}

// isOurs reports whether a peer has all power over this process anyway.
func (p Peer) isOurs() bool { return p.UID == 0 || p.UID == os.Geteuid() }

// authorize asks an authorizer about a connection. One whose peer should be known and
// is not is refused.
func authorize(authorizer Authorizer, conn net.Conn) (fold.Maybe[Peer], error) {
	peer, err := peerOf(conn)
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return fold.Nothing[Peer](), err
	}
	known := fold.MaybeOf(peer, err == nil)
	return known, authorizer(conn, known)
}

func numbersOf(names []string, number func(string) (int, error)) (numbers []int, err error) {
	for _, name := range names {
		n, failed := number(name)
		numbers, err = append(numbers, n), errors.Join(err, failed)
	}
	return numbers, err
}

// userNumber is the number of a user given by name or number.
func userNumber(name string) (int, error) {
	return accountNumber(name, func() (string, error) {
		found, err := user.Lookup(name)
		if err != nil {
			return "", err
		}
		return found.Uid, nil
	})
}

// groupNumber is the number of a group given by name or number.
func groupNumber(name string) (int, error) {
	return accountNumber(name, func() (string, error) {
		found, err := user.LookupGroup(name)
		if err != nil {
			return "", err
		}
		return found.Gid, nil
	})
}

// nobodysNumber stands for no user or group in the system's calls.
const nobodysNumber = math.MaxUint32

// accountNumber is a number given as such, or that of a name. It fails with ErrInvalid.
func accountNumber(name string, lookup func() (string, error)) (int, error) {
	n, err := strconv.ParseUint(name, 10, 32)
	if err != nil {
		found, failed := lookup()
		if failed != nil {
			return 0, fmt.Errorf("%w: %s: %w", ErrInvalid, quoted(name), failed)
		}
		if n, err = strconv.ParseUint(found, 10, 32); err != nil { // Windows has no numbers
			return 0, fmt.Errorf("%w: %s has no number: %w", ErrInvalid, quoted(name), errors.ErrUnsupported)
		}
	}
	if n == nobodysNumber {
		return 0, fmt.Errorf("%w: %s is the number of nobody", ErrInvalid, quoted(name))
	}
	return int(n), nil
}
