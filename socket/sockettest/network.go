package sockettest

import (
	"context"
	"net"
	"slices"
	"strings"
	"sync"

	"github.com/rxipc/rxipc/socket"
)

// Network is a [socket.Transport] in memory: those who share one reach each other by
// name, and nobody else does. It needs no file system, leaves nothing behind, and
// works in bubbles of [testing/synctest]. What uses a network in a bubble makes it
// there.
//
// Its methods may be called from any goroutine.
type Network struct {
	// Buffer is how many bytes a connection holds each way; default DefaultBuffer.
	// A small one finds out who does not read.
	Buffer int

	// Backlog is how many connections wait at most until a listener accepts them;
	// default 128. One more is refused with socket.ErrBusy.
	Backlog int

	mu    sync.Mutex
	names map[socket.Name]*listener
}

var _ socket.Transport = (*Network)(nil)

// NewNetwork makes a network with nobody in it. Its fields may be set before its
// first use.
func NewNetwork() *Network { return new(Network) }

// defaultBacklog is that of Linux before it was raised.
const defaultBacklog = 128

// Listen makes the name reachable until the listener is closed. It fails with
// [socket.ErrInUse] when somebody listens on it already. Closing the listener closes
// the connections that nobody has accepted.
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

// Dial connects to who listens on the name. It fails with [socket.ErrNotListening]
// when nobody does, and with [socket.ErrBusy] when too many connections wait there.
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

// usable is the error of a name, or a context, with which nothing can be done.
func usable(ctx context.Context, name socket.Name) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case name.IsZero():
		return socket.ErrInvalid
	}
	return nil
}

// explain makes of an error, if there is one, that of an operation on a name.
func explain(err *error, op string, name socket.Name) {
	if *err != nil {
		*err = &socket.Error{Op: op, Name: name.String(), Err: *err}
	}
}

// Names lists, in order, the names that somebody listens on.
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

// listener is who listens on a name of a network.
type listener struct {
	network *Network
	name    socket.Name
	waiting chan *Conn
	closed  chan struct{}
}

// Accept gives the next connection, waiting for it until the listener is closed.
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
	delete(n.names, l.name) // from now on nobody else comes
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
