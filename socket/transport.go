package socket

import (
	"context"
	"net"
)

// Transport lets processes reach each other by name. Most programs use [Unix]. Another
// Transport may carry the same connections over any channel that delivers bytes in order, as
// package socket/tcp does. CheckTransport of package socket/sockettest checks one.
// Several goroutines may call its methods at the same time.
type Transport interface {
	// Listen makes the name reachable until the listener is closed. It fails with
	// ErrInUse when another listener holds the name, in this process or another.
	// The context bounds the call, not the listener.
	Listen(ctx context.Context, name Name) (net.Listener, error)

	// Dial connects to the server that listens on the name. It fails with ErrNotListening
	// if there is none, and with ErrBusy if the server's queue of waiting connections is
	// full. It does not retry in either case. The context bounds the call, not the
	// connection.
	Dial(ctx context.Context, name Name) (net.Conn, error)

	// Names lists, in order, the names on which a server may be listening. It may include
	// names of servers that have died; to find out, connect to them.
	Names(ctx context.Context) ([]Name, error)
}

// awaiter is a Transport that can wait for a name in use.
type awaiter interface {
	// listenWhenFree is Listen that waits, until ctx ends, while another listener holds the
	// name.
	listenWhenFree(context.Context, Name) (net.Listener, error)
}

// watcher is a Transport that notifies of names, so that a waiting client need not poll.
type watcher interface {
	// watchName returns a channel that has a value when the name may have become reachable.
	// The caller calls stop in the end.
	watchName(Name) (news <-chan struct{}, stop func())
}
