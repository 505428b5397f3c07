package stream

import (
	"math"
	"runtime"
	"slices"
	"sync"
)

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
	b.leave()
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
// it waits to be woken: much comes to pass in that time where goroutines are more than
// processors. A value for eight took four times as long without (BenchmarkFanOut).
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
	case <-full.ctx.Done():
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
