package socket

import (
	"context"
	"sync"
)

// What a connection ends with: the context of who reads it, and that of a server's being
// open, after which it is closed in an orderly way.
var (
	readers = watches{reason: context.Cause}
	servers = watches{reason: func(context.Context) error { return ErrShutdown }}
)

// watches end connections when contexts do. The connections of a server have the same
// one, which is watched once for all of them: a registration costs more than a quarter
// of a connection that waits.
type watches struct {
	reason func(context.Context) error

	mu  sync.Mutex
	all map[<-chan struct{}]*watch // by what the context is done with
}

type watch struct {
	connections map[*Connection]struct{}
	stop        func() bool
}

// add has ctx end c, until it is removed.
func (w *watches) add(ctx context.Context, c *Connection) {
	done := ctx.Done()
	if done == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	one := w.all[done]
	if one == nil {
		one = &watch{connections: map[*Connection]struct{}{}}
		one.stop = context.AfterFunc(ctx, func() { w.end(ctx, one) })
		if w.all == nil {
			w.all = map[<-chan struct{}]*watch{}
		}
		w.all[done] = one
	}
	one.connections[c] = struct{}{}
}

// remove takes back what add did. Nothing is kept of a context without connections.
func (w *watches) remove(ctx context.Context, c *Connection) {
	w.mu.Lock()
	defer w.mu.Unlock()
	one := w.all[ctx.Done()]
	if one == nil {
		return
	}
	delete(one.connections, c)
	if len(one.connections) == 0 {
		delete(w.all, ctx.Done())
		one.stop()
	}
}

// end ends the connections of a watch. Who is added from now on gets a new one, which
// ends it at once.
func (w *watches) end(ctx context.Context, one *watch) {
	w.mu.Lock()
	if w.all[ctx.Done()] == one {
		delete(w.all, ctx.Done())
	}
	w.mu.Unlock()
	for c := range one.connections {
		c.end(w.reason(ctx))
	}
}
