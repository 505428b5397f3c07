package stream

import (
	"math"
	"runtime"
	"slices"
	"sync"
)

// broadcaster gives each value to all its subscribers at the same time: when every
// subscriber whose overflow is Block has room. One lock guards it and its subscribers, and
// no user code runs under that lock. The cost of a value does not depend on the number of
// subscribers: the value is appended to pending, and a subscriber pulls many pending values
// at once, when its consumer asks or when there are enough. A subscriber that may drop
// values pulls each value at once. The zero value is ready.
type broadcaster[T any] struct {
	mu          sync.Mutex
	subscribers []*subscriberBuffer[T]
	room        int // a lower bound: this many values fit into every subscriber that blocks or fails
	pending     []T // values that some subscriber has not pulled; there is room for them
	lagging     int // subscribers that have not pulled all of pending
	pullAt      int // when pending has this many values, all subscribers pull
	idle        int // subscribers with an idle consumer
	ended       bool
	err         error
	repanic     func()        // repeats a panic or Goexit in the consumers; nil if they end with err
	changed     chan struct{} // closed when the number of subscribers changes; nil if no goroutine waits
}

// add adds a subscriber, mu held. If the broadcaster has ended, so has the subscriber.
func (h *broadcaster[T]) add(b *subscriberBuffer[T]) {
	if h.ended {
		b.close(h.err, h.repanic)
		return
	}
	b.pulled = len(h.pending)
	h.subscribers = append(h.subscribers, b)
	h.room = 0 // so that awaitRoom calls updateRoom
	h.signalChange()
}

// remove forgets a subscriber whose consumer has left. It locks mu.
func (h *broadcaster[T]) remove(b *subscriberBuffer[T]) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.endOne(b, nil)
	b.detach()
}

// endOne ends one subscriber, after the values that it holds, and wakes the producers that
// wait for it, mu held.
func (h *broadcaster[T]) endOne(b *subscriberBuffer[T], err error) {
	b.close(err, nil)
	h.removeIf(func(other *subscriberBuffer[T]) bool { return other == b })
}

// removeIf removes the subscribers for which over returns true, mu held.
func (h *broadcaster[T]) removeIf(over func(*subscriberBuffer[T]) bool) {
	before := len(h.subscribers)
	h.subscribers = slices.DeleteFunc(h.subscribers, over)
	if len(h.subscribers) < before {
		h.signalChange()
	}
}

// countSubscribers returns the number of subscribers and a channel that is closed when it
// changes; nil if it cannot change any more, mu held.
func (h *broadcaster[T]) countSubscribers() (n int, changed <-chan struct{}) {
	if h.ended {
		return 0, nil
	}
	if h.changed == nil {
		h.changed = make(chan struct{})
	}
	return len(h.subscribers), h.changed
}

// signalChange signals that the number of subscribers has changed, mu held.
func (h *broadcaster[T]) signalChange() {
	if h.changed != nil {
		close(h.changed)
		h.changed = nil
	}
}

// awaitRoom blocks until there is room for a value, and reports whether values are still
// wanted. mu is held when it is called and when it returns.
func (h *broadcaster[T]) awaitRoom() bool {
	for tries := 0; h.room == 0 && !h.ended; {
		full := h.updateRoom()
		if full == nil {
			break
		}
		if tries < spinLimit {
			tries++
			h.mu.Unlock()
			runtime.Gosched()
			h.mu.Lock()
			continue
		}
		h.awaitRoomIn(full)
	}
	return !h.ended
}

// spinLimit is how often a goroutine that finds no room, or no value, calls Gosched before
// it blocks. Where there are more goroutines than processors, that is often enough. Without
// it a value for eight subscribers took four times as long (BenchmarkFanOut).
const spinLimit = 2

// updateRoom computes room, and returns a subscriber that is full if room is zero, mu held.
// It ends subscribers that fail when they are full.
func (h *broadcaster[T]) updateRoom() (full *subscriberBuffer[T]) {
	h.pullAll()
	h.removeIf(func(b *subscriberBuffer[T]) bool {
		failed := b.overflow == Fail && b.waiting.room() == 0
		if failed {
			b.close(ErrOverflow, nil)
		}
		return failed
	})
	h.room, h.pullAt = math.MaxInt, batchSize
	for _, b := range h.subscribers {
		if b.overflow == DropOldest || b.overflow == DropNewest {
			h.pullAt = 1
			continue
		}
		if room := b.waiting.room(); room < h.room {
			full, h.room = b, room
		}
	}
	if h.room > 0 {
		return nil
	}
	return full
}

// awaitRoomIn blocks until the full subscriber may have room, mu held before and after. It
// does not wait for a subscriber whose consumer is the calling goroutine, or whose run is
// over: no goroutine would empty that.
func (h *broadcaster[T]) awaitRoomIn(full *subscriberBuffer[T]) {
	if full.owner == goroutineID() {
		if !full.releaseYielded() {
			h.endOne(full, errSelf)
		}
		return
	}
	if full.roomSignal == nil {
		full.roomSignal = make(chan struct{})
	}
	signal := full.roomSignal
	h.mu.Unlock()
	select {
	case <-signal:
		h.mu.Lock()
	case <-full.ctx.Done():
		h.mu.Lock()
		h.endOne(full, nil)
	}
}

// publish gives a value to all subscribers, mu held. awaitRoom was called before.
func (h *broadcaster[T]) publish(v T) {
	if len(h.subscribers) == 0 {
		return
	}
	h.pending = append(h.pending, v)
	h.room--
	h.lagging = len(h.subscribers)
	if len(h.pending) >= h.pullAt {
		h.pullAll()
	}
	if h.idle > 0 {
		for _, b := range h.subscribers {
			b.wakeConsumer()
		}
	}
}

// pullAll makes all subscribers pull, mu held.
func (h *broadcaster[T]) pullAll() {
	for _, b := range h.subscribers {
		b.pull()
	}
}

// hasPulled notes that a subscriber has pulled all of pending, mu held. When all have,
// pending is emptied.
func (h *broadcaster[T]) hasPulled() {
	if h.lagging--; h.lagging > 0 {
		return
	}
	clear(h.pending)
	h.pending = h.pending[:0]
	for _, b := range h.subscribers {
		b.pulled = 0
	}
}

// end ends all subscribers, after the values that they hold, mu held; only the first end
// counts.
func (h *broadcaster[T]) end(err error, repanic func()) {
	if h.ended {
		return
	}
	h.ended, h.err, h.repanic = true, err, repanic
	h.removeIf(func(b *subscriberBuffer[T]) bool {
		b.close(err, repanic)
		return true
	})
	h.signalChange()
}
