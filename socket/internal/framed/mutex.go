package framed

import (
	"context"
	"sync/atomic"
)

// mutex is a lock whose lock returns early when its context ends. unlock hands it to a waiter.
// The zero mutex is unlocked, and has no channel until a goroutine waits.
type mutex struct {
	state  atomic.Int32                  // 0, or held and a waiting for each goroutine that waits for unlock
	handed atomic.Pointer[chan struct{}] // the lock, to one of them
}

// The parts of mutex.state.
const (
	held    = 1
	waiting = 2
)

// lock takes the lock, or returns the cause of the end of ctx.
func (m *mutex) lock(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if m.tryLock() {
		return nil
	}
	return m.await(ctx)
}

// tryLock takes the lock if it is free, and reports whether it was.
func (m *mutex) tryLock() bool { return m.state.CompareAndSwap(0, held) }

func (m *mutex) await(ctx context.Context) error {
	if m.handed.Load() == nil {
		handed := make(chan struct{}, 1)
		m.handed.CompareAndSwap(nil, &handed)
	}
	for {
		state := m.state.Load()
		if state == 0 && m.tryLock() {
			return nil
		}
		if state != 0 && m.state.CompareAndSwap(state, state+waiting) {
			break
		}
	}
	handed := *m.handed.Load()
	select {
	case <-handed:
		return nil
	case <-ctx.Done():
	}
	for state := m.state.Load(); state >= waiting; state = m.state.Load() {
		if m.state.CompareAndSwap(state, state-waiting) {
			return context.Cause(ctx)
		}
	}
	<-handed // in the same moment, to this goroutine or to another that waits
	m.unlock()
	return context.Cause(ctx)
}

// unlock gives the lock back.
func (m *mutex) unlock() {
	for !m.state.CompareAndSwap(held, 0) {
		if state := m.state.Load(); state != held && m.state.CompareAndSwap(state, state-waiting) {
			*m.handed.Load() <- struct{}{} // has room: there is one lock
			return
		}
	}
}
