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
func (n *Network) Listen(ctx context.Context, name socket.Name) (net.Listener, error) {
	l, err := n.listen(ctx, name)
	if err != nil {
		return nil, &socket.Error{Op: "listen", Name: name.String(), Err: err}
	}
	return l, nil
}

func (n *Network) listen(ctx context.Context, name socket.Name) (*listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case name.IsZero():
		return nil, socket.ErrInvalid
	case n.names[name] != nil:
		return nil, socket.ErrInUse
	case n.names == nil:
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
func (n *Network) Dial(ctx context.Context, name socket.Name) (net.Conn, error) {
	conn, err := n.dial(ctx, name)
	if err != nil {
		return nil, &socket.Error{Op: "dial", Name: name.String(), Err: err}
	}
	return conn, nil
}

func (n *Network) dial(ctx context.Context, name socket.Name) (*Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case name.IsZero():
		return nil, socket.ErrInvalid
	case n.names[name] == nil:
		return nil, socket.ErrNotListening
	}
	ours, theirs := pipe(n.Buffer, "", Addr(name.String()))
	select {
	case n.names[name].waiting <- theirs:
		return ours, nil
	default:
		return nil, socket.ErrBusy
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
