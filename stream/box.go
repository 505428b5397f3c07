package stream

import (
	"context"
	"runtime"
)

// box is what waits for one consumer, in a ring. What is not said to be the consumer's
// is guarded by the hub's mu.
type box[T any] struct {
	hub      *hub[T]
	overflow Overflow
	ctx      context.Context // the consumer's
	owner    string          // the consumer's goroutine, if producers wait for it
	tell     func()          // what the consumer calls when it is subscribed; nil once it has
	drops    *drops          // counts what overflow drops
	watcher  UnicastWatcher  // nil if nobody asked
	keeps    bool            // what waits when the consumer leaves is for takeRest

	waiting queue[T]
	dropped int  // values that overflow dropped
	rest    int  // values that waited when the consumer left
	seen    int  // fresh values of the hub that it has taken over
	pending bool // what gives it values is not subscribed
	idle    bool // the consumer waits for wake
	over    bool // nothing more will come: take what is here, then err or crash
	err     error
	crash   func()
	vacated chan struct{} // closed when there is room; nil if nobody waits
	wake    chan struct{} // one token for an idle consumer

	// The consumer's own.
	one     [1]T // a batch that has its place here
	taken   int  // values of a batch that has its place in waiting
	yielded int  // of them, also the one that yield is at work on
	freed   int  // of them, whose place is given back
	held    bool // one was not yielded, because the consumer's context had ended
}

// newBox is called on the goroutine that will empty the box, in a run with this context.
func newBox[T any](ctx context.Context, h *hub[T], capacity int, overflow Overflow) *box[T] {
	b := &box[T]{
		hub: h, overflow: overflow, waiting: queue[T]{limit: max(1, capacity)},
		ctx: ctx, wake: make(chan struct{}, 1), tell: whenSubscribed(ctx),
	}
	switch overflow {
	case Block:
		b.owner = goroutineID()
	case DropOldest, DropNewest:
		b.drops = dropsOf(ctx)
	}
	return b
}

// takeOver adds what is fresh, and does what overflow says if it is full.
func (b *box[T]) takeOver() {
	if b.over || b.seen == len(b.hub.fresh) {
		return
	}
	fresh := b.hub.fresh[b.seen:] // a single one if values may be dropped
	if b.overflow == DropOldest && b.waiting.room() == 0 {
		b.waiting.remove(1)
		b.lose(1)
	}
	if room := b.waiting.room(); len(fresh) > room { // of DropNewest
		b.lose(len(fresh) - room)
		fresh = fresh[:room]
	}
	b.waiting.add(fresh...)
	b.seen = len(b.hub.fresh)
	b.hub.settled()
}

// lose counts values that overflow drops.
func (b *box[T]) lose(n int) {
	b.dropped += n
	b.drops.add(n)
}

// end says that nothing more will come; only the first call counts.
func (b *box[T]) end(err error, crash func()) {
	if b.over {
		return
	}
	b.takeOver()
	b.over, b.err, b.crash = true, err, crash
	b.free()
	b.rouse()
}

// free lets go who waits for room.
func (b *box[T]) free() {
	if b.vacated != nil {
		close(b.vacated)
		b.vacated = nil
	}
}

// rouse wakes an idle consumer.
func (b *box[T]) rouse() {
	if b.idle {
		b.idle = false
		b.hub.idle--
		b.wake <- struct{}{} // has room: idle is set anew only by who took the last token
	}
}

// leave notes that the consumer has left. The caller holds mu.
func (b *box[T]) leave() {
	if b.rest = b.waiting.count; b.held {
		b.rest++
	}
	if !b.keeps {
		b.waiting = queue[T]{}
		clear(b.one[:])
	}
}

// takeRest returns, once, the values that waited when the consumer left. The caller holds
// mu.
func (b *box[T]) takeRest() (rest []T) {
	if b.rest == 0 {
		return nil
	}
	if b.held {
		rest = append(rest, b.one[0])
	}
	older, newer := b.waiting.halves()
	rest = append(append(rest, older...), newer...)
	b.rest, b.waiting = 0, queue[T]{}
	clear(b.one[:])
	return rest
}

// observedBy gives the box a consumer that it was not made with.
func (b *box[T]) observedBy(ctx context.Context) {
	b.hub.mu.Lock()
	defer b.hub.mu.Unlock()
	b.ctx, b.tell = ctx, whenSubscribed(ctx)
}

// subscribed says that what gives it values is subscribed.
func (b *box[T]) subscribed() {
	b.hub.mu.Lock()
	defer b.hub.mu.Unlock()
	b.pending = false
	b.rouse()
}

// deliver yields the values of the first batch, and what comes, on the caller's
// goroutine, until the end, ctx's end, or yield has enough.
func (b *box[T]) deliver(ctx context.Context, batch []T, yield func(T) bool) error {
	cancellable := ctx.Done() != nil
	for {
		for i, v := range batch {
			if cancellable && ctx.Err() != nil {
				b.held = b.overflow != Block
				return context.Cause(ctx)
			}
			if i == len(batch)-1 { // before yield, which may be slow
				b.release()
			}
			b.yielded = i + 1
			if !yield(v) {
				return nil
			}
		}
		if batch = b.take(); batch == nil {
			break
		}
	}
	if cancellable && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if b.crash != nil {
		b.crash()
	}
	return b.err
}

// take waits for values. None means the end, of the box or of the consumer's context.
func (b *box[T]) take() []T {
	b.hub.mu.Lock()
	defer b.hub.mu.Unlock()
	for tries := 0; ; {
		if b.takeOver(); b.waiting.count > 0 {
			break
		}
		if b.over {
			return nil
		}
		if tell := b.tell; tell != nil && !b.pending {
			b.tell = nil
			b.hub.mu.Unlock()
			tell()
			b.hub.mu.Lock()
			continue
		}
		if tries < patience {
			tries++
			b.hub.mu.Unlock()
			runtime.Gosched()
			b.hub.mu.Lock()
			continue
		}
		if !b.await() {
			return nil
		}
	}
	if b.overflow != Block { // exactly the values that wait may be dropped
		b.one[0] = b.waiting.front(1)[0]
		b.waiting.remove(1)
		return b.one[:]
	}
	batch := b.waiting.front(min(batchSize, b.waiting.limit-b.waiting.limit/2))
	b.taken = len(batch)
	return batch
}

// batchSize is how many values the consumer takes at most before it gives back their
// room.
const batchSize = 64

// await waits for a value or the end, mu held before and after, and reports whether
// the consumer's context has not ended before.
func (b *box[T]) await() bool {
	b.idle = true
	b.hub.idle++
	b.hub.mu.Unlock()
	defer b.hub.mu.Lock()
	if b.watcher != nil {
		b.watcher.ReaderWaits(b.ctx)
	}
	select {
	case <-b.wake:
		return true
	case <-b.ctx.Done():
		return false
	}
}

// release gives back the room of the batch, whose last value is about to be yielded.
func (b *box[T]) release() {
	clear(b.one[:])
	if b.taken == 0 {
		return
	}
	b.hub.mu.Lock()
	defer b.hub.mu.Unlock()
	b.yielded = b.taken
	b.giveBack()
	b.taken, b.freed = 0, 0
}

// giveBack gives back, mu held, the room of what has been yielded of a batch, and
// reports whether there was any. Only the consumer's goroutine calls it.
func (b *box[T]) giveBack() bool {
	n := min(b.yielded, b.taken) - b.freed
	if n == 0 {
		return false
	}
	b.waiting.remove(n)
	b.freed += n
	b.free()
	return true
}
