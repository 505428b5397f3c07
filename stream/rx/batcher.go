package rx

import (
	"context"
	"sync/atomic"
)

// batcher carries values from a source to a sender, which takes all there are at
// once. The source writes them into chunks, one after the other, and publishes how
// many there are, which costs a value one atomic store; the sender takes what was
// published as a slice of the chunk itself. Nothing is written twice, so a slice
// that was taken belongs to who took it.
type batcher[T any] struct {
	size uint64

	// The source's own.
	fill   *chunk[T]
	at     int    // place of the next value in fill
	pushed uint64 // values pushed
	bound  uint64 // pushed may grow up to here before taken must be read again

	_ cacheLine

	// Shared.
	taken   atomic.Uint64 // values the sender has taken
	idle    atomic.Bool   // the sender waits for wake
	waiting atomic.Bool   // the source waits for room
	ended   atomic.Bool   // no values will follow
	closed  atomic.Bool   // nobody takes values any more
	wake    chan struct{} // one token for an idle sender
	room    chan struct{} // one token for a waiting source

	_ cacheLine

	// The sender's own.
	drain *chunk[T]
	from  int
}

// cacheLine keeps what different goroutines write apart in memory.
type cacheLine [64]byte

// A chunk is written once, from its first place to its last.
type chunk[T any] struct {
	values    []T
	published atomic.Int64
	next      atomic.Pointer[chunk[T]]
}

// firstChunk is the size of the first chunk; each has twice that of the one before,
// up to the size of the batcher and to maxRoom: a chunk costs its whole size, however
// few values wait.
const firstChunk = 4

func newBatcher[T any](size int) *batcher[T] {
	size = max(1, size)
	first := &chunk[T]{values: make([]T, min(firstChunk, size))}
	return &batcher[T]{
		size: uint64(size), bound: uint64(size), fill: first, drain: first,
		wake: make(chan struct{}, 1), room: make(chan struct{}, 1),
	}
}

// push adds a value, waiting for room, and reports whether more are wanted. Only
// the source calls it.
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

// awaitRoom waits until the sender has taken something and reports whether more
// values are wanted then.
func (b *batcher[T]) awaitRoom() bool {
	for !b.closed.Load() {
		b.bound = b.taken.Load() + b.size
		if b.pushed < b.bound {
			return true
		}
		b.waiting.Store(true)
		if (b.taken.Load()+b.size > b.pushed || b.closed.Load()) && b.waiting.CompareAndSwap(true, false) {
			continue // that came in between, and no token with it
		}
		<-b.room
	}
	return false
}

// end lets the sender send what is left and leave. Only the source calls it.
func (b *batcher[T]) end() {
	b.ended.Store(true)
	b.wakeSender()
}

// wakeSender wakes an idle sender.
func (b *batcher[T]) wakeSender() {
	if b.idle.CompareAndSwap(true, false) {
		b.wake <- struct{}{} // has room: idle is set anew only by who took the last token
	}
}

// sendAll sends slices until the source has ended or nobody wants more.
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

// take waits for values. There are none at the end, the source's or that of ctx.
func (b *batcher[T]) take(ctx context.Context) []T {
	for {
		ended := b.ended.Load() // before looking: what was pushed before the end is seen
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
			continue // that came in between, and no token with it
		}
		select {
		case <-b.wake:
		case <-ctx.Done():
			return nil
		}
	}
}

// published is what is published and not taken, as it stands in its chunk.
func (b *batcher[T]) published() []T {
	if next := b.drain.next.Load(); next != nil && b.from == len(b.drain.values) {
		b.drain, b.from = next, 0
	}
	end := int(b.drain.published.Load())
	batch := b.drain.values[b.from:end:end]
	b.from = end
	return batch
}

// more reports whether anything may be published that is not taken.
func (b *batcher[T]) more() bool {
	return int(b.drain.published.Load()) > b.from || b.drain.next.Load() != nil
}

// release wakes a waiting source.
func (b *batcher[T]) release() {
	if b.waiting.CompareAndSwap(true, false) {
		b.room <- struct{}{} // has room: waiting is set anew only by who took the last token
	}
}
