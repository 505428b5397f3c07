package streamtest

import (
	"context"
	"sync"
)

// watchedContext is a context that knows who is registered with it: package
// context calls AfterFunc for contexts derived from it and for functions that
// wait for its end. A run that leaves one behind leaks it for as long as its
// caller's context lives.
type watchedContext struct {
	context.Context // gives the cause, to those who ask package context
	cancel          context.CancelCauseFunc
	done            chan struct{}

	mu         sync.Mutex
	ended      bool
	next       int
	registered map[int]func()
}

func watch(inner context.Context, cancel context.CancelCauseFunc) *watchedContext {
	return &watchedContext{Context: inner, cancel: cancel, done: make(chan struct{}), registered: make(map[int]func())}
}

// end cancels the context.
func (w *watchedContext) end(cause error) {
	w.cancel(cause)
	w.fire()
}

func (w *watchedContext) Done() <-chan struct{} { return w.done }

// AfterFunc is what package context looks for.
func (w *watchedContext) AfterFunc(f func()) (stop func() bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		go f()
		return func() bool { return false }
	}
	w.next++
	n := w.next
	w.registered[n] = f
	return func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		_, found := w.registered[n]
		delete(w.registered, n)
		return found
	}
}

// fire tells all that the inner context has ended. Nobody derived from it sees
// less of that than the caller of fire, once it returns.
func (w *watchedContext) fire() {
	w.mu.Lock()
	registered := w.registered
	if !w.ended {
		w.ended, w.registered = true, nil
		close(w.done)
	}
	w.mu.Unlock()
	for _, f := range registered {
		f()
	}
}

func (w *watchedContext) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.registered)
}
