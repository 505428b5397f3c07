//go:build !race

package answers

import (
	"testing"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// The race detector makes a sync.Pool forget some of what it gets, so that it does not run this.

// TestQueueReturnsTheBuffersOfHeldAnswers counts what a held answer allocates: the copy of the
// acknowledgement, and not a buffer of 4 KiB besides.
func TestQueueReturnsTheBuffersOfHeldAnswers(t *testing.T) {
	q, out := started(), new(wire.Output)
	var e Entry[string]
	response := func(out *wire.Output) { out.AddMessage(text("later")) }
	allocations := testing.AllocsPerRun(1000, func() {
		e = Entry[string]{}
		handle(q, "", &e)
		q.Answer(&e, response)
		q.MoveHeld(out)
		out.DropFirst(out.Len())
	})
	if allocations > 1 {
		t.Errorf("hold an answer and move it: got %v allocations, want 1", allocations)
	}
}
