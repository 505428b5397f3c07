package system

import (
	"context"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// Schedule returns the first of its times that is after the given one. Where no time is left,
// it returns one that never comes, in the year 9999 for instance.
type Schedule func(after time.Time) time.Time

// Every has all multiples of d since the zero time of UTC: with [time.Minute] each full
// minute, with [time.Hour] each full hour of UTC. A d of zero or less panics.
func Every(d time.Duration) Schedule {
	if d <= 0 {
		panic("system: Every of a duration that is not positive")
	}
	return func(after time.Time) time.Time { return after.Truncate(d).Add(d) }
}

// Daily is hour and minute by the clocks of a location, once a day. Clocks that are set
// forward may skip that time: Daily is then the moment of the change. Clocks that are set
// back show it twice: Daily is then the first of the two. A nil location is [time.Local].
// An hour outside of 0 to 23 or a minute outside of 0 to 59 panics.
func Daily(hour, minute int, location *time.Location) Schedule {
	if hour < 0 || hour > 23 || minute < 0 || minute > 59 {
		panic("system: Daily at a time that no clock shows")
	}
	if location == nil {
		location = time.Local
	}
	return func(after time.Time) time.Time {
		year, month, day := after.In(location).Date()
		for {
			if t := onDay(year, month, day, hour, minute, location); t.After(after) {
				return t
			}
			day++
		}
	}
}

// onDay returns the time of Daily on one day. time.Date does not say which time it returns
// when the clocks are changed.
func onDay(year int, month time.Month, day, hour, minute int, location *time.Location) time.Time {
	t := time.Date(year, month, day, hour, minute, 0, 0, location)
	start, end := t.ZoneBounds()
	if t.Hour() != hour || t.Minute() != minute { // a time that is skipped
		if t.Sub(start) < end.Sub(t) && !start.IsZero() || end.IsZero() {
			return start
		}
		return end
	}
	if start.IsZero() {
		return t
	}
	_, before := start.Add(-1).Zone()
	_, offset := t.Zone()
	if back := time.Duration(before-offset) * time.Second; back > 0 && t.Add(-back).Before(start) {
		return t.Add(-back)
	}
	return t
}

const (
	lookEvery = time.Second // at the clock
	jitter    = time.Minute // a clock that is set back by less repeats no times
)

// Clock emits each time of a schedule when the wall clock shows it. It looks at the clock
// at least every second, so that it notices within a second that the clock was set or that
// the machine slept. It ends with its context.
//
//   - Of the times that the clock jumped over, the first is emitted and the others are
//     skipped.
//   - A clock that is set back by more than a minute has its times again.
//   - Of the times that pass while yield is at work, the first is emitted and the others
//     are skipped.
func Clock(schedule Schedule) stream.Observable[time.Time] {
	mustHave("Clock", "schedule", schedule != nil)
	return clock(schedule, time.Now)
}

func clock(schedule Schedule, now func() time.Time) stream.Observable[time.Time] {
	return func(ctx context.Context, yield func(time.Time) bool) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		timer := time.NewTimer(0)
		defer timer.Stop()
		seen := now().Round(0) // without the monotonic clock, which nobody sets
		next := schedule(seen)
		for ctx.Err() == nil {
			current := now().Round(0)
			if current.Before(seen.Add(-jitter)) {
				next = schedule(current)
				seen = current
			}
			if current.After(seen) {
				seen = current
			}
			if !current.Before(next) {
				if !yield(next) {
					return nil
				}
				next = schedule(seen)
				continue
			}
			stream.Subscribed(ctx)
			timer.Reset(min(next.Sub(current), lookEvery))
			select {
			case <-ctx.Done():
			case <-timer.C:
			}
		}
		return context.Cause(ctx)
	}
}
