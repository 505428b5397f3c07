package answers

import (
	"context"
	"sync/atomic"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// Phase is how far an exchange has come.
type Phase uint8

// The phases of an exchange.
const (
	Begun     Phase = iota // nobody handles it yet
	Taken                  // its handler does
	Withdrawn              // it is not handled: it was rejected, or the connection ended before
	Concluded              // it was handled
	phases
)

// Current is the exchange that is being handled, and the answers of the exchanges before that
// are not written yet. While the exchange is taken, its answer is the handler's.
type Current struct {
	// state is the id of the exchange and its Phase, and once it is concluded those of the
	// next one. So a conclusion is one costly write, and not two.
	state     atomic.Uint64
	id        uint64        // of the exchange that was begun last
	answers   wire.Output   // not written: of exchanges before, then of this one
	before    wire.Extent   // of the former
	woken     chan struct{} // one token: concluded, or given up
	first     Phase         // in which exchanges begin
	responded bool          // Respond was called
	held      bool          // the answer is in the Queue
	ready     bool          // there is something to write
	enough    bool          // once concluded: no more is wanted
}

// Start prepares for exchanges that begin in a phase: Begun, or Taken if the goroutine that
// begins them handles them, too.
func (c *Current) Start(first Phase) {
	if c.first = first; first == Begun {
		c.woken = make(chan struct{}, 1)
	}
	c.state.Store(uint64(phases) + uint64(first))
}

// Activity returns a number that changes with each exchange.
func (c *Current) Activity() uint64 { return c.state.Load() }

// Begin begins the next exchange and returns its id.
func (c *Current) Begin(acknowledgement wire.Kind) (id uint64) {
	c.before = c.answers.Extent()
	c.answers.AddControl(acknowledgement)
	c.responded = false
	c.id++
	return c.id
}

// Phase returns that of the exchange which was begun last.
func (c *Current) Phase() Phase {
	state := c.state.Load()
	if state/uint64(phases) != c.id {
		return Concluded
	}
	return Phase(state % uint64(phases))
}

func stateOf(id uint64, phase Phase) uint64 { return id*uint64(phases) + uint64(phase) }

// Take gives the exchange to its handler, and reports whether it was not withdrawn.
func (c *Current) Take(id uint64) bool {
	return c.state.CompareAndSwap(stateOf(id, Begun), stateOf(id, Taken))
}

// IsOpen reports whether the exchange is being handled and not held.
func (c *Current) IsOpen(id uint64) bool { return c.state.Load() == stateOf(id, Taken) && !c.held }

// IsHeld reports whether the exchange, which is being handled, is held.
func (c *Current) IsHeld(id uint64) bool { return c.state.Load() == stateOf(id, Taken) && c.held }

// Respond returns where the handler adds its responses.
func (c *Current) Respond() *wire.Output {
	c.responded = true
	return &c.answers
}

// Responded reports whether Respond was called.
func (c *Current) Responded() bool { return c.responded }

// Conclude says that the exchange has been handled, unless it was rejected.
func (c *Current) Conclude(id uint64) {
	c.state.CompareAndSwap(stateOf(id, Taken), stateOf(id+1, c.first))
}

// Reject says that the exchange was not handled, and reports whether it could: one that is
// held cannot be rejected.
func (c *Current) Reject(id uint64) bool {
	return !c.held && c.state.CompareAndSwap(stateOf(id, Taken), stateOf(id, Withdrawn))
}

// IsUnwound reports whether the last exchange was taken and neither concluded nor rejected:
// its handler is not there any more.
func (c *Current) IsUnwound() bool { return c.id > 0 && c.Phase() == Taken }

// Wake makes Await return: the handler is done. more is whether it wants further exchanges.
func (c *Current) Wake(more bool) {
	c.enough = !more
	c.woken <- struct{}{}
}

// Await waits until the handler is done, or withdraws the exchange when ctx ends before it was
// taken. It reports whether the exchange was concluded and more are wanted.
func (c *Current) Await(ctx context.Context, id uint64) bool {
	select {
	case <-c.woken:
	case <-ctx.Done():
		if c.state.CompareAndSwap(stateOf(id, Begun), stateOf(id, Withdrawn)) {
			return false
		}
		<-c.woken
	}
	return c.Phase() == Concluded && !c.enough
}
