package socket

import (
	"context"
	"net"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// Held is an exchange whose answer is its holder's: to give at any time, from any
// goroutine, while the connection lasts. Until then its client waits, and so do the
// answers to its later messages.
type Held struct {
	Message
	c        *Connection
	answered atomic.Bool
	handling *Handling // for the hooks; who answers, or closes, tells it

	// Under the connection's holds.mu.
	answer wire.Output // the acknowledgement and responses
	done   bool        // may be written
}

// Context is that of the connection: see [Connection.Context].
func (h *Held) Context() context.Context { return h.c.ending }

// Connection returns the connection that the message came by.
func (h *Held) Connection() *Connection { return h.c }

// Respond acknowledges the message and sends the responses, none if there are none,
// in one write. It returns when that is written, or stands behind an exchange that
// is still held. A response that cannot be sent is refused, with ErrTooLarge,
// ErrReserved or ErrInvalid, and nothing is answered then; nor is it when ctx ends
// before it could begin. A second answer fails with ErrAnswered, one after the end
// of the connection with net.ErrClosed.
func (h *Held) Respond(ctx context.Context, responses ...Message) error {
	answered, err := h.respond(ctx, responses)
	if answered {
		h.c.callHandled(h.handling, nil)
	}
	if err != nil {
		return &Error{Op: "respond", Err: err}
	}
	return nil
}

func (h *Held) respond(ctx context.Context, responses []Message) (answered bool, err error) {
	if err := check(responses, h.c.config.MaxMessage); err != nil {
		return false, err
	}
	if err := h.c.frames.Lock(ctx); err != nil {
		return false, err
	}
	defer h.c.frames.Unlock()
	if !h.answered.CompareAndSwap(false, true) {
		return false, ErrAnswered
	}
	if !h.c.holds.answer(h, responses) {
		return false, net.ErrClosed
	}
	h.c.holds.move(&h.c.frames.Out)
	return true, h.c.closedOr(ctx, h.c.frames.Flush(ctx))
}

// holds is a connection's queue of answers that must keep their order: exchanges
// that are held, and those handled since.
type holds struct {
	mu      sync.Mutex
	waiting []*Held
	changed chan struct{} // one token, for the connection's goroutine if it waits

	// count is how many wait. Only who handles an exchange makes them more, so to
	// the connection's goroutine none is none without a lock.
	count  atomic.Int32
	closed bool // under mu
}

// hold puts a held exchange in the queue, behind the answers that were given before.
func (q *holds) hold(held *Held, before wire.Output) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if before.Len() > 0 {
		q.add(&Held{answer: before, done: true})
	}
	q.add(held)
}

// add puts an answer in the queue, mu held.
func (q *holds) add(held *Held) {
	q.waiting = append(q.waiting, held)
	q.count.Store(int32(len(q.waiting)))
}

// queue puts what answers holds beyond before behind those that wait; with none there
// it declines.
func (q *holds) queue(answers *wire.Output, before wire.Extent) bool {
	if q.count.Load() == 0 {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		return false
	}
	q.add(&Held{answer: answers.Split(answers.Since(before)), done: true})
	return true
}

// answer completes a held exchange, and reports whether the connection still lasts.
func (q *holds) answer(held *Held, responses []Message) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	held.handling.answered(responses...)
	for _, m := range responses {
		held.answer.AddMessage(m.wire())
	}
	held.done = true
	return true
}

// move adds the answers that need not wait any more to dst.
func (q *holds) move(dst *wire.Output) {
	if q.count.Load() == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for ; n < len(q.waiting) && q.waiting[n].done; n++ {
		dst.Append(&q.waiting[n].answer)
		q.waiting[n].answer = wire.Output{}
	}
	if n > 0 {
		q.waiting = slices.Delete(q.waiting, 0, n)
		q.count.Store(int32(len(q.waiting)))
		select {
		case q.changed <- struct{}{}:
		default:
		}
	}
}

// hasRoom reports whether fewer than limit answers wait.
func (q *holds) hasRoom(limit int) bool { return int(q.count.Load()) < limit }

// room waits until fewer than limit answers wait.
func (q *holds) room(ctx context.Context, limit int) error {
	for {
		changed := q.change()
		if q.hasRoom(limit) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// change returns where the next change is told.
func (q *holds) change() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.changed == nil {
		q.changed = make(chan struct{}, 1)
	}
	return q.changed
}

// close refuses answers from now on, and returns what the hooks are to know of those
// that were not given.
func (q *holds) close() (unanswered []*Handling) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	for _, h := range q.waiting {
		if !h.done && h.handling != nil {
			unanswered = append(unanswered, h.handling)
		}
	}
	q.waiting = nil
	q.count.Store(0)
	return unanswered
}
