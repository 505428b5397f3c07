package stream

import (
	"context"
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

// mailbox carries values from any number of producers to one consumer, and keeps at
// most as many as it may: a hub with one box.
type mailbox[T any] struct {
	hub hub[T]
	box *box[T]
}

// init prepares the mailbox for a run with this context.
func (m *mailbox[T]) init(ctx context.Context, capacity int, overflow Overflow) {
	m.box = newBox[T](ctx, &m.hub, capacity, overflow)
	m.hub.mu.Lock()
	defer m.hub.mu.Unlock()
	m.hub.join(m.box)
}

// push adds a value and reports whether the consumer still wants more.
func (m *mailbox[T]) push(v T) bool {
	m.hub.mu.Lock()
	defer m.hub.mu.Unlock()
	if !m.hub.ready() {
		return false
	}
	m.hub.put(v)
	return len(m.hub.boxes) > 0
}

// end says that nothing more will come and why; only the first call counts. Values
// already here are still delivered.
func (m *mailbox[T]) end(err error) {
	m.hub.mu.Lock()
	defer m.hub.mu.Unlock()
	m.hub.end(err, nil)
}

// deliver yields what comes, on the caller's goroutine, until the end, ctx's end,
// or yield has enough. Producers are turned away then.
func (m *mailbox[T]) deliver(ctx context.Context, yield func(T) bool) error {
	defer m.hub.leave(m.box)
	return m.box.deliver(ctx, nil, yield)
}
