package framed

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// recordedDeadline is a direction of a connection that knows its deadline, and counts how
// often that was set.
type recordedDeadline struct {
	at  time.Time
	set int
}

func (r *recordedDeadline) Set(at time.Time) error {
	r.at = at
	r.set++
	return nil
}

func TestContextDeadlineIsSetByTheBoundContextAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r recordedDeadline
		d := contextDeadline{set: r.Set}
		check := func(what string, want time.Time) {
			t.Helper()
			synctest.Wait()
			if !r.at.Equal(want) {
				t.Errorf("%s: the deadline is %v, want %v", what, r.at, want)
			}
		}
		first, cancelFirst := context.WithCancel(t.Context())
		second, cancelSecond := context.WithCancel(t.Context())
		d.bind(first)
		d.bind(second)
		cancelFirst()
		check("a context that is bound no more has ended", time.Time{})
		later := time.Now().Add(time.Hour)
		d.move(second, later)
		check("the deadline was moved", later)
		cancelSecond()
		check("the bound context has ended", longAgo)
		d.move(second, later)
		check("the deadline was moved after the end", longAgo)
		d.reset()
		check("the deadline was reset after the end", longAgo)
		d.unbind()
		d.reset()
		check("the deadline was reset with no context bound", time.Time{})
	})
}

func TestContextDeadlineHasAContextThatSetsItByOtherMeans(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r recordedDeadline
		own, cancelOwn := context.WithCancel(t.Context())
		other, cancelOther := context.WithCancel(t.Context())
		defer cancelOther()
		d := contextDeadline{set: r.Set, own: &own}
		d.bind(own)
		cancelOwn()
		synctest.Wait()
		if r.set != 0 {
			t.Errorf("the end of the own context has set the deadline %d times, want others to do so", r.set)
		}
		d.bind(other)
		d.reset()
		if !r.at.IsZero() {
			t.Errorf("after a reset with another context bound the deadline is %v, want none", r.at)
		}
		if d.bind(own); !r.at.Equal(longAgo) {
			t.Errorf("after the own context was bound again, which had ended, the deadline is %v, want %v", r.at, longAgo)
		}
	})
}
