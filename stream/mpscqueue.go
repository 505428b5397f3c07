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

// mpscQueue carries values from any number of producers to one consumer (multiple
// producers, single consumer). It is a broadcaster with one subscriber.
type mpscQueue[T any] struct {
	broadcaster broadcaster[T]
	buffer      *subscriberBuffer[T]
}

// init prepares the queue for a run with this context.
func (q *mpscQueue[T]) init(ctx context.Context, capacity int, overflow Overflow) {
	q.buffer = newSubscriberBuffer[T](ctx, &q.broadcaster, capacity, overflow)
	q.broadcaster.mu.Lock()
	defer q.broadcaster.mu.Unlock()
	q.broadcaster.add(q.buffer)
}

// push adds a value and reports whether the consumer still wants more.
func (q *mpscQueue[T]) push(v T) bool {
	q.broadcaster.mu.Lock()
	defer q.broadcaster.mu.Unlock()
	if !q.broadcaster.awaitRoom() {
		return false
	}
	q.broadcaster.publish(v)
	return len(q.broadcaster.subscribers) > 0
}

// end notes that nothing more will come, and why; only the first call counts. Values that
// wait are still delivered.
func (q *mpscQueue[T]) end(err error) {
	q.broadcaster.mu.Lock()
	defer q.broadcaster.mu.Unlock()
	q.broadcaster.end(err, nil)
}

// deliver yields the values on the caller's goroutine. It returns at the end, when ctx
// ends, or when yield returns false; push returns false from then on.
func (q *mpscQueue[T]) deliver(ctx context.Context, yield func(T) bool) error {
	defer q.broadcaster.remove(q.buffer)
	return q.buffer.deliver(ctx, nil, yield)
}
