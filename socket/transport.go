package socket

import (
	"context"
	"net"
)

// Transport is how processes find and reach each other by name. Unix is the one
// most programs use; another may carry the same connections over anything that
// delivers bytes in order. Its methods may be called by several goroutines at a
// time.
type Transport interface {
	// Listen makes the name reachable until the listener is closed. It fails with
	// ErrInUse when another listener holds the name, in this process or another.
	// The context bounds the call, not the listener.
	Listen(ctx context.Context, name Name) (net.Listener, error)

	// Dial connects to the one who listens on the name. It fails with
	// ErrNotListening when nobody does, and with ErrBusy when somebody does whose
	// queue of waiting connections is full; it does not try again by itself in
	// either case. The context bounds the call, not the connection.
	Dial(ctx context.Context, name Name) (net.Conn, error)

	// Names lists, in order, the names that somebody may be listening on. Some may
	// be left over from a server that died; whoever needs to know connects.
	Names(ctx context.Context) ([]Name, error)
}

// watcher is a Transport that gives news of names, so that a client need not try all the time.
type watcher interface {
	// watchName returns a channel that has a value when the name may have become reachable.
	// The caller calls stop in the end.
	watchName(Name) (news <-chan struct{}, stop func())
}
