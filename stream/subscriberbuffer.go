package stream

import (
	"context"
	"runtime"
)

// subscriberBuffer holds the values that wait for one consumer of a broadcaster. The
// broadcaster's mu guards its fields, except those that the consumer alone uses.
type subscriberBuffer[T any] struct {
	broadcaster  *broadcaster[T]
	overflow     Overflow
	ctx          context.Context // the consumer's
	owner        string          // the consumer's goroutine; "" unless overflow is Block
	onSubscribed func()          // called by the consumer, once; nil afterwards
	drops        *drops          // counts what overflow drops
	watcher      UnicastWatcher  // of a Unicast; may be nil
	keepRest     bool            // values that wait when the consumer leaves are kept for takeRest

	waiting      queue[T]
	dropped      int  // values that overflow dropped
	rest         int  // values that waited when the consumer left
	pulled       int  // how many of the broadcaster's pending values it has pulled
	awaitsSource bool // the source that fills it is not subscribed yet
	idle         bool // the consumer waits for wake
	closed       bool // nothing more will come: what waits is delivered, then err or repanic
	err          error
	repanic      func()
	roomSignal   chan struct{} // closed when there is room; nil if no producer waits
	wake         chan struct{} // one token for an idle consumer

	// Used by the consumer alone.
	single      [1]T // a batch of one value, where values may be dropped
	taken       int  // size of a batch that is still in waiting
	yielded     int  // how many of taken yield was called with
	released    int  // how many of taken were removed from waiting
	undelivered bool // single was not yielded, because the consumer's context had ended
}

// newSubscriberBuffer is called on the consumer's goroutine, in a run with this context.
func newSubscriberBuffer[T any](ctx context.Context, h *broadcaster[T], capacity int, overflow Overflow) *subscriberBuffer[T] {
	b := &subscriberBuffer[T]{
		broadcaster: h, overflow: overflow, waiting: queue[T]{limit: max(1, capacity)},
		ctx: ctx, wake: make(chan struct{}, 1), onSubscribed: subscribedFunc(ctx),
	}
	switch overflow {
	case Block:
		b.owner = goroutineID()
	case DropOldest, DropNewest:
		b.drops = dropsOf(ctx)
	}
	return b
}

// pull adds the broadcaster's pending values, and applies overflow if there is no room.
func (b *subscriberBuffer[T]) pull() {
	if b.closed || b.pulled == len(b.broadcaster.pending) {
		return
	}
	fresh := b.broadcaster.pending[b.pulled:] // one value at most where values may be dropped
	if b.overflow == DropOldest && b.waiting.room() == 0 {
		b.waiting.remove(1)
		b.countDropped(1)
	}
	if room := b.waiting.room(); len(fresh) > room { // overflow is DropNewest
		b.countDropped(len(fresh) - room)
		fresh = fresh[:room]
	}
	b.waiting.add(fresh...)
	b.pulled = len(b.broadcaster.pending)
	b.broadcaster.hasPulled()
}

// countDropped counts values that overflow drops.
func (b *subscriberBuffer[T]) countDropped(n int) {
	b.dropped += n
	b.drops.add(n)
}

// close notes that nothing more will come; only the first call counts.
func (b *subscriberBuffer[T]) close(err error, repanic func()) {
	if b.closed {
		return
	}
	b.pull()
	b.closed, b.err, b.repanic = true, err, repanic
	b.signalRoom()
	b.wakeConsumer()
}

// signalRoom wakes the producers that wait for room.
func (b *subscriberBuffer[T]) signalRoom() {
	if b.roomSignal != nil {
		close(b.roomSignal)
		b.roomSignal = nil
	}
}

// wakeConsumer wakes an idle consumer.
func (b *subscriberBuffer[T]) wakeConsumer() {
	if b.idle {
		b.idle = false
		b.broadcaster.idle--
		b.wake <- struct{}{} // does not block: the consumer took the last token before it set idle
	}
}

// detach notes that the consumer has left. The caller holds mu.
func (b *subscriberBuffer[T]) detach() {
	if b.rest = b.waiting.count; b.undelivered {
		b.rest++
	}
	if !b.keepRest {
		b.waiting = queue[T]{}
		clear(b.single[:])
	}
}

