package socket

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
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
// these names or numbers. Who is not known is refused; so is everybody when there is
// no such name.
func Users(users ...string) Authorizer {
	numbers, err := numbersOf(users, userNumber)
	return oneOf(err, func(p Peer) bool { return slices.Contains(numbers, p.UID) })
}

// Groups lets in processes of this process's own user, of root, and those that are in
// one of the groups with these names or numbers, with their effective group or
// another. Who is not known is refused; so is everybody when there is no such name.
func Groups(groups ...string) Authorizer {
	numbers, err := numbersOf(groups, groupNumber)
	return oneOf(err, func(p Peer) bool {
		return slices.Contains(numbers, p.GID) ||
			slices.ContainsFunc(p.Groups, func(gid int) bool { return slices.Contains(numbers, gid) })
	})
}

// AnyOf lets in whom one of several lets in.
func AnyOf(authorizers ...Authorizer) Authorizer {
	return func(conn net.Conn, peer fold.Maybe[Peer]) error {
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

// oneOf lets in known peers: this user, root, and those of whom listed holds. It
// refuses everybody if there is an error.
func oneOf(err error, listed func(Peer) bool) Authorizer {
	return func(_ net.Conn, peer fold.Maybe[Peer]) error {
		switch p, known := peer.Get(); {
		case err != nil:
			return fmt.Errorf("%w: %w", fs.ErrPermission, err)
		case !known:
			return fmt.Errorf("%w: who is there is not known", fs.ErrPermission)
		case !p.isOurs() && !listed(p):
			return fmt.Errorf("%w: %v is not among those who may talk", fs.ErrPermission, p)
		}
		return nil
	}
}

// oursOrUnknown is the default: this user and root, and on connections that know no
// users everybody.
func oursOrUnknown(_ net.Conn, peer fold.Maybe[Peer]) error {
	if p, known := peer.Get(); known && !p.isOurs() {
		return fmt.Errorf("%w: %v, not user %d nor root", fs.ErrPermission, p, os.Geteuid())
	}
	return nil
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
	if n, err := strconv.ParseUint(name, 10, 32); err == nil {
		return int(n), nil
	}
	found, err := user.Lookup(name)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(found.Uid)
}

// groupNumber is the number of a group given by name or number.
func groupNumber(name string) (int, error) {
	if n, err := strconv.ParseUint(name, 10, 32); err == nil {
		return int(n), nil
	}
	found, err := user.LookupGroup(name)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(found.Gid)
}
