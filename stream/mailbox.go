package stream

import (
	"context"
	"math"
	"runtime"
	"slices"
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

// hub gives each value to all boxes at once: when the last that makes its producer
// wait has room. One lock guards it and them, and no user code runs under it. A value
// costs it once, however many boxes there are: it is laid down as fresh, and a box
// takes over many of these in one go, when its consumer asks or there are enough. Where
// a box may drop values, it does so at once. The zero value is ready.
type hub[T any] struct {
	mu      sync.Mutex
	boxes   []*box[T]
	slack   int // so many values surely find room wherever it matters
	fresh   []T // values that some box has not taken over; they have room there
	behind  int // boxes that have not taken over all of them
	lazy    int // so many fresh values are enough
	idle    int // boxes with an idle consumer
	ended   bool
	err     error
	crash   func()        // how its consumers end, if not with err
	changed chan struct{} // closed when the number of boxes changes; nil if nobody waits
}

// join adds a box, mu held; it is at its end if the hub is.
func (h *hub[T]) join(b *box[T]) {
	if h.ended {
		b.end(h.err, h.crash)
		return
	}
	b.seen = len(h.fresh)
	h.boxes = append(h.boxes, b)
	h.slack = 0 // measure
	h.change()
}

// leave forgets a box whose consumer has left. It locks mu.
func (h *hub[T]) leave(b *box[T]) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cut(b, nil)
	b.waiting = queue[T]{}
}

// cut ends a box alone, after what it holds, and frees who waits for it, mu held.
func (h *hub[T]) cut(b *box[T], err error) {
	b.end(err, nil)
	h.drop(func(other *box[T]) bool { return other == b })
}

// drop takes boxes that are over off the list, mu held.
func (h *hub[T]) drop(over func(*box[T]) bool) {
	before := len(h.boxes)
	h.boxes = slices.DeleteFunc(h.boxes, over)
	if len(h.boxes) < before {
		h.change()
	}
}

// audience is how many boxes there are, and what is closed when that changes: nil if it
// cannot any more, mu held.
func (h *hub[T]) audience() (n int, changed <-chan struct{}) {
	if h.ended {
		return 0, nil
	}
	if h.changed == nil {
		h.changed = make(chan struct{})
	}
	return len(h.boxes), h.changed
}

// change tells who waits for it that the number of boxes has changed, mu held.
func (h *hub[T]) change() {
	if h.changed != nil {
		close(h.changed)
		h.changed = nil
	}
}

// ready waits, mu held in between, until a value finds room, and reports whether one
// is still wanted.
func (h *hub[T]) ready() bool {
	for tries := 0; h.slack == 0 && !h.ended; {
		full := h.measure()
		if full == nil {
			break
		}
		if tries < patience {
			tries++
			h.mu.Unlock()
			runtime.Gosched()
			h.mu.Lock()
			continue
		}
		h.await(full)
	}
	return !h.ended
}

// patience is how often who finds no room, or nothing to take, lets others run before
// it waits to be woken. It is worth much where goroutines are more than processors.
const patience = 2

// measure finds out how many values have room in all boxes, and which box has none if
// that is none, mu held. Boxes that fail when they are full do so.
func (h *hub[T]) measure() (full *box[T]) {
	h.distribute()
	h.drop(func(b *box[T]) bool {
		failed := b.overflow == Fail && b.waiting.room() == 0
		if failed {
			b.end(ErrOverflow, nil)
		}
		return failed
	})
	h.slack, h.lazy = math.MaxInt, batchSize
	for _, b := range h.boxes {
		if b.overflow == DropOldest || b.overflow == DropNewest {
			h.lazy = 1
			continue
		}
		if room := b.waiting.room(); room < h.slack {
			full, h.slack = b, room
		}
	}
	if h.slack > 0 {
		return nil
	}
	return full
}

// await waits until the full box may have got room, mu held before and after. It does
// not wait for a box that nobody will empty: the goroutine that does is the caller's,
// or its run is over.
func (h *hub[T]) await(full *box[T]) {
	if full.owner == goroutineID() {
		if !full.giveBack() {
			h.cut(full, errSelf)
		}
		return
	}
	if full.vacated == nil {
		full.vacated = make(chan struct{})
	}
	vacated := full.vacated
	h.mu.Unlock()
	select {
	case <-vacated:
		h.mu.Lock()
	case <-full.done:
		h.mu.Lock()
		h.cut(full, nil)
	}
}

// put gives a value to all boxes, mu held, after ready.
func (h *hub[T]) put(v T) {
	if len(h.boxes) == 0 {
		return
	}
	h.fresh = append(h.fresh, v)
	h.slack--
	h.behind = len(h.boxes)
	if len(h.fresh) >= h.lazy {
		h.distribute()
	}
	if h.idle > 0 {
		for _, b := range h.boxes {
			b.rouse()
		}
	}
}

// distribute makes all boxes take over what is fresh, mu held.
func (h *hub[T]) distribute() {
	for _, b := range h.boxes {
		b.takeOver()
	}
}

// settled forgets what is fresh when all have taken it over, mu held.
func (h *hub[T]) settled() {
	if h.behind--; h.behind > 0 {
		return
	}
	clear(h.fresh)
	h.fresh = h.fresh[:0]
	for _, b := range h.boxes {
		b.seen = 0
	}
}

// end ends all boxes, after what they hold, mu held; only the first end counts.
func (h *hub[T]) end(err error, crash func()) {
	if h.ended {
		return
	}
	h.ended, h.err, h.crash = true, err, crash
	h.drop(func(b *box[T]) bool {
		b.end(err, crash)
		return true
	})
	h.change()
}

// box is what waits for one consumer, in a ring. What is not said to be the consumer's
// is guarded by the hub's mu.
type box[T any] struct {
	hub      *hub[T]
	overflow Overflow
	done     <-chan struct{} // of the consumer's context
	owner    string          // the consumer's goroutine, if producers wait for it

	waiting queue[T]
	seen    int  // fresh values of the hub that it has taken over
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
}

// newBox is called on the goroutine that will empty the box, in a run with this context.
func newBox[T any](ctx context.Context, h *hub[T], capacity int, overflow Overflow) *box[T] {
	b := &box[T]{
		hub: h, overflow: overflow, waiting: queue[T]{limit: max(1, capacity)},
		done: ctx.Done(), wake: make(chan struct{}, 1),
	}
	if overflow == Block {
		b.owner = goroutineID()
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
	}
	b.waiting.add(fresh[:min(len(fresh), b.waiting.room())]...)
	b.seen = len(b.hub.fresh)
	b.hub.settled()
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

// deliver yields the values of the first batch, and what comes, on the caller's
// goroutine, until the end, ctx's end, or yield has enough.
func (b *box[T]) deliver(ctx context.Context, batch []T, yield func(T) bool) error {
	cancellable := ctx.Done() != nil
	for {
		for i, v := range batch {
			if cancellable && ctx.Err() != nil {
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
	batch := b.waiting.front(min(batchSize, (b.waiting.limit+1)/2))
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
	select {
	case <-b.wake:
		return true
	case <-b.done:
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
