package rx

import (
	"context"
	"sync/atomic"
)

// batcher carries values from a source to a sender, which takes all available values at
// once. The source writes them into chunks, one after the other, and publishes their number,
// which costs one atomic store a value. The sender takes the published values as a slice of
// the chunk itself. No value is written twice, so the receiver of a slice owns it.
type batcher[T any] struct {
	size uint64

	// Used by the source only.
	fill   *chunk[T]
	at     int    // place of the next value in fill
	pushed uint64 // values pushed
	bound  uint64 // the source reads taken again when pushed reaches it

	_ cacheLine

	// Shared.
	taken   atomic.Uint64 // values the sender has taken
	idle    atomic.Bool   // the sender waits for wake
	waiting atomic.Bool   // the source waits for room
	ended   atomic.Bool   // no values will follow
	closed  atomic.Bool   // the sender takes no more values
	wake    chan struct{} // one token for an idle sender
	room    chan struct{} // one token for a waiting source

	_ cacheLine

	// Used by the sender only.
	drain *chunk[T]
	from  int
}

// cacheLine separates fields of different goroutines in memory.
type cacheLine [64]byte

// chunk is written once, from its first place to its last.
type chunk[T any] struct {
	values    []T
	published atomic.Int64
	next      atomic.Pointer[chunk[T]]
}

// firstChunk is the size of the first chunk. Each further chunk has twice the size of the one
// before, up to the size of the batcher and to maxRoom, because a chunk costs its whole size
// even if few values wait.
const firstChunk = 4

func newBatcher[T any](size int) *batcher[T] {
	size = max(1, size)
	first := &chunk[T]{values: make([]T, min(firstChunk, size))}
	return &batcher[T]{
		size: uint64(size), bound: uint64(size), fill: first, drain: first,
		wake: make(chan struct{}, 1), room: make(chan struct{}, 1),
	}
}

// push adds a value. It blocks until there is room, and reports whether more values are
// wanted. Only the source calls it.
func (b *batcher[T]) push(v T) bool {
	if b.closed.Load() || b.pushed == b.bound && !b.awaitRoom() {
		return false
	}
	if b.at == len(b.fill.values) {
		b.extend()
	}
	b.fill.values[b.at] = v
	b.at++
	b.pushed++
	b.fill.published.Store(int64(b.at))
	if b.idle.Load() {
		b.wakeSender()
	}
	return true
}

func (b *batcher[T]) extend() {
	next := &chunk[T]{values: make([]T, min(int(b.size), maxRoom, 2*len(b.fill.values)))}
	b.fill.next.Store(next)
	b.fill, b.at = next, 0
}

// awaitRoom blocks until the sender has taken values. It reports whether more values are
// wanted then.
func (b *batcher[T]) awaitRoom() bool {
	for !b.closed.Load() {
		b.bound = b.taken.Load() + b.size
		if b.pushed < b.bound {
			return true
		}
		b.waiting.Store(true)
		if (b.taken.Load()+b.size > b.pushed || b.closed.Load()) && b.waiting.CompareAndSwap(true, false) {
			continue // the sender took values meanwhile, and sent no token
		}
		<-b.room
	}
	return false
}

// end makes the sender send the remaining values and return. Only the source calls it.
func (b *batcher[T]) end() {
	b.ended.Store(true)
	b.wakeSender()
}

// wakeSender wakes an idle sender.
func (b *batcher[T]) wakeSender() {
	if b.idle.CompareAndSwap(true, false) {
		b.wake <- struct{}{} // does not block: the sender sets idle only after it took the last token
	}
}

// sendAll sends slices until the source has ended or send returns false.
func (b *batcher[T]) sendAll(ctx context.Context, send func(any) bool) {
	for {
		batch := b.take(ctx)
		if len(batch) == 0 || !send(batch) {
			b.closed.Store(true)
			b.release()
			return
		}
	}
}

// take blocks until there are values. It returns none when the source or ctx has ended.
func (b *batcher[T]) take(ctx context.Context) []T {
	for {
		ended := b.ended.Load() // before published, so that all values before the end are seen
		if batch := b.published(); len(batch) > 0 {
			b.taken.Add(uint64(len(batch)))
			b.release()
			return batch
		}
		if ended {
			return nil
		}
		b.idle.Store(true)
		if (b.more() || b.ended.Load()) && b.idle.CompareAndSwap(true, false) {
			continue // values were published meanwhile, without a token
		}
		select {
		case <-b.wake:
		case <-ctx.Done():
			return nil
		}
	}
}

// published returns the values of the current chunk that are published and not taken.
func (b *batcher[T]) published() []T {
	if next := b.drain.next.Load(); next != nil && b.from == len(b.drain.values) {
		b.drain, b.from = next, 0
	}
	end := int(b.drain.published.Load())
	batch := b.drain.values[b.from:end:end]
	b.from = end
	return batch
}

// more reports whether there may be published values that are not taken.
func (b *batcher[T]) more() bool {
	return int(b.drain.published.Load()) > b.from || b.drain.next.Load() != nil
}

// release wakes a waiting source.
func (b *batcher[T]) release() {
	if b.waiting.CompareAndSwap(true, false) {
		b.room <- struct{}{} // does not block: the source sets waiting only after it took the last token
	}
}
