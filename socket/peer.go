package socket

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket/internal/unixsock"
)

// Peer is the process at the other end of a connection, as the system knows it: to a server the
// process that connected, to a client the process that listens. It is the process of that moment,
// even if another one has the descriptor now.
type Peer struct {
	// PID is the number of the process. It is 0 where the system does not tell (FreeBSD) or
	// cannot (another PID namespace). The system uses numbers again: act on a process by its
	// [Pidfd].
	PID int

	// UID and GID are the numbers of its effective user and group. In a user namespace of
	// Linux all users without a number of their own have the same number, mostly 65534. A
	// process of that number cannot tell them from itself; only the mode of the socket keeps
	// them out.
	UID, GID int

	// Groups are the numbers of its other groups.
	Groups []int

	// Names are the names that a [Transport] has authenticated, such as those in a certificate
	// of TLS. Then the peer is no process of this machine, and UID and GID are -1.
	Names []string
}

// String returns the process and the user in words, or the names.
func (p Peer) String() string {
	if !p.hasUser() {
		return "a process with the names " + strings.Join(p.Names, ", ")
	}
	if p.PID == 0 {
		return fmt.Sprintf("a process of user %d", p.UID)
	}
	return fmt.Sprintf("process %d of user %d", p.PID, p.UID)
}

// LogValue is the peer as attributes of a log line: pid, uid and gid, or names.
func (p Peer) LogValue() slog.Value {
	if !p.hasUser() {
		return slog.GroupValue(slog.Any("names", p.Names))
	}
	return slog.GroupValue(slog.Int("pid", p.PID), slog.Int("uid", p.UID), slog.Int("gid", p.GID))
}

// hasUser reports whether the peer is a process of this machine.
func (p Peer) hasUser() bool { return p.UID >= 0 }

// user returns the user in words: by its number, or its first name.
func (p Peer) user() string {
	if len(p.Names) > 0 {
		return p.Names[0]
	}
	return fmt.Sprintf("user %d", p.UID)
}

// Pidfd opens a descriptor of the process that conn is connected to. The descriptor names that
// process even when its number is used again, and becomes readable when the process ends. The
// caller closes it. Pidfd fails with errors.ErrUnsupported without Linux 6.5 or later, and if conn
// is no unix socket.
func Pidfd(conn net.Conn) (*os.File, error) {
	file, err := unixsock.Pidfd(conn)
	if err != nil {
		return nil, &Error{Op: "pidfd", Err: err}
	}
	return file, nil
}

// PeerOf returns the peer of a connection: what the connection's own method Peer returns, if it has
// one, and else what the system knows. It fails with errors.ErrUnsupported if connections of this
// kind have none. A [Transport] that wraps connections of another one calls it in their Peer.
func PeerOf(conn net.Conn) (Peer, error) {
	if knows, ok := conn.(interface{ Peer() (Peer, error) }); ok {
		return knows.Peer()
	}
	found, err := unixsock.PeerOf(conn)
	return Peer{PID: found.PID, UID: found.UID, GID: found.GID, Groups: found.Groups}, err
}

// knownPeer is the peer of a connection, if it is known.
func knownPeer(conn net.Conn) fold.Maybe[Peer] {
	peer, err := PeerOf(conn)
	return fold.MaybeOf(peer, err == nil)
}
