package stream

import (
	"context"
	"time"
)

// Alarm is the timer of one run of [Timed]. It rings once, at a time that can be
// moved. Its zero value is not set; it must not be copied. Its methods are called on
// the goroutine of the run.
type Alarm struct {
	timer *time.Timer
	rung  bool // it has rung and ring is still to be called
}

// Set makes the alarm ring in d from now, once, instead of when it was set for
// before. A d of zero or less rings as soon as may be.
func (a *Alarm) Set(d time.Duration) {
	a.rung = false
	if a.timer == nil {
		a.timer = time.NewTimer(d)
		return
	}
	a.timer.Reset(d)
}

// Stop keeps the alarm from ringing until it is set anew.
func (a *Alarm) Stop() {
	a.rung = false
	if a.timer != nil {
		a.timer.Stop()
	}
}

// c is where the alarm rings; nil, where nothing ever comes, if it was never set.
func (a *Alarm) c() <-chan time.Time {
	if a == nil || a.timer == nil {
		return nil
	}
	return a.timer.C
}

// rang reports whether the alarm is known to have rung.
func (a *Alarm) rang() bool { return a != nil && a.rung }

// poll looks whether the alarm has rung by now.
func (a *Alarm) poll() {
	if a != nil {
		select {
		case <-a.c():
			a.rung = true
		default:
		}
	}
}

// take reports whether the alarm is known to have rung, once.
func (a *Alarm) take() bool {
	rang := a.rang()
	if rang {
		a.rung = false
	}
	return rang
}

// Timed runs source on a goroutine of its own and calls value with each of its
// values and ring each time alarm rings, one call at a time, both on the caller's
// goroutine: what operators that react to time are made of, with plain variables for
// their state. It returns as a run of source with value as its yield would: nil also
// when value or ring returned false, which ends the run; a failure after the values
// that came before it. The alarm is stopped then.
//
// At most [DefaultBuffer] values wait while value or ring is at work; the source waits
// with one that is more. What waits when the alarm rings comes before it, at most a
// buffer's worth, and may move the alarm, which does not ring then.
func Timed[T any](ctx context.Context, source Observable[T], alarm *Alarm, value func(T) bool, ring func() bool) error {
	defer alarm.Stop()
	g := newGroup[T](ctx, DefaultBuffer)
	g.alarm, g.ring = alarm, ring
	start := func(g *Group[T]) { g.Go(source) }
	return g.run(start, func() error { return g.deliver(ctx, value) })
}
