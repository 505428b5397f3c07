package stream

import (
	"context"
	"errors"
	"sync"
)

// Overflow says what a full buffer does with one more value.
type Overflow uint8

// What a full buffer may do.
const (
	Block      Overflow = iota // the producer waits for room: nothing is lost
	DropOldest                 // the oldest value not yet on its way makes room
	DropNewest                 // the value that just came is dropped
	Fail                       // the run fails with ErrOverflow, after what it holds
)

// errLeft is how take says that the consumer's context ended.
var errLeft = errors.New("stream: left")

// mailbox carries values from any number of producers to one consumer. The
// producers fill one half of the buffer while the consumer empties the other;
// the consumer takes a half as a whole, so that it locks once a batch and a
// value costs a producer one uncontended lock. No user code runs under the lock.
type mailbox[T any] struct {
	half     int // values a half may hold
	overflow Overflow

	mu      sync.Mutex
	room    sync.Cond // producers wait here for room; on mu
	waiting int       // how many do
	fill    []T       // the half the producers fill
	spare   []T       // the half the consumer last emptied
	idle    bool      // the consumer waits for wake
	ended   bool      // nothing more will come: take what is here, then err
	err     error
	closed  bool // the consumer has left: producers are turned away

	wake chan struct{} // one token for an idle consumer
}

// init makes room for capacity values that wait. Beside a half that fills there
// are the values of the other half that still wait while its first is delivered:
// 2·half−1 ≤ capacity.
func (h *mailbox[T]) init(capacity int, overflow Overflow) {
	h.half = max(1, (capacity+1)/2)
	h.overflow = overflow
	h.room.L = &h.mu
	h.wake = make(chan struct{}, 1)
}

// push adds a value and reports whether the consumer still wants more.
func (h *mailbox[T]) push(v T) bool {
	h.mu.Lock()
	if len(h.fill) >= h.half && !h.makeRoom() {
		more := !h.closed && !h.ended
		h.mu.Unlock()
		return more
	}
	if h.closed || h.ended {
		h.mu.Unlock()
		return false
	}
	h.fill = append(h.fill, v)
	h.unlockAndWake()
	return true
}

// makeRoom does what overflow says about a full half, mu held, and reports
// whether there is room now.
func (h *mailbox[T]) makeRoom() bool {
	switch h.overflow {
	case DropOldest:
		var zero T
		h.fill[0] = zero
		h.fill = h.fill[1:] // append moves the rest once a half: constant a value
	case DropNewest:
		return false
	case Fail:
		h.endLocked(ErrOverflow)
		return false
	default:
		h.waiting++
		for len(h.fill) >= h.half && !h.closed && !h.ended {
			h.room.Wait()
		}
		h.waiting--
	}
	return true
}

// end says that nothing more will come and why; only the first call counts.
// Values already here are still delivered.
func (h *mailbox[T]) end(err error) {
	h.mu.Lock()
	h.endLocked(err)
	h.unlockAndWake()
}

func (h *mailbox[T]) endLocked(err error) {
	if h.ended {
		return
	}
	h.ended, h.err = true, err
	h.room.Broadcast()
}

func (h *mailbox[T]) unlockAndWake() {
	wake := h.idle
	h.idle = false
	h.mu.Unlock()
	if wake {
		h.wake <- struct{}{} // has room: idle is set anew only by who took the last token
	}
}

// deliver yields what comes, on the caller's goroutine, until the end, ctx's
// end, or yield has enough.
func (h *mailbox[T]) deliver(ctx context.Context, yield func(T) bool) error {
	cancellable := ctx.Done() != nil
	for {
		batch, err := h.take(ctx.Done())
		if batch == nil {
			if err == errLeft {
				err = context.Cause(ctx)
			}
			return err
		}
		for i, v := range batch {
			if cancellable && ctx.Err() != nil {
				return context.Cause(ctx)
			}
			var zero T
			batch[i] = zero // the buffer outlives the value
			if !yield(v) {
				return nil
			}
		}
	}
}

// take waits for values and returns all there are. None means the end: of the
// mailbox, with the error it ended with, or of the consumer's patience (errLeft).
func (h *mailbox[T]) take(done <-chan struct{}) ([]T, error) {
	h.mu.Lock()
	for len(h.fill) == 0 {
		if h.ended {
			h.mu.Unlock()
			return nil, h.err // written once, before ended
		}
		h.idle = true
		h.mu.Unlock()
		select {
		case <-h.wake:
		case <-done:
			return nil, errLeft
		}
		h.mu.Lock()
	}
	batch := h.fill
	h.fill, h.spare = h.spare[:0], batch
	if h.waiting > 0 {
		h.room.Broadcast()
	}
	h.mu.Unlock()
	return batch, nil
}

// close turns producers away and frees those that wait.
func (h *mailbox[T]) close() {
	h.mu.Lock()
	h.closed = true
	h.fill, h.spare = nil, nil
	h.room.Broadcast()
	h.mu.Unlock()
}
