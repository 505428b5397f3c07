package sockettest

import (
	"context"
	"net"
	"slices"
	"strings"
	"sync"

	"github.com/rxipc/rxipc/socket"
)

// Network is a [socket.Transport] in memory. Servers and clients on the same Network
// reach each other by name. It uses no file system and works in bubbles of
// [testing/synctest]; a Network that is used in a bubble must be made in it.
//
// Any goroutine may call its methods.
type Network struct {
	// Buffer is the number of bytes that a connection holds each way, by default
	// DefaultBuffer. A small buffer finds a side that does not read.
	Buffer int

	// Backlog is the highest number of connections that wait to be accepted by a
	// listener, by default 128. Dial fails with socket.ErrBusy beyond it.
	Backlog int

	mu    sync.Mutex
	names map[socket.Name]*listener
}

var _ socket.Transport = (*Network)(nil)

// NewNetwork returns a network on which no name is listened on. Its fields may be set
// before its first use.
func NewNetwork() *Network { return new(Network) }

// defaultBacklog is the default of Linux before version 5.4.
const defaultBacklog = 128

// Listen makes the name reachable until the listener is closed. It fails with
// [socket.ErrInUse] when there is a listener on the name already. Closing the listener
// closes the connections that it has not accepted.
func (n *Network) Listen(ctx context.Context, name socket.Name) (_ net.Listener, err error) {
	defer explain(&err, "listen", name)
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := usable(ctx, name); err != nil {
		return nil, err
	}
	if n.names[name] != nil {
		return nil, socket.ErrInUse
	}
	if n.names == nil {
		n.names = make(map[socket.Name]*listener)
	}
	backlog := n.Backlog
	if backlog <= 0 {
		backlog = defaultBacklog
	}
	l := &listener{network: n, name: name, waiting: make(chan *Conn, backlog), closed: make(chan struct{})}
	n.names[name] = l
	return l, nil
}

// Dial connects to the listener on the name. It fails with [socket.ErrNotListening]
// when there is none, and with [socket.ErrBusy] when Backlog connections wait there.
func (n *Network) Dial(ctx context.Context, name socket.Name) (_ net.Conn, err error) {
	defer explain(&err, "dial", name)
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := usable(ctx, name); err != nil {
		return nil, err
	}
	l := n.names[name]
	if l == nil {
		return nil, socket.ErrNotListening
	}
	ours, theirs := pipe(n.Buffer, "", Addr(name.String()))
	select {
	case l.waiting <- theirs:
		return ours, nil
	default:
		return nil, socket.ErrBusy
	}
}

// usable returns why an operation with ctx on the name cannot begin, or nil.
func usable(ctx context.Context, name socket.Name) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case name.IsZero():
		return socket.ErrInvalid
	}
	return nil
}

// explain wraps a non-nil error in a socket.Error with the operation and the name.
func explain(err *error, op string, name socket.Name) {
	if *err != nil {
		*err = &socket.Error{Op: op, Name: name.String(), Err: *err}
	}
}

// Names returns the names that have a listener, sorted.
func (n *Network) Names(ctx context.Context) ([]socket.Name, error) {
	if ctx.Err() != nil {
		return nil, &socket.Error{Op: "names", Err: context.Cause(ctx)}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	var names []socket.Name
	for name := range n.names {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b socket.Name) int { return strings.Compare(a.String(), b.String()) })
	return names, nil
}

// listener listens on a name of a network.
type listener struct {
	network *Network
	name    socket.Name
	waiting chan *Conn
	closed  chan struct{}
}

// Accept returns the next connection. It blocks until there is one or the listener is
// closed.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.waiting:
		return conn, nil
	case <-l.closed:
		return nil, l.failure("accept")
	}
}

func (l *listener) Close() error {
	n := l.network
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.names[l.name] != l {
		return l.failure("close")
	}
	delete(n.names, l.name) // later dials find no listener
	close(l.closed)
	for {
		select {
		case conn := <-l.waiting:
			conn.Close()
		default:
			return nil
		}
	}
}

func (l *listener) Addr() net.Addr { return Addr(l.name.String()) }

func (l *listener) failure(op string) error {
	return &net.OpError{Op: op, Net: l.Addr().Network(), Addr: l.Addr(), Err: net.ErrClosed}
}
