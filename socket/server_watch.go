package socket

import (
	"context"
	"sync"
)

// watch ends the sessions of one run when a context ends: that of the reader, or open. It
// registers with each context once for all its sessions, since a registration costs more
// than a quarter of an idle connection. Lock order: watch.mu, then the lock of the park.Lot.
type watch struct {
	open context.Context // at its end the sessions end as by Close

	mu       sync.Mutex
	sessions map[*session]struct{}
	release  func() // takes back the registrations
}

// add ends s at the end of ctx or open, until it is removed. All sessions of a watch have
// the same ctx.
func (w *watch) add(ctx context.Context, s *session) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.sessions) == 0 {
		w.sessions = map[*session]struct{}{}
		w.register(ctx)
	}
	w.sessions[s] = struct{}{}
	if w.open.Err() != nil { // its callback may have run before
		s.end(ErrShutdown)
	}
	if ctx.Err() != nil {
		s.end(context.Cause(ctx))
	}
}

// register registers with both contexts, mu held.
func (w *watch) register(ctx context.Context) {
	reader := context.AfterFunc(ctx, func() { w.end(context.Cause(ctx)) })
	server := context.AfterFunc(w.open, func() { w.end(ErrShutdown) })
	w.release = func() { reader(); server() }
}

// remove takes back what add did. A watch without sessions keeps nothing.
func (w *watch) remove(s *session) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.sessions, s)
	if len(w.sessions) == 0 && w.release != nil {
		w.release()
		w.sessions, w.release = nil, nil
	}
}

// end ends the sessions.
func (w *watch) end(reason error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for s := range w.sessions {
		s.end(reason)
	}
}