// takeRest returns, once, the values that waited when the consumer left. The caller holds
// mu.
func (b *subscriberBuffer[T]) takeRest() (rest []T) {
	if b.rest == 0 {
		return nil
	}
	if b.undelivered {
		rest = append(rest, b.single[0])
	}
	older, newer := b.waiting.segments()
	rest = append(append(rest, older...), newer...)
	b.rest, b.waiting = 0, queue[T]{}
	clear(b.single[:])
	return rest
}

// attach sets the consumer, if the buffer was made before there was one.
func (b *subscriberBuffer[T]) attach(ctx context.Context) {
	b.broadcaster.mu.Lock()
	defer b.broadcaster.mu.Unlock()
	b.ctx, b.onSubscribed = ctx, subscribedFunc(ctx)
}

// subscribed notes that the source that fills the buffer is subscribed.
func (b *subscriberBuffer[T]) subscribed() {
	b.broadcaster.mu.Lock()
	defer b.broadcaster.mu.Unlock()
	b.awaitsSource = false
	b.wakeConsumer()
}

// deliver yields the values of the first batch, and then those that come, on the caller's
// goroutine. It returns at the end, when ctx ends, or when yield returns false.
func (b *subscriberBuffer[T]) deliver(ctx context.Context, batch []T, yield func(T) bool) error {
	cancellable := ctx.Done() != nil
	for {
		for i, v := range batch {
			if cancellable && ctx.Err() != nil {
				b.undelivered = b.overflow != Block
				return context.Cause(ctx)
			}
			if i == len(batch)-1 { // before yield, which may be slow
				b.releaseBatch()
			}
			b.yielded = i + 1
			if !yield(v) {
				return nil
			}
		}
		if batch = b.awaitBatch(); batch == nil {
			break
		}
	}
	if cancellable && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if b.repanic != nil {
		b.repanic()
	}
	return b.err
}

// awaitBatch blocks until there are values. It returns none at the end of the buffer or of
// the consumer's context.
func (b *subscriberBuffer[T]) awaitBatch() []T {
	b.broadcaster.mu.Lock()
	defer b.broadcaster.mu.Unlock()
	for tries := 0; ; {
		if b.pull(); b.waiting.count > 0 {
			break
		}
		if b.closed {
			return nil
		}
		if tell := b.onSubscribed; tell != nil && !b.awaitsSource {
			b.onSubscribed = nil
			b.broadcaster.mu.Unlock()
			tell()
			b.broadcaster.mu.Lock()
			continue
		}
		if tries < spinLimit {
			tries++
			b.broadcaster.mu.Unlock()
			runtime.Gosched()
			b.broadcaster.mu.Lock()
			continue
		}
		if !b.blockUntilWoken() {
			return nil
		}
	}
	if b.overflow != Block { // a value that was taken cannot be dropped, so take one only
		b.single[0] = b.waiting.front(1)[0]
		b.waiting.remove(1)
		return b.single[:]
	}
	batch := b.waiting.front(min(batchSize, b.waiting.limit-b.waiting.limit/2))
	b.taken = len(batch)
	return batch
}

// batchSize is how many values the consumer takes at most before it frees their room.
const batchSize = 64

// blockUntilWoken blocks until there is a value or the end, mu held before and after. It
// returns false if the consumer's context ended.
func (b *subscriberBuffer[T]) blockUntilWoken() bool {
	b.idle = true
	b.broadcaster.idle++
	b.broadcaster.mu.Unlock()
	defer b.broadcaster.mu.Lock()
	if b.watcher != nil {
		b.watcher.ConsumerWaits(b.ctx)
	}
	select {
	case <-b.wake:
		return true
	case <-b.ctx.Done():
		return false
	}
}

// releaseBatch frees the room of the batch, whose last value is about to be yielded.
func (b *subscriberBuffer[T]) releaseBatch() {
	clear(b.single[:])
	if b.taken == 0 {
		return
	}
	b.broadcaster.mu.Lock()
	defer b.broadcaster.mu.Unlock()
	b.yielded = b.taken
	b.releaseYielded()
	b.taken, b.released = 0, 0
}

// releaseYielded frees, mu held, the room of the yielded values of the batch, and reports
// whether there were any. Only the consumer's goroutine calls it.
func (b *subscriberBuffer[T]) releaseYielded() bool {
	n := min(b.yielded, b.taken) - b.released
	if n == 0 {
		return false
	}
	b.waiting.remove(n)
	b.released += n
	b.signalRoom()
	return true
}
