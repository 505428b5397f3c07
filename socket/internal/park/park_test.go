package park

import (
	"syscall"
	"testing"
	"time"
)

// noSocket is a session that cannot be watched.
type noSocket struct{ Session }

func (noSocket) RawConn() syscall.RawConn { return nil }

func TestSpotOfASessionThatCannotParkDoesNothing(t *testing.T) {
	lot := NewLot(func(func()) { t.Error("a Lot in which no session parks watches") })
	for what, begin := range map[string]func(*Spot){
		"begun in no Lot":  func(*Spot) {},
		"without a socket": func(s *Spot) { lot.Begin(s, noSocket{}, func() {}) },
	} {
		var s Spot
		if begin(&s); s.Enter(time.Hour) || s.Rests() {
			t.Errorf("a session %s may park, want that it keeps its goroutine", what)
		}
		s.Leave()
	}
	if lot.timer != nil || lot.sessions != 0 {
		t.Errorf("the Lot has %d sessions and timer %v, want none", lot.sessions, lot.timer)
	}
	var none *Spot
	if none.Resume(); none.Rests() {
		t.Error("a nil Spot rests, want that it never does")
	}
}
