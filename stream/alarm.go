package stream

import (
	"context"
	"math"
	"time"
)

// Alarm is the timer of one run of [Timed]. It rings once, at a time that can be
// moved. Its zero value is not set; it must not be copied. Its methods are called on
// the goroutine of the run.
//
// To move it costs next to nothing, so that it may be done at every value: the timer of
// the runtime is left as it is when the alarm is set for later, and wound up again when
// it goes off too early.
type Alarm struct {
	timer *time.Timer
	epoch time.Time     // the times below are counted from it
	due   time.Duration // when it is to ring, if it is set
	armed time.Duration // when timer goes off, if it is wound
	wound bool
	set   bool
	fresh bool          // due was worked out since Timed last looked
	moved bool          // and is to be once more, when it looks again
	ahead time.Duration // from then on
	rung  bool          // it has rung and ring is still to be called
}

// Set makes the alarm ring in d from now, once, instead of when it was set for
// before. A d of zero or less rings as soon as may be. Where values that waited
// together set it several times, the last d counts from when they have been dealt
// with, at most a buffer's worth of them.
func (a *Alarm) Set(d time.Duration) {
	a.rung = false
	if a.set && a.fresh {
		a.moved, a.ahead = true, d
		return
	}
	if a.timer == nil {
		a.epoch = time.Now()
	}
	a.set, a.fresh, a.moved = true, true, false
	a.due = later(a.now(), d)
}

// Stop keeps the alarm from ringing until it is set anew.
func (a *Alarm) Stop() { a.set, a.rung = false, false }

// poll looks whether the alarm has rung by now, and sees to it that the timer goes off
// in time if it has not. Timed does this before it waits, and between batches.
func (a *Alarm) poll() {
	if a == nil || !a.set {
		return
	}
	now := a.now()
	if a.moved {
		a.due = later(now, a.ahead)
	}
	a.fresh, a.moved = false, false
	switch {
	case a.due <= now:
		a.set, a.rung = false, true
	case a.timer == nil:
		a.timer = time.NewTimer(a.due - now)
		a.armed, a.wound = a.due, true
	case !a.wound || a.due < a.armed:
		a.timer.Reset(a.due - now)
		a.armed, a.wound = a.due, true
	}
}

// c is where the timer goes off; nil, where nothing ever comes, if there is none. Who
// receives from it calls wentOff.
func (a *Alarm) c() <-chan time.Time {
	if a == nil || a.timer == nil {
		return nil
	}
	return a.timer.C
}

// wentOff takes note that the timer went off, maybe too early for the alarm.
func (a *Alarm) wentOff() {
	a.wound = false
	a.poll()
}

// off leaves no timer behind.
func (a *Alarm) off() {
	a.Stop()
	if a.timer != nil {
		a.timer.Stop()
	}
}

func (a *Alarm) now() time.Duration { return time.Since(a.epoch) }

// later is d after now, or the last time that can be told.
func later(now, d time.Duration) time.Duration { return now + min(d, math.MaxInt64-now) }

// rang reports whether the alarm is known to have rung.
func (a *Alarm) rang() bool { return a != nil && a.rung }

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
// buffer's worth, and may move the alarm, which does not ring then. Between two rings
// the source has its turn. When it has ended and nothing waits, an alarm that is due rings
// once more at most, so that an alarm that is always due does not keep a run from its end.
// A value that the source emits in the very instant in which the alarm rings may come before
// or after it.
func Timed[T any](ctx context.Context, source Observable[T], alarm *Alarm, value func(T) bool, ring func() bool) error {
	mustHave("Timed", "observable", source != nil)
	mustHave("Timed", "alarm", alarm != nil)
	defer alarm.off()
	g := newGroup[T](ctx, DefaultBuffer)
	g.alarm, g.ring = alarm, ring
	start := func(g *Group[T]) { g.Go(source) }
	return g.run(start, func() error { return g.deliver(ctx, value) })
}
