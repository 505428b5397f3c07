package stream

import (
	"context"
	"errors"
	"sync/atomic"
)

// spscQueue carries the values of one producer to the consumer of a Group (single
// producer, single consumer). A value costs one atomic store. The queue is a ring of
// chunks that grows as it is used, so a queue that carries a single value stays small
// whatever its capacity. Counting keeps the bound: pushed − taken ≤ capacity.
//
// A queue that has values, or has finished, is in the group's list exactly while listed is
// set. A producer that finds listed unset after it published a value adds the queue. The
// consumer unsets it when it finds the queue empty, and then looks once more.
type spscQueue[T any] struct {
	group *Group[T]

	// Written by the producer. A push reads only listed of the other fields.
	writeValues []T           // those of writeChunk
	writeAt     int           // place of the next value there
	pushed      uint64        // values pushed
	published   atomic.Uint64 // equals pushed; the consumer reads it
	limit       uint64        // pushed may grow to this before taken must be read again
	writeChunk  *chunk[T]
	onDrained   func()        // called by the consumer after it took the last value; may be nil
	room        chan struct{} // one token for a waiting producer; made at its first wait

	_ cacheLine

	// Written by the consumer.
	taken         atomic.Uint64 // values the consumer has taken; the producer reads it
	listed        atomic.Bool
	finished      atomic.Bool // nothing more will be published, and onDrained is to be called
	producerWaits atomic.Bool // the producer waits for room
	readAt        int
	readChunk     *chunk[T]
}

// cacheLine separates fields that different goroutines write, so that they do not share a
// line of the processor's cache.
type cacheLine [64]byte

type chunk[T any] struct {
	values []T
	last   uint64 // the number of the last value in it, counted from one: the producer's
	next   *chunk[T]
}

// A chunk holds at most chunkSize values. The first chunks of a queue are smaller.
const (
	firstChunk = 4
	chunkSize  = 64
)

// freeEvery is how many values the consumer takes at most before it publishes taken.
const freeEvery = 16

// init makes q a queue of g.
func (q *spscQueue[T]) init(g *Group[T]) {
	first := newChunk[T](min(firstChunk, g.capacity))
	first.next = first
	q.group, q.limit = g, uint64(g.capacity)
	q.writeChunk, q.writeValues, q.readChunk = first, first.values, first
}

func newChunk[T any](size int) *chunk[T] { return &chunk[T]{values: make([]T, size)} }

// push adds a value, blocks while there is no room, and reports whether the group still
// wants more. Only the producer calls it.
func (q *spscQueue[T]) push(v T) bool {
	if q.group.stopped.Load() || q.pushed == q.limit && !q.awaitRoom() {
		return false
	}
	if q.writeAt == len(q.writeValues) {
		q.nextChunk()
	}
	q.writeValues[q.writeAt] = v
	q.writeAt++
	q.pushed++
	q.published.Store(q.pushed)
	if !q.listed.Load() {
		q.group.enlist(q)
	}
	return true
}

// nextChunk moves the producer from a full chunk to the next one of the ring, which holds
// the oldest values. If the consumer has not taken them all, it inserts a new chunk.
func (q *spscQueue[T]) nextChunk() {
	q.writeChunk.last = q.pushed
	next := q.writeChunk.next
	if q.taken.Load() <= next.last {
		next = newChunk[T](min(chunkSize, 4*len(q.writeValues), q.group.capacity))
		next.next = q.writeChunk.next
		q.writeChunk.next = next
	}
	q.writeChunk, q.writeValues, q.writeAt = next, next.values, 0
}

// awaitRoom blocks until the consumer has taken something, and reports whether the group
// still wants values then.
func (q *spscQueue[T]) awaitRoom() bool {
	for {
		q.limit = q.taken.Load() + uint64(q.group.capacity)
		if q.pushed < q.limit {
			return true
		}
		if q.room == nil {
			q.room = make(chan struct{}, 1)
		}
		q.producerWaits.Store(true)
		if q.taken.Load()+uint64(q.group.capacity) > q.pushed && q.producerWaits.CompareAndSwap(true, false) {
			continue // the consumer made room in between, and put no token
		}
		if !q.blockUntilRoom() {
			return false
		}
	}
}

// blockUntilRoom returns true when there is room, or false when the group has ended.
func (q *spscQueue[T]) blockUntilRoom() bool {
	if watcher := q.group.watcher; watcher != nil {
		watcher.ProducerWaits(true)
		defer watcher.ProducerWaits(false)
	}
	select {
	case <-q.room:
		return true
	case <-q.group.ctx.Done():
		return false
	}
}

// Why a delivery ended before the queue was empty.
var (
	errUnwanted  = errors.New("stream: yield has enough")
	errCancelled = errors.New("stream: the run's context is done")
)

// deliver yields the values published by now, and reports whether more were published
// meanwhile. Only the consumer calls it, and only for a listed queue.
func (q *spscQueue[T]) deliver(ctx context.Context, yield func(T) bool) (more bool, err error) {
	cancellable := ctx.Done() != nil
	taken := q.taken.Load()
	for end := q.published.Load(); taken < end; {
		batch := q.nextBatch(int(min(end-taken, freeEvery)))
		taken += uint64(len(batch))
		for i, v := range batch {
			if cancellable && ctx.Err() != nil {
				q.putBack(batch[i:], taken)
				return false, errCancelled
			}
			if i == len(batch)-1 { // before yield, which may be slow
				clear(batch) // the chunk outlives its values
				q.publishTaken(taken)
			}
			if !yield(v) {
				q.putBack(batch[i+1:], taken)
				return false, errUnwanted
			}
		}
	}
	return !q.unlist(taken), nil
}

// nextBatch takes up to n published values, all of one chunk.
func (q *spscQueue[T]) nextBatch(n int) []T {
	if q.readAt == len(q.readChunk.values) {
		q.readChunk, q.readAt = q.readChunk.next, 0
	}
	batch := q.readChunk.values[q.readAt:min(q.readAt+n, len(q.readChunk.values))]
	q.readAt += len(batch)
	return batch
}

// putBack makes the rest of a batch wait again, so that taken is exactly the number of
// values yielded when the consumer returns.
func (q *spscQueue[T]) putBack(rest []T, taken uint64) {
	q.readAt -= len(rest)
	q.taken.Store(taken - uint64(len(rest)))
}

// publishTaken tells the producer how many values have been taken by now.
func (q *spscQueue[T]) publishTaken(taken uint64) {
	q.taken.Store(taken)
	if q.producerWaits.Load() && q.producerWaits.CompareAndSwap(true, false) {
		q.room <- struct{}{} // does not block: the producer took the last token before it set producerWaits
	}
}

// unlist removes the empty queue from the list and reports whether it did. A value that was
// published meanwhile keeps it there.
func (q *spscQueue[T]) unlist(taken uint64) bool {
	if q.finished.Load() && q.published.Load() == taken {
		q.onDrained()
		return true // listed stays set, so that no goroutine adds the queue again
	}
	q.listed.Store(false)
	return q.published.Load() == taken && !q.finished.Load() || !q.listed.CompareAndSwap(false, true)
}

// finish tells the consumer that there will be no more values. Only the producer calls it,
// as its last call.
func (q *spscQueue[T]) finish() {
	q.finished.Store(true)
	if !q.listed.Load() {
		q.group.enlist(q)
	}
}
