package stream

import (
	"context"
	"errors"
	"sync/atomic"
)

// lane is the way of one producer's values to the consumer of a Group: a queue
// with one writer and one reader, which costs a value one atomic store. It is a
// ring of chunks that grows as it is used, so that one which carries a single
// value stays small however much may wait, and is bounded by counting:
// pushed − taken ≤ capacity.
//
// A lane with values, or with an end to tell, stands in the group's list exactly while listed is set. The
// producer that finds it unset after publishing a value puts it there; the
// consumer unsets it only once it found the lane empty, and looks again then.
type lane[T any] struct {
	group *Group[T]

	// What the producer writes. Of the rest, a push reads listed only.
	values    []T           // of the chunk that is filled: fill's
	at        int           // place of the next value there
	pushed    uint64        // values pushed
	published atomic.Uint64 // the same, for the consumer
	bound     uint64        // pushed may grow up to here before taken must be read again
	fill      *chunk[T]
	then      func()        // what the consumer calls when it took the last value; may be nil
	room      chan struct{} // one token for a waiting producer; made at its first wait

	_ cacheLine

	// What the consumer writes.
	taken    atomic.Uint64 // values the consumer has taken, for the producer
	listed   atomic.Bool
	finished atomic.Bool // nothing more will be published, and there is a then
	waiting  atomic.Bool // the producer waits for room
	from     int
	drain    *chunk[T]
}

// cacheLine keeps what different goroutines write apart in memory: they would
// slow each other down otherwise.
type cacheLine [64]byte

type chunk[T any] struct {
	values []T
	last   uint64 // the number of the last value in it, counted from one: the producer's
	next   *chunk[T]
}

// A chunk holds at most chunkSize values; the first ones of a lane less.
const (
	firstChunk = 4
	chunkSize  = 64
)

// freeEvery is how many values the consumer takes at most before it tells the
// producer of the room.
const freeEvery = 16

// init makes l a lane of g.
func (l *lane[T]) init(g *Group[T]) {
	first := newChunk[T](min(firstChunk, g.capacity))
	first.next = first
	l.group, l.bound = g, uint64(g.capacity)
	l.fill, l.values, l.drain = first, first.values, first
}

func newChunk[T any](size int) *chunk[T] { return &chunk[T]{values: make([]T, size)} }

// push adds a value, waiting for room, and reports whether the group still wants
// more. Only the producer calls it.
func (l *lane[T]) push(v T) bool {
	if l.group.over.Load() || l.pushed == l.bound && !l.awaitRoom() {
		return false
	}
	if l.at == len(l.values) {
		l.extend()
	}
	l.values[l.at] = v
	l.at++
	l.pushed++
	l.published.Store(l.pushed)
	if !l.listed.Load() {
		l.group.list(l)
	}
	return true
}

// extend moves the producer on from a full chunk to the next one of the ring, which holds
// the oldest values. If the consumer is not past them, a new chunk goes in between.
func (l *lane[T]) extend() {
	l.fill.last = l.pushed
	next := l.fill.next
	if l.taken.Load() <= next.last {
		next = newChunk[T](min(chunkSize, 4*len(l.values), l.group.capacity))
		next.next = l.fill.next
		l.fill.next = next
	}
	l.fill, l.values, l.at = next, next.values, 0
}

// awaitRoom waits until the consumer has taken something and reports whether the
// group still wants values then.
func (l *lane[T]) awaitRoom() bool {
	for {
		l.bound = l.taken.Load() + uint64(l.group.capacity)
		if l.pushed < l.bound {
			return true
		}
		if l.room == nil {
			l.room = make(chan struct{}, 1)
		}
		l.waiting.Store(true)
		if l.taken.Load()+uint64(l.group.capacity) > l.pushed && l.waiting.CompareAndSwap(true, false) {
			continue // room came in between, and no token with it
		}
		if !l.sleep() {
			return false
		}
	}
}

// sleep waits for room and reports true, or false when the group has ended.
func (l *lane[T]) sleep() bool {
	if watcher := l.group.watcher; watcher != nil {
		watcher.GiverWaits(true)
		defer watcher.GiverWaits(false)
	}
	select {
	case <-l.room:
		return true
	case <-l.group.ctx.Done():
		return false
	}
}

// Why a delivery ended before the lane was empty.
var (
	errUnwanted  = errors.New("stream: yield has enough")
	errCancelled = errors.New("stream: the run's context is done")
)

// deliver yields the values published by now and reports whether there are more
// since. Only the consumer calls it, and only for a listed lane.
func (l *lane[T]) deliver(ctx context.Context, yield func(T) bool) (more bool, err error) {
	cancellable := ctx.Done() != nil
	taken := l.taken.Load()
	for end := l.published.Load(); taken < end; {
		batch := l.next(int(min(end-taken, freeEvery)))
		taken += uint64(len(batch))
		for i, v := range batch {
			if cancellable && ctx.Err() != nil {
				l.giveBack(batch[i:], taken)
				return false, errCancelled
			}
			if i == len(batch)-1 { // before yield, which may be slow
				clear(batch) // the chunk outlives its values
				l.free(taken)
			}
			if !yield(v) {
				l.giveBack(batch[i+1:], taken)
				return false, errUnwanted
			}
		}
	}
	return !l.unlist(taken), nil
}

// next takes up to n values that are published, as they stand in their chunk.
func (l *lane[T]) next(n int) []T {
	if l.from == len(l.drain.values) {
		l.drain, l.from = l.drain.next, 0
	}
	batch := l.drain.values[l.from:min(l.from+n, len(l.drain.values))]
	l.from += len(batch)
	return batch
}

// giveBack makes the rest of a batch wait again, so that taken is exactly what has been
// yielded when the consumer leaves.
func (l *lane[T]) giveBack(rest []T, taken uint64) {
	l.from -= len(rest)
	l.taken.Store(taken - uint64(len(rest)))
}

// free tells the producer how many values have been taken by now.
func (l *lane[T]) free(taken uint64) {
	l.taken.Store(taken)
	if l.waiting.Load() && l.waiting.CompareAndSwap(true, false) {
		l.room <- struct{}{} // has room: waiting is set anew only by who took the last token
	}
}

// unlist takes the empty lane off the list and reports whether it really went: a
// value that was published meanwhile keeps it there.
func (l *lane[T]) unlist(taken uint64) bool {
	if l.finished.Load() && l.published.Load() == taken {
		l.then()
		return true // stays marked as listed: nobody will list it again
	}
	l.listed.Store(false)
	return l.published.Load() == taken && !l.finished.Load() || !l.listed.CompareAndSwap(false, true)
}

// finish tells the consumer that there will be no more values. Only the producer
// calls it, as its last.
func (l *lane[T]) finish() {
	l.finished.Store(true)
	if !l.listed.Load() {
		l.group.list(l)
	}
}
