package socket

import (
	"io"
	"net"
	"sync"
)

// One returns a listener of a single connection, which another process has accepted or made. Its
// first Accept returns conn, and every further one fails with io.EOF. So [IPC.Accept] of it
// completes, and its server ends when the client has left:
//
//	socket.ServeConnections(ipc.Accept(socket.One(conn)), fold.Unit())
//
// Such a connection is one end of a socketpair, whose other end belongs to a parent or a child
// (see [IPC.Attach]), or the standard input of a process that inetd has started:
//
//	conn, err := net.FileConn(os.Stdin)
//
// systemd passes it as descriptor 3 with Accept=yes, so that os.NewFile(3, "") takes the
// place of os.Stdin. FileConn makes a copy: close the file, so that the client notices the
// end. [ServerConfig.Clients] decides here, too. If it refuses the client, the log gets a line and
// the server ends without an error. Closing the listener closes conn unless it was accepted.
func One(conn net.Conn) net.Listener { return &one{conn: conn, addr: conn.LocalAddr()} }

// one is a listener of one connection.
type one struct {
	addr net.Addr

	mu   sync.Mutex
	conn net.Conn // nil once it was accepted or closed
}

func (l *one) take() net.Conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	conn := l.conn
	l.conn = nil
	return conn
}

func (l *one) Accept() (net.Conn, error) {
	if conn := l.take(); conn != nil {
		return conn, nil
	}
	return nil, io.EOF
}

func (l *one) Close() error {
	if conn := l.take(); conn != nil {
		return conn.Close()
	}
	return nil
}

func (l *one) Addr() net.Addr { return l.addr }
