package socket

import (
	"context"
	"sync"
)

// baton is what one at a time has. Those who wait for it get it from who gives it back.
// Its zero value is ready for use, and has no channel until somebody waits.
type baton struct {
	mu      sync.Mutex
	taken   bool
	waiting int32         // not given it yet
	given   chan struct{} // to one of those who wait
}

// take takes the baton, or returns ctx's cause.
func (t *baton) take(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if t.tryTake() {
		return nil
	}
	return t.await(ctx)
}

// tryTake takes the baton if nobody has it, and reports whether.
func (t *baton) tryTake() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.taken {
		return false
	}
	t.taken = true
	return true
}

func (t *baton) await(ctx context.Context) error {
	t.mu.Lock()
	if !t.taken {
		t.taken = true
		t.mu.Unlock()
		return nil
	}
	if t.given == nil {
		t.given = make(chan struct{}, 1)
	}
	t.waiting++
	t.mu.Unlock()
	select {
	case <-t.given:
		return nil
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case <-t.given: // in the same moment, to this one or to another that waits
		t.pass()
	default:
		t.waiting--
	}
	return context.Cause(ctx)
}

// put gives the baton back.
func (t *baton) put() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pass()
}

// pass gives the baton to somebody who waits, mu held.
func (t *baton) pass() {
	if t.waiting == 0 {
		t.taken = false
		return
	}
	t.waiting--
	t.given <- struct{}{} // has room: there is one baton
}
