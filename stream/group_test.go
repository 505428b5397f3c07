package stream

import "testing"

// A producer may wake the consumer in the same moment in which the alarm does. A token that
// stayed would make the next goroutine that wakes it block with the lock held.
func TestGroupTakesTheTokenOfAnAlarmedConsumer(t *testing.T) {
	for _, woken := range []bool{false, true} {
		g := newGroup[int](t.Context(), 1)
		g.idle = true
		if woken {
			g.wakeConsumer()
		}
		g.cancelIdle()
		if g.idle || len(g.wake) != 0 {
			t.Errorf("an alarmed consumer, woken: %v: got idle %v and %d tokens, want false and none", woken, g.idle, len(g.wake))
		}
	}
}

// The consumer may list a queue itself in the moment in which its producer is about to.
func TestGroupListsAQueueOnce(t *testing.T) {
	g := newGroup[int](t.Context(), 1)
	q := new(spscQueue[int])
	for range 2 {
		g.enlist(q)
	}
	if len(g.listed) != 1 {
		t.Errorf("listing a queue twice: the list has %d queues, want 1", len(g.listed))
	}
}
