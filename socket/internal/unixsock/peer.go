package unixsock

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
)

// Peer is the process at the other end of a connection.
type Peer struct {
	PID      int   // of the process; 0: the system does not tell
	UID, GID int   // its effective user and group
	Groups   []int // its other groups
}

// PeerOf returns the process that conn is connected to. It fails with errors.ErrUnsupported if
// conn is no unix socket, and where the system does not tell.
func PeerOf(conn net.Conn) (Peer, error) { return ofSocket(conn, peerOf) }

// Pidfd opens a descriptor of the process that conn is connected to. It fails with
// errors.ErrUnsupported if conn is no unix socket, and without Linux 6.5 or later.
func Pidfd(conn net.Conn) (*os.File, error) { return ofSocket(conn, pidfd) }

// ofSocket calls get with the descriptor of a unix socket.
func ofSocket[T any](conn net.Conn, get func(fd int) (T, error)) (got T, err error) {
	socket, ok := conn.(syscall.Conn)
	if !ok || conn.LocalAddr() == nil || conn.LocalAddr().Network() != "unix" {
		return got, fmt.Errorf("the connection has no credentials: %w", errors.ErrUnsupported)
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return got, err
	}
	var failure error
	err = raw.Control(func(fd uintptr) { got, failure = get(int(fd)) })
	return got, errors.Join(err, failure)
}
