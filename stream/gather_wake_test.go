package stream

import "testing"

// A producer may rouse the consumer in the very moment in which its alarm wakes it. A token
// that stayed would make the next one who rouses it wait with the lock held.
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
