package socket

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// Exchange is a message of a client and the means to answer it.
type Exchange struct {
	Message
	c  *Connection
	id uint64 // of its turn
}

// ErrAnswered says that an exchange has had its answer: it was acknowledged when it
// had been handled, or its Held was answered before.
var ErrAnswered = errors.New("the exchange is answered already")

// Connection returns the connection that the message came by.
func (x Exchange) Connection() *Connection { return x.c }

// Respond adds messages to the answer, which leaves together with the
// acknowledgement once the exchange has been handled. One that cannot be sent is
// refused, with ErrTooLarge, ErrReserved or ErrInvalid, and none is added then. It
// is for who handles the exchange, while it does: later, and once it is held, it
// fails with ErrAnswered.
func (x Exchange) Respond(messages ...Message) error {
	if err := check(messages, x.c.config.MaxMessage); err != nil {
		return &Error{Op: "respond", Err: err}
	}
	if !x.c.turn.open(x.id) || x.c.turn.held != nil {
		return &Error{Op: "respond", Err: ErrAnswered}
	}
	for _, m := range messages {
		x.c.turn.answers = appendFrame(x.c.turn.answers, m)
	}
	return nil
}

// Reject leaves the message unacknowledged, whatever was responded, and ends the
// connection in an orderly way, with err as what [Connection.Err] tells. It is for
// who handles the exchange, while it does; later it does nothing.
func (x Exchange) Reject(err error) {
	if x.c.turn.reject(x.id) {
		x.c.failed(err)
		x.c.end()
	}
}

// Hold keeps the exchange open beyond its handling, for an answer that comes later
// or from another goroutine, together with what was responded so far. Meanwhile the
// connection's later exchanges are handled, and their answers wait: they leave in
// the order of the messages. It is for who handles the exchange, while it does;
// later the Held it returns fails with ErrAnswered.
//
// As a function it is a stage of a pipeline: operators.Map(socket.Exchange.Hold).
func (x Exchange) Hold() *Held {
	held := &Held{Message: x.Message, c: x.c}
	if !x.c.turn.open(x.id) {
		held.answered.Store(true)
		return held
	}
	if x.c.turn.held == nil {
		x.c.turn.hold(&x.c.holds, held)
	}
	return x.c.turn.held
}

// Exchanges merges the messages of all connections into one ordered stream, for a
// server that keeps one state for everybody (innmind/ipc 4.x). Each connection is
// read on a goroutine of its own, which waits while its exchange is handled and
// then writes the answer: a slow client keeps nobody waiting. The run ends as
// connections does; when it is cancelled or has enough, all are closed.
func Exchanges(connections stream.Observable[*Connection]) stream.Observable[Exchange] {
	merged := operators.MergeMap((*Connection).offers)(connections)
	return func(ctx context.Context, yield func(Exchange) bool) error {
		return merged(ctx, func(x Exchange) bool {
			if !x.c.turn.take(x.id) {
				return true // withdrawn meanwhile
			}
			defer x.c.turn.wake() // a panic concludes nothing, but must not leave it waiting
			more := yield(x)
			x.c.turn.enough = !more
			x.c.turn.conclude(x.id)
			return more
		})
	}
}

// offers is Exchanges for a yield that returns before they are handled: who gets
// one takes its turn and concludes it.
func (c *Connection) offers() stream.Observable[Exchange] {
	return func(ctx context.Context, yield func(Exchange) bool) error {
		return c.serve(ctx, func(ctx context.Context, x Exchange) bool {
			return yield(x) && c.turn.await(ctx, x.id)
		})
	}
}

// turn is the handling of one exchange, between the connection's goroutine, which
// begins and ends it, and the one that handles it, which takes and concludes it.
// While it is taken, answers belongs to the latter.
type turn struct {
	state   atomic.Uint64 // the turn's id and its phase
	answers []byte        // not written yet: of turns before, then this one's
	mark    int           // where this one's begins
	ready   bool          // there is something to write, here or in holds
	held    *Held         // once Hold was called
	enough  bool          // once concluded: no more is wanted
	woken   chan struct{} // one token: concluded, or given up
}

// The phases of a turn, below its id.
const (
	offered   = 0
	taken     = 1
	concluded = 2
	withdrawn = 3
	phases    = 4
)

func (t *turn) begin(acknowledgement kind) uint64 {
	t.mark = len(t.answers)
	t.answers = appendControl(t.answers, acknowledgement)
	id := t.state.Load()/phases + 1
	t.state.Store(id * phases)
	return id
}

// take gives the turn to who handles it, unless it was withdrawn.
func (t *turn) take(id uint64) bool {
	return t.state.CompareAndSwap(id*phases+offered, id*phases+taken)
}

// open reports whether the turn is being handled.
func (t *turn) open(id uint64) bool { return t.state.Load() == id*phases+taken }

// conclude says that the exchange has been handled, unless it was rejected.
func (t *turn) conclude(id uint64) { t.state.CompareAndSwap(id*phases+taken, id*phases+concluded) }

// reject says that the exchange was not handled, and reports whether it could.
func (t *turn) reject(id uint64) bool {
	return t.held == nil && t.state.CompareAndSwap(id*phases+taken, id*phases+withdrawn)
}

// wake tells await that who took the turn is done with it.
func (t *turn) wake() { t.woken <- struct{}{} }

// await waits until the turn is concluded, or withdraws it when ctx ends before
// somebody took it. It reports whether it was concluded and more is wanted.
func (t *turn) await(ctx context.Context, id uint64) bool {
	select {
	case <-t.woken:
	case <-ctx.Done():
		if t.state.CompareAndSwap(id*phases+offered, id*phases+withdrawn) {
			return false
		}
		<-t.woken
	}
	return t.state.Load() == id*phases+concluded && !t.enough
}

// end settles the answer: it stays if the exchange was handled, unless it is held or
// must wait behind one that is. It reports whether there is one.
func (t *turn) end(holds *holds) bool {
	switch {
	case t.state.Load()%phases != concluded:
		t.answers = t.answers[:t.mark]
		return false
	case t.held != nil:
		t.held = nil
	case holds.queue(t.answers[t.mark:]):
		t.answers = t.answers[:t.mark]
	default:
		t.ready = true
	}
	return true
}

// hold moves the answer so far into the queue, behind those of earlier turns.
func (t *turn) hold(holds *holds, held *Held) {
	t.held, t.ready = held, true
	holds.hold(held, t.answers[:t.mark], t.answers[t.mark:])
	t.answers, t.mark = t.answers[:0], 0
}

// move appends the answers to dst.
func (t *turn) move(dst []byte) []byte {
	t.ready = false
	if len(dst) == 0 {
		dst, t.answers = t.answers, dst
		return dst
	}
	dst = append(dst, t.answers...)
	t.answers = t.answers[:0]
	return dst
}
