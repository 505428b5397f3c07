package stream

import "testing"

// A producer may rouse the consumer in the very moment in which its alarm wakes it. A token
// that stayed would make the next goroutine that rouses it wait with the lock held.
func TestGroupTakesTheTokenOfAnAlarmedConsumer(t *testing.T) {
	for _, roused := range []bool{false, true} {
		g := newGroup[int](t.Context(), 1)
		g.idle = true
		if roused {
			g.rouse()
		}
		g.stayAwake()
		if g.idle || len(g.wake) != 0 {
			t.Errorf("an alarmed consumer, roused: %v: got idle %v and %d tokens, want false and none", roused, g.idle, len(g.wake))
		}
	}
}

// The consumer may list a lane itself in the moment in which its producer is about to.
func TestGroupListsALaneOnce(t *testing.T) {
	g := newGroup[int](t.Context(), 1)
	l := new(lane[int])
	for range 2 {
		g.list(l)
	}
	if len(g.listed) != 1 {
		t.Errorf("listing a lane twice: the list has %d lanes, want 1", len(g.listed))
	}
}
