package framed

import (
	"context"
	"sync"
)

// mutex is a lock whose lock returns early when its context ends. unlock hands it to a waiter.
// The zero mutex is unlocked, and has no channel until a goroutine waits.
type mutex struct {
	mu      sync.Mutex
	locked  bool
	waiting int32         // goroutines
	handed  chan struct{} // the lock, to one of them
}

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
func (m *mutex) tryLock() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.locked {
		return false
	}
	m.locked = true
	return true
}

func (m *mutex) await(ctx context.Context) error {
	m.mu.Lock()
	if !m.locked {
		m.locked = true
		m.mu.Unlock()
		return nil
	}
	if m.handed == nil {
		m.handed = make(chan struct{}, 1)
	}
	m.waiting++
	m.mu.Unlock()
	select {
	case <-m.handed:
		return nil
	case <-ctx.Done():
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	select {
	case <-m.handed: // in the same moment, to this goroutine or to another that waits
		m.pass()
	default:
		m.waiting--
	}
	return context.Cause(ctx)
}

// unlock gives the lock back.
func (m *mutex) unlock() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pass()
}

// pass hands the lock to a goroutine that waits, mu held.
func (m *mutex) pass() {
	if m.waiting == 0 {
		m.locked = false
		return
	}
	m.waiting--
	m.handed <- struct{}{} // has room: there is one lock
}
