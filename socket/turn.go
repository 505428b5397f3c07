package socket

import (
	"context"
	"sync/atomic"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// turn is the handling of one exchange, between the connection's goroutine, which
// begins and ends it, and the one that handles it, which takes and concludes it.
// While it is taken, answers belongs to the latter.
type turn struct {
	state     atomic.Uint64 // the turn's id and its phase, those of the next one once it is concluded
	id        uint64        // of the turn that was begun last
	answers   wire.Output   // not written yet: of turns before, then this one's
	before    wire.Extent   // of the former
	held      *Held         // once Hold was called
	handling  *Handling     // for the hooks; its Held's once that was called
	refused   *Error        // why the latest Respond failed that could not be sent; nil after one that did not
	first     uint8         // the phase in which turns begin
	responded bool          // Respond was called, perhaps with no messages
	ready     bool          // there is something to write, here or in holds
	enough    bool          // once concluded: no more is wanted
	woken     chan struct{} // one token: concluded, or given up
}

// The phases of a turn, below its id.
const (
	begun     = 0
	taken     = 1
	withdrawn = 2
	concluded = 3 // and so the next one's phase is kept: one costly write less
	phases    = 4
)

// start prepares for turns that begin in a phase.
func (t *turn) start(first uint8) {
	if t.first = first; first == begun {
		t.woken = make(chan struct{}, 1)
	}
	t.state.Store(phases + uint64(first))
}

// begin begins the next turn: begun, or taken when who begins it handles it, too.
func (t *turn) begin(acknowledgement wire.Kind) uint64 {
	t.before = t.answers.Extent()
	t.answers.AddControl(acknowledgement)
	t.refused, t.responded = nil, false
	t.id++
	return t.id
}

// phase is that of the turn which was begun last.
func (t *turn) phase() uint64 {
	state := t.state.Load()
	if state/phases != t.id {
		return concluded
	}
	return state % phases
}

// take gives the turn to who handles it, unless it was withdrawn.
func (t *turn) take(id uint64) bool {
	return t.state.CompareAndSwap(id*phases+begun, id*phases+taken)
}

// open reports whether the turn is being handled.
func (t *turn) open(id uint64) bool { return t.state.Load() == id*phases+taken }

// conclude says that the exchange has been handled, unless it was rejected.
func (t *turn) conclude(id uint64) {
	t.state.CompareAndSwap(id*phases+taken, (id+1)*phases+uint64(t.first))
}

// unwound reports whether the last exchange was taken and neither concluded nor
// rejected: who handled it is not there any more.
func (t *turn) unwound() bool { return t.id > 0 && t.phase() == taken }

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
		if t.state.CompareAndSwap(id*phases+begun, id*phases+withdrawn) {
			return false
		}
		<-t.woken
	}
	return t.phase() == concluded && !t.enough
}

// end settles the answer: it stays if the exchange was handled, unless it is held or
// must wait behind one that is. It reports whether there is one.
func (t *turn) end(holds *holds) bool {
	switch {
	case t.phase() != concluded:
		t.answers.DropLast(t.answers.Since(t.before))
		return false
	case t.held != nil:
		t.held = nil
	case holds.queue(&t.answers, t.before):
	default:
		t.ready = true
	}
	return true
}

// hold moves the answer so far into the queue, behind those of earlier turns.
func (t *turn) hold(holds *holds, held *Held) {
	t.held, t.ready = held, true
	held.handling, t.handling = t.handling, nil
	held.answer = t.answers.Split(t.answers.Since(t.before))
	holds.hold(held, t.answers.Split(t.answers.Extent()))
	t.before = wire.Extent{}
}

// move adds the answers to dst.
func (t *turn) move(dst *wire.Output) {
	t.ready = false
	if dst.Len() == 0 {
		*dst, t.answers = t.answers, *dst // the buffers change places
		return
	}
	dst.Append(&t.answers)
	t.answers.DropLast(t.answers.Extent())
}
