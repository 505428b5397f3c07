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
// Moving it costs next to nothing, so it may be moved at every value: when the alarm is
// set for later, the runtime's timer is left as it is, and is reset when it fires too early.
type Alarm struct {
	timer    *time.Timer
	epoch    time.Time     // the times below are counted from it
	due      time.Duration // when the alarm rings, if it is set
	armed    time.Duration // when timer fires, if it runs
	running  bool
	set      bool
	unpolled bool          // due was computed after the last poll
	setAgain bool          // Set was called again since; the next poll computes due from delay
	delay    time.Duration // of the last Set, if setAgain
	fired    bool          // it is due, and onAlarm has not been called yet
}

// Set makes the alarm ring in d from now, once, instead of when it was set for
// before. A d of zero or less rings as soon as possible. If several values that waited
// together set it, the last d counts from the moment all of them have been handled, at
// most a buffer's worth.
func (a *Alarm) Set(d time.Duration) {
	a.fired = false
	if a.set && a.unpolled {
		a.setAgain, a.delay = true, d
		return
	}
	if a.timer == nil {
		a.epoch = time.Now()
	}
	a.set, a.unpolled, a.setAgain = true, true, false
	a.due = addDuration(a.now(), d)
}

// Stop keeps the alarm from ringing until it is set anew.
func (a *Alarm) Stop() { a.set, a.fired = false, false }

// poll finds out whether the alarm is due by now, and starts the timer if it is not. Timed
// calls it before it waits, and between batches.
func (a *Alarm) poll() {
	if a == nil || !a.set {
		return
	}
	now := a.now()
	if a.setAgain {
		a.due = addDuration(now, a.delay)
	}
	a.unpolled, a.setAgain = false, false
	switch {
	case a.due <= now:
		a.set, a.fired = false, true
	case a.timer == nil:
		a.timer = time.NewTimer(a.due - now)
		a.armed, a.running = a.due, true
	case !a.running || a.due < a.armed:
		a.timer.Reset(a.due - now)
		a.armed, a.running = a.due, true
	}
}

// c is the channel of the timer; nil, which never receives, if there is none. After a
// receive, timerFired is to be called.
func (a *Alarm) c() <-chan time.Time {
	if a == nil || a.timer == nil {
		return nil
	}
	return a.timer.C
}

// timerFired notes that the timer fired, maybe too early for the alarm.
func (a *Alarm) timerFired() {
	a.running = false
	a.poll()
}

// release stops the timer.
func (a *Alarm) release() {
	a.Stop()
	if a.timer != nil {
		a.timer.Stop()
	}
}

func (a *Alarm) now() time.Duration { return time.Since(a.epoch) }

// addDuration is now + d, or the largest duration if that overflows.
func addDuration(now, d time.Duration) time.Duration { return now + min(d, math.MaxInt64-now) }

// hasFired reports whether poll has found the alarm due.
func (a *Alarm) hasFired() bool { return a != nil && a.fired }

// takeFired is hasFired, and reports true once only.
func (a *Alarm) takeFired() bool {
	fired := a.hasFired()
	if fired {
		a.fired = false
	}
	return fired
}

// Timed runs source on a goroutine of its own. On the caller's goroutine it calls value with
// each value, and ring each time alarm rings, one call at a time. Operators that react to
// time are made of it, with plain variables for their state. It returns as a run of source
// with value as its yield would: nil also when value or ring returned false, which ends the
// run; a failure after the values that came before it. The alarm is stopped then.
//
// At most [DefaultBuffer] values wait while value or ring is at work; a source with one more
// blocks. Values that wait when the alarm is due come before it, at most a buffer's worth.
// If one of them moves the alarm, it does not ring then. Between two rings the source gets
// to run. When the source has ended and nothing waits, an alarm that is due rings once more
// at most, so that an alarm that is always due does not keep a run from its end. A value
// that the source emits in the same instant in which the alarm rings may come before or
// after it.
func Timed[T any](ctx context.Context, source Observable[T], alarm *Alarm, value func(T) bool, ring func() bool) error {
	mustHave("Timed", "observable", source != nil)
	mustHave("Timed", "alarm", alarm != nil)
	defer alarm.release()
	run, inner := enter(ctx, "Timed")
	g := newGroup[T](inner, DefaultBuffer)
	g.alarm, g.onAlarm = alarm, ring
	if run != nil {
		g.fills = new(fills[T])
		run.Fills(g.fill)
	}
	start := func(g *Group[T]) { g.Go(source) }
	return ending(run, ctx, func() error { return g.run(start, func() error { return g.deliver(ctx, value) }) })
}
