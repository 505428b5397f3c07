package stream

import (
	"context"
	"errors"
	"sync"
)

// Overflow says what a full buffer does with one more value.
type Overflow uint8

// What a full buffer may do.
const (
	Block      Overflow = iota // the producer waits for room: nothing is lost
	DropOldest                 // the value that waited longest makes room
	DropNewest                 // the value that just came is dropped
	Fail                       // the run fails with ErrOverflow, after what it holds
)

// errLeft is how take says that the consumer's context ended.
var errLeft = errors.New("stream: left")

// mailbox carries values from any number of producers to one consumer, and keeps
// exactly as many as it may until the consumer takes them. No user code runs under
// its lock.
type mailbox[T any] struct {
	capacity int
	overflow Overflow

	mu     sync.Mutex
	room   sync.Cond // producers wait here, on mu
	values []T       // a ring: count values from first on
	first  int
	count  int
	idle   bool // the consumer waits for wake
	ended  bool // nothing more will come: take what is here, then err
	err    error
	closed bool          // the consumer has left: producers are turned away
	wake   chan struct{} // one token for an idle consumer
}

func (m *mailbox[T]) init(capacity int, overflow Overflow) {
	m.capacity = max(1, capacity)
	m.overflow = overflow
	m.room.L = &m.mu
	m.wake = make(chan struct{}, 1)
}

// push adds a value and reports whether the consumer still wants more.
func (m *mailbox[T]) push(v T) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.count == m.capacity {
		m.makeRoom()
	}
	if m.closed || m.ended {
		return false
	}
	if m.count < m.capacity {
		m.add(v)
		m.rouse()
	}
	return true
}

// makeRoom does what overflow says about a full box, mu held.
func (m *mailbox[T]) makeRoom() {
	switch m.overflow {
	case DropOldest:
		m.remove()
	case DropNewest:
	case Fail:
		m.endLocked(ErrOverflow)
	default:
		for m.count == m.capacity && !m.closed && !m.ended {
			m.room.Wait()
		}
	}
}

// add puts a value at the end of the ring, which doubles up to the capacity.
func (m *mailbox[T]) add(v T) {
	if m.count == len(m.values) {
		grown := make([]T, min(m.capacity, max(4, 2*m.count)))
		n := copy(grown, m.values[m.first:])
		copy(grown[n:], m.values[:m.first])
		m.values, m.first = grown, 0
	}
	m.values[(m.first+m.count)%len(m.values)] = v
	m.count++
}

// remove takes the value at the beginning of the ring.
func (m *mailbox[T]) remove() T {
	var zero T
	v := m.values[m.first]
	m.values[m.first] = zero
	m.first = (m.first + 1) % len(m.values)
	m.count--
	return v
}

// end says that nothing more will come and why; only the first call counts. Values
// already here are still delivered.
func (m *mailbox[T]) end(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.endLocked(err)
	m.rouse()
}

func (m *mailbox[T]) endLocked(err error) {
	if m.ended {
		return
	}
	m.ended, m.err = true, err
	m.room.Broadcast()
}

// rouse wakes an idle consumer, mu held.
func (m *mailbox[T]) rouse() {
	if m.idle {
		m.idle = false
		m.wake <- struct{}{} // has room: idle is set anew only by who took the last token
	}
}

// deliver yields what comes, on the caller's goroutine, until the end, ctx's end,
// or yield has enough.
func (m *mailbox[T]) deliver(ctx context.Context, yield func(T) bool) error {
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		v, ok, err := m.take(ctx.Done())
		switch {
		case err == errLeft:
			return context.Cause(ctx)
		case !ok:
			return err
		case !yield(v):
			return nil
		}
	}
}

// take waits for a value. None means the end: of the mailbox, with the error it
// ended with, or of the consumer's patience, errLeft.
func (m *mailbox[T]) take(done <-chan struct{}) (v T, ok bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for m.count == 0 {
		if m.ended {
			return v, false, m.err
		}
		m.idle = true
		m.mu.Unlock()
		left := false
		select {
		case <-m.wake:
		case <-done:
			left = true
		}
		m.mu.Lock()
		if left {
			return v, false, errLeft
		}
	}
	v = m.remove()
	if m.overflow == Block {
		m.room.Signal()
	}
	return v, true, nil
}

// close turns producers away and frees those that wait.
func (m *mailbox[T]) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	m.values, m.first, m.count = nil, 0, 0
	m.room.Broadcast()
}
