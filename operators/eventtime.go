package operators

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// ErrTooManyWindows says that windows of event time have more to keep than their limit lets
// them: see [EventTime].
var ErrTooManyWindows = errors.New("operators: too much kept in windows")

// DefaultWindows is how much windows of event time keep that nobody limited.
const DefaultWindows = 1 << 16

// EventTime says when values happened, as they tell it themselves, and how long is waited
// for those that come out of order. The watermark is the latest time of a value so far,
// less Delay: nothing earlier is expected any more. A window ends when the watermark
// reaches its end, so in a stream that stands still it does not.
//
// Times count in nanoseconds since 1970, from 1824 to 2116; others are taken for the
// first or last of them. Durations above 36 years are 36 years, negative ones zero.
type EventTime[T any] struct {
	// At returns when a value happened. It must be set.
	At func(T) time.Time

	// Delay is how much earlier than one before it a value may be without being late.
	Delay time.Duration

	// Lateness is how long, in event time, a window is kept after its end: each value that
	// comes for it by then makes it be emitted once more, with all its values.
	Lateness time.Duration

	// Late is called with each value that comes too late for all its windows, on the
	// goroutine of the run, and none of them has it; nil drops it. The Next of a
	// [stream.Subject] makes a stream of its own of them.
	Late func(T)

	// Limit is how much is kept at most: values, by the Buffer operators; totals, by the
	// Fold ones, one for each key and session, or part of a window. One more fails with
	// [ErrTooManyWindows]. Zero or less is [DefaultWindows].
	Limit int
}

// EventWindow is what came of the values of a window of event time.
type EventWindow[V any] struct {
	Start time.Time // in UTC, as End is
	End   time.Time // the first moment after it
	Value V         // what its values came to: a batch, or their fold

	// Updates is how often the window, and sessions that became one with it, have been
	// emitted before.
	Updates int
}

// String is a line for people.
func (w EventWindow[V]) String() string {
	update := ""
	if w.Updates > 0 {
		update = fmt.Sprintf(", update %d", w.Updates)
	}
	return fmt.Sprintf("%s–%s: %v%s", w.Start.Format(time.TimeOnly), w.End.Format(time.TimeOnly), w.Value, update)
}

// Event times are so far from the ends of an int64 that sums of one with a few durations
// do not overflow.
const (
	latest  = math.MaxInt64 / 2
	longest = math.MaxInt64 / 16
	forever = latest + 4*longest // after all of it; the watermark begins before all
)

// nanos is a time in nanoseconds since 1970, within bounds.
func nanos(t time.Time) int64 {
	switch seconds := t.Unix(); {
	case seconds >= latest/int64(time.Second):
		return latest
	case seconds <= -latest/int64(time.Second):
		return -latest
	default:
		return t.UnixNano()
	}
}

func clampDuration(d time.Duration, least int64) int64 { return min(max(least, int64(d)), longest) }

// instant is the time of so many nanoseconds since 1970.
func instant(ns int64) time.Time { return time.Unix(0, ns).UTC() }

// floorDiv is a divided by b, which is positive, rounded down.
func floorDiv(a, b int64) int64 {
	if a < 0 {
		return -((b - 1 - a) / b)
	}
	return a / b
}

// eventClock is what windows of event time have in common in a run.
type eventClock[A any] struct {
	EventTime[A]
	ctx       context.Context
	delay     int64
	lateness  int64
	watermark int64
	kept      int
	failed    error
}

func newEventClock[A any](ctx context.Context, e EventTime[A]) eventClock[A] {
	if e.Limit <= 0 {
		e.Limit = DefaultWindows
	}
	return eventClock[A]{EventTime: e, ctx: ctx, delay: clampDuration(e.Delay, 0), lateness: clampDuration(e.Lateness, 0), watermark: -forever}
}

// late hands on a value that is too late.
func (c *eventClock[A]) late(v A) {
	if c.Late != nil {
		c.Late(v)
	}
}

// keep counts what is kept, and reports whether it may be.
func (c *eventClock[A]) keep(more int) bool {
	if c.kept += more; c.kept > c.Limit {
		c.failed = fmt.Errorf("%w: there is a value more than the limit of %d; the watermark is at %s", ErrTooManyWindows, c.Limit, instant(c.watermark).Format(time.RFC3339Nano))
	}
	return c.failed == nil
}

// eventRun is how a run goes whose values go to take, and whose windows come of finish
// when the source has completed.
func eventRun[A any](name string, c *eventClock[A], source stream.Observable[A], take func(A) bool, finish func()) error {
	wanted := true
	err := source(stream.WithBuffering(c.ctx, name), func(v A) bool {
		wanted = take(v)
		return wanted
	})
	if c.failed != nil { // it was ended on purpose, whatever it says to that
		return c.failed
	}
	if err = ended(c.ctx, err); err != nil {
		return err
	}
	if wanted {
		finish()
	}
	return context.Cause(c.ctx)
}

// contents are what is made of the values of a window, or of a part of it.
type contents[A, P any] struct {
	fresh func() P
	add   func(p *P, v A) (kept int) // how many more it keeps
	join  func(a *P, b P)            // makes a be followed by b, which stays as it is
}
