package answers

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// Queue is the answers of one connection. Each Entry has an Info for its owner.
type Queue[T any] struct {
	Current

	mu      sync.Mutex
	waiting []*Entry[T]   // held exchanges, and those handled since
	changed chan struct{} // one token, for the connection's goroutine if it waits
	closed  bool
	cut     bool // an entry was rejected

	// count is len(waiting). The connection's goroutine alone makes it more, so a zero that
	// it reads stays zero.
	count atomic.Int32
	bytes atomic.Int64 // the sum of their sizes
}

// Entry is an answer that waits: of an exchange that is held, until Answer completes it, and
// then for those before it. Before Hold it is empty.
type Entry[T any] struct {
	Info T   // of its owner
	Size int // bytes that its owner keeps while it waits

	// Under the mu of the Queue.
	answer   wire.Output
	done     bool
	rejected bool // it stays, so that no answer behind it leaves
}

// IsReady reports whether there is something to write.
func (q *Queue[T]) IsReady() bool { return q.ready }

// Pending returns how many bytes of answers do not wait for others.
func (q *Queue[T]) Pending() int { return q.answers.Len() }

// Hold moves the answer so far of the current exchange into an entry, which waits behind the
// answers of exchanges before.
func (q *Queue[T]) Hold(e *Entry[T]) {
	q.held, q.ready = true, true
	e.answer = q.answers.Split(q.answers.Since(q.before))
	before := q.answers.Split(q.answers.Extent())
	q.before = wire.Extent{}
	q.mu.Lock()
	defer q.mu.Unlock()
	if before.Len() > 0 {
		q.enqueue(&Entry[T]{answer: before, done: true})
	}
	q.enqueue(e)
}

// enqueue adds an entry, mu held.
func (q *Queue[T]) enqueue(e *Entry[T]) {
	e.Size += e.answer.Len()
	q.waiting = append(q.waiting, e)
	q.count.Store(int32(len(q.waiting)))
	q.bytes.Add(int64(e.Size))
}

// End ends the current exchange. Its answer stays if it was handled, and waits if an answer
// before it does. End reports whether there is an answer.
func (q *Queue[T]) End() bool {
	switch {
	case q.Phase() != Concluded:
		q.answers.DropLast(q.answers.Since(q.before))
		return false
	case q.held:
		q.held = false
	case q.count.Load() == 0 || !q.wait():
		q.ready = true
	}
	return true
}

// wait makes the answer of the current exchange wait, if others do.
func (q *Queue[T]) wait() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		return false
	}
	q.enqueue(&Entry[T]{answer: q.answers.Split(q.answers.Since(q.before)), done: true})
	return true
}

// Answer completes an entry with what add adds to it. It reports whether the answer can leave:
// the Queue is still open, and no entry before was rejected.
func (q *Queue[T]) Answer(e *Entry[T], add func(*wire.Output)) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || q.isCutOff(e) {
		return false
	}
	add(&e.answer)
	e.done = true
	return true
}

// RejectHeld says that the exchange of an entry is not acknowledged. No answer behind it leaves any
// more. It reports whether the answer could have left.
func (q *Queue[T]) RejectHeld(e *Entry[T]) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || q.isCutOff(e) {
		return false
	}
	e.rejected, q.cut = true, true
	q.tell()
	return true
}

// isCutOff reports whether an entry before the given one was rejected. The caller holds mu.
func (q *Queue[T]) isCutOff(e *Entry[T]) bool {
	if !q.cut {
		return false
	}
	for _, before := range q.waiting {
		if before == e {
			return false
		}
		if before.rejected {
			return true
		}
	}
	return false
}

// Move adds all answers to dst that need not wait.
func (q *Queue[T]) Move(dst *wire.Output) {
	q.ready = false
	if dst.Len() == 0 {
		*dst, q.answers = q.answers, *dst // the buffers change places
	} else {
		dst.Append(&q.answers)
		q.answers.Drop()
	}
	q.MoveHeld(dst)
}

// MoveHeld is Move of the answers that had to wait, and need not any more.
func (q *Queue[T]) MoveHeld(dst *wire.Output) {
	if q.count.Load() == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for ; n < len(q.waiting) && q.waiting[n].done; n++ {
		q.bytes.Add(-int64(q.waiting[n].Size))
		answer := &q.waiting[n].answer
		dst.Append(answer)
		answer.Drop() // returns its buffer to the pool
	}
	if n > 0 {
		q.waiting = slices.Delete(q.waiting, 0, n)
		q.count.Store(int32(len(q.waiting)))
		q.tell()
	}
}

// tell wakes the goroutine that waits for a change, mu held.
func (q *Queue[T]) tell() {
	select {
	case q.changed <- struct{}{}:
	default:
	}
}

// Len returns how many answers wait.
func (q *Queue[T]) Len() int { return int(q.count.Load()) }

// HasRoom reports whether fewer than limit answers wait, with fewer than bytes bytes.
func (q *Queue[T]) HasRoom(limit, bytes int) bool {
	return q.Len() < limit && (q.Len() == 0 || q.bytes.Load() < int64(bytes))
}

// AwaitRoom waits until HasRoom.
func (q *Queue[T]) AwaitRoom(ctx context.Context, limit, bytes int) error {
	return q.await(ctx, func() bool { return q.HasRoom(limit, bytes) })
}

// AwaitAnswers waits until every answer has left that can.
func (q *Queue[T]) AwaitAnswers(ctx context.Context) error {
	return q.await(ctx, func() bool {
		rejected, left := q.Left()
		return rejected || left == 0
	})
}

// Left returns whether the first answer that waits is of a rejected exchange, and how many others
// wait.
func (q *Queue[T]) Left() (rejected bool, others int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) > 0 && q.waiting[0].rejected {
		return true, len(q.waiting) - 1
	}
	return false, len(q.waiting)
}

func (q *Queue[T]) await(ctx context.Context, isReady func() bool) error {
	for {
		changed := q.change()
		if isReady() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// change returns the channel that gets a token with the next change.
func (q *Queue[T]) change() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.changed == nil {
		q.changed = make(chan struct{}, 1)
	}
	return q.changed
}

// Close refuses answers from now on. It returns the Info of each exchange that was held and
// not answered.
func (q *Queue[T]) Close() (unanswered []T) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.answers.Drop()
	for _, e := range q.waiting {
		if !e.done && !e.rejected {
			unanswered = append(unanswered, e.Info)
		}
		e.answer.Drop()
	}
	q.waiting = nil
	q.count.Store(0)
	return unanswered
}
