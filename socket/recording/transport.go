package recording

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/rxipc/rxipc/socket"
)

// Transport returns a transport that records all connections of another one, of servers as well as
// of clients:
//
//	ipc := socket.New(socket.Config{Transport: recording.Transport(socket.Unix{}, writer)})
//
// A connection that is recorded copies what it carries, and a client that waits for its server
// looks for it at intervals. An IPC that is recorded cannot hand over its sockets.
func Transport(inner socket.Transport, to *Writer) socket.Transport {
	return &transport{inner, to}
}

type transport struct {
	socket.Transport
	to *Writer
}

func (t *transport) Listen(ctx context.Context, name socket.Name) (net.Listener, error) {
	l, err := t.Transport.Listen(ctx, name)
	if err != nil {
		return nil, err
	}
	return &listener{Listener: l, to: t.to, name: name.String()}, nil
}

func (t *transport) Dial(ctx context.Context, name socket.Name) (net.Conn, error) {
	c, err := t.Transport.Dial(ctx, name)
	if err != nil {
		return nil, err
	}
	return newConn(c, t.to, name.String(), Client), nil
}

type listener struct {
	net.Listener
	to     *Writer
	name   string
	closed sync.Once
}

func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return newConn(c, l.to, l.name, Server), nil
}

func (l *listener) Close() error {
	l.closed.Do(func() { l.to.write(Entry{Time: l.to.now(), Kind: Stop, Name: l.to.unlessKnown(l.name)}) })
	return l.Listener.Close()
}

// Look looks after the socket file, if the listener has one.
func (l *listener) Look() (loss error, restored bool) {
	if looks, ok := l.Listener.(interface{ Look() (error, bool) }); ok {
		return looks.Look()
	}
	return nil, false
}

// conn is a connection that is recorded.
type conn struct {
	net.Conn
	out, in *direction
}

// newConn records a connection, of which this process is one side.
func newConn(inner net.Conn, to *Writer, name string, side Side) *conn {
	number := to.begun(Open, name)
	return &conn{Conn: inner, out: &direction{to: to, number: number, from: side}, in: &direction{to: to, number: number, from: side.other()}}
}

func (s Side) other() Side {
	if s == Client {
		return Server
	}
	return Client
}

// Peer returns the process at the other end.
func (c *conn) Peer() (socket.Peer, error) { return socket.PeerOf(c.Conn) }

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	now := c.in.to.now()
	c.in.sent(now, p[:n])
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, net.ErrClosed) && !errors.Is(err, io.ErrClosedPipe) {
		c.in.ended()
	}
	return n, err
}

// Write takes the time before it writes: the answer of the other side may be read before Write
// returns. It records after that, since not all may be written.
func (c *conn) Write(p []byte) (int, error) {
	now := c.out.to.now()
	n, err := c.Conn.Write(p)
	c.out.sent(now, p[:n])
	return n, err
}

func (c *conn) Close() error {
	c.out.ended()
	return c.Conn.Close()
}

// direction records what one side of a connection sends.
type direction struct {
	to     *Writer
	number int
	from   Side

	mu    sync.Mutex
	split splitter
	over  bool
}

func (d *direction) sent(now time.Duration, sent []byte) {
	if len(sent) == 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.split.split(sent) {
		d.write(now, e)
	}
}

func (d *direction) write(now time.Duration, e Entry) {
	e.Time, e.Connection, e.From = now, d.number, d.from
	d.to.write(e)
}

// ended records, once, that the side has closed the connection.
func (d *direction) ended() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over {
		return
	}
	d.over = true
	if rest, some := d.split.rest(); some {
		d.write(d.to.now(), rest)
	}
	d.write(d.to.now(), Entry{Kind: End})
}
