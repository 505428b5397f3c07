package child

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/systemd"
)

// ErrNoConnection means that the process was not started with a connection.
var ErrNoConnection = errors.New("child: the process was started without a connection; child.Start or a manager of services passes one")

// Listener returns the listener of the connection that this process was started with, by [Start] or
// by a manager of services (Accept=yes of systemd). It accepts that one connection, see [socket.One],
// so that its server ends with the parent. It fails with ErrNoConnection if there is none, and at a
// second call. It takes the variables of the environment as systemd.TakeListenNames does, so
// socket.Unix.Inherit finds nothing after it.
func Listener() (net.Listener, error) {
	names, err := systemd.TakeListenNames()
	if err != nil {
		return nil, err
	}
	i := slices.Index(names, connectionName)
	if i < 0 {
		return nil, ErrNoConnection
	}
	file := os.NewFile(uintptr(systemd.FirstFD+i), connectionName)
	conn, err := net.FileConn(file)
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("child: take the connection: %w", err)
	}
	return socket.One(conn), nil
}
