package framed

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestTimersFireForMembersAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timers := NewTimers(testLimits)
		a, b := newTestConn(t, timers), newTestConn(t, timers)
		a.StartClock()
		if timers.timer != nil {
			t.Error("timers without a member fire")
		}
		a.Join(a)
		b.Join(b)
		a.StartClock()
		timers.leave(a)
		timers.leave(a)
		if b.place != 1 || len(timers.members) != 1 {
			t.Errorf("one of two members has left twice: place of the other is %d of %d, want 1 of 1", b.place, len(timers.members))
		}
		timers.leave(b)
		if timers.timer.Stop() || timers.next.Load() != Never {
			t.Error("timers whose members have left fire")
		}
	})
}

func TestTimersExpectNothingAfterAWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newTestConn(t, NewTimers(Limits{Heartbeat: Never, Handshake: Never, Frame: Never, Write: time.Second, Silence: Never, Other: time.Second}))
		c.Out.AddFrames("hello")
		if err := c.Flush(t.Context()); err != nil {
			t.Fatalf("a write that the other side reads: %v", err)
		}
		if due := c.Due(); due != Never {
			t.Errorf("after a write the timers are due at %v, want never", time.Duration(due))
		}
	})
}

func TestTimersFireNoMoreOftenThanEachGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timers := NewTimers(testLimits)
		c := newTestConn(t, timers)
		c.Join(c)
		defer timers.leave(c)
		timers.last = timers.Now()
		if timers.Expect(timers.last + 1); timers.next.Load() != timers.last+timers.gap {
			t.Errorf("what is due right after fire is done %v after it, want %v", time.Duration(timers.next.Load()-timers.last), time.Duration(timers.gap))
		}
	})
}
