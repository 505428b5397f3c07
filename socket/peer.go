package socket

import (
	"fmt"
	"log/slog"
	"net"
	"os"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket/internal/unixsock"
)

// Peer is the process at the other end of a connection, as the system knows it and
// not as it says of itself: for a server's side, the one that connected; for a
// client's, the one that listens. It is what was true then, whoever has the
// descriptor now.
type Peer struct {
	// PID is the number of the process, 0 where the system does not tell (FreeBSD)
	// or cannot (another PID namespace). Numbers are used again: [Pidfd] is for those
	// who act on one.
	PID int

	// UID and GID are the numbers of its effective user and group. In a user namespace of
	// Linux all users that it has no number for have the same one, mostly 65534: who runs
	// as that one there cannot tell them from itself, but by the mode of the socket.
	UID, GID int

	// Groups are the numbers of its other groups.
	Groups []int
}

// String tells process and user.
func (p Peer) String() string {
	if p.PID == 0 {
		return fmt.Sprintf("a process of user %d", p.UID)
	}
	return fmt.Sprintf("process %d of user %d", p.PID, p.UID)
}

// LogValue is the peer as attributes of a log line: pid, uid and gid.
func (p Peer) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("pid", p.PID), slog.Int("uid", p.UID), slog.Int("gid", p.GID))
}

// Pidfd opens a descriptor of the process that conn is connected to, which names
// that one process even when its number is used again. It becomes readable when the
// process ends. The caller closes it. Without Linux 6.5 or later, and for what is
// no unix socket, it fails with errors.ErrUnsupported.
func Pidfd(conn net.Conn) (*os.File, error) {
	file, err := unixsock.Pidfd(conn)
	if err != nil {
		return nil, &Error{Op: "pidfd", Err: err}
	}
	return file, nil
}

// peerOf asks for the peer of a connection. It fails with errors.ErrUnsupported for
// connections of a kind that has none.
func peerOf(conn net.Conn) (Peer, error) {
	if knows, ok := conn.(interface{ Peer() (Peer, error) }); ok {
		return knows.Peer()
	}
	found, err := unixsock.PeerOf(conn)
	return Peer(found), err
}

// knownPeer is the peer of a connection, if it is known.
func knownPeer(conn net.Conn) fold.Maybe[Peer] {
	peer, err := peerOf(conn)
	return fold.MaybeOf(peer, err == nil)
}
