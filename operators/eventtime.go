package operators

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// ErrTooManyWindows says that windows of event time would keep more than the Limit of their
// [EventTime].
var ErrTooManyWindows = errors.New("operators: too much kept in windows")

// DefaultWindows is the Limit of an [EventTime] without one.
const DefaultWindows = 1 << 16

// EventTime says when values happened, and how long a window waits for values that come out
// of order. The watermark is the latest time of all values so far, less Delay. Earlier values
// are not expected any more. A window ends when the watermark reaches its end. While the
// source is silent no window ends, unless Idle is set.
//
// Times count in nanoseconds since 1970, from 1824 to 2116. An earlier time counts as the
// first of them, a later time as the last. Durations above 36 years count as 36 years,
// negative durations as zero.
type EventTime[T any] struct {
	// At returns when a value happened. It must be set.
	At func(T) time.Time

	// Delay is how far behind the latest value so far a value may be without being late.
	Delay time.Duration

	// Lateness is how long, in event time, a window is kept after its end. Each value that
	// comes for a kept window emits the window once more, with all its values.
	Lateness time.Duration

	// Idle is how long the source may be silent before the watermark goes on with the clock
	// (Flink: withIdleness). After a silence of Idle or more, the watermark has moved by the
	// length of the silence. So windows end although no value comes. A value that its source
	// held back for that long may be late then. With Idle, the source has a goroutine of its
	// own, and at most [stream.DefaultBuffer] values wait while yield runs. Zero or less means
	// that windows end only by values and at the end of the source.
	Idle time.Duration

	// Late is called, on the goroutine of the run, with each value that comes too late for
	// all its windows. [stream.Drops] count such values as skipped. The Next of a
	// [stream.Subject] makes a stream of them. A nil Late does nothing.
	Late func(T)

	// Limit bounds what is kept. The Buffer operators count values. The Fold operators count
	// totals, one for each key and session, or part of a window. A run that would keep more
	// fails with [ErrTooManyWindows]. Zero or less is [DefaultWindows].
	Limit int
}

// EventWindow is the result of a window of event time.
type EventWindow[V any] struct {
	Start time.Time // in UTC, as End is
	End   time.Time // the first moment after it
	Value V         // the slice of its values, or their fold

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

// eventClock is the part of the state of a run that all operators of event time share.
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

// late counts a value that is too late, and hands it on.
func (c *eventClock[A]) late(v A) {
	stream.Skipping(c.ctx)(1)
	if c.Late != nil {
		c.Late(v)
	}
}

// keep counts more that is kept, and reports whether that is within the limit.
func (c *eventClock[A]) keep(more int) bool {
	if c.kept += more; c.kept > c.Limit {
		c.failed = fmt.Errorf("%w: there is a value more than the limit of %d; the watermark is at %s", ErrTooManyWindows, c.Limit, instant(c.watermark).Format(time.RFC3339Nano))
	}
	return c.failed == nil
}

// eventWindowing are the windows of a run.
type eventWindowing[A any] interface {
	take(v A) bool                // takes a value, and emits the windows that it makes ready
	advance(watermark int64) bool // moves the watermark, and emits the windows that it has passed
	nextDue() int64               // the watermark at which there is something to do; forever if there is nothing
	finish()                      // emits the windows that are open
}

// eventRun gives the values of the source to the windows, and finishes these when the source
// has completed.
func eventRun[A any](name string, c *eventClock[A], source stream.Observable[A], w eventWindowing[A]) error {
	wanted := true
	ctx := stream.WithBuffering(c.ctx, name)
	value := func(v A) bool {
		wanted = w.take(v)
		return wanted
	}
	var err error
	if c.Idle > 0 {
		err = c.runIdle(ctx, source, w, &wanted)
	} else {
		err = source(ctx, value)
	}
	if c.failed != nil { // ended on purpose, so its error does not count
		return c.failed
	}
	if err = ended(c.ctx, err); err != nil {
		return err
	}
	if wanted {
		w.finish()
	}
	return context.Cause(c.ctx)
}

// runIdle runs the source and lets the watermark go on with the clock while it is silent.
func (c *eventClock[A]) runIdle(ctx context.Context, source stream.Observable[A], w eventWindowing[A], wanted *bool) error {
	var alarm stream.Alarm
	idle, heard, reached := clampDuration(c.Idle, 1), time.Now(), c.watermark // at the last value
	goOn := func() bool {
		silence := int64(time.Since(heard))
		*wanted = silence < idle || reached == -forever || w.advance(reached+silence)
		return *wanted
	}
	wind := func() {
		if due := w.nextDue(); due < forever {
			alarm.Set(time.Duration(max(idle, due-reached)) - time.Since(heard))
		} else {
			alarm.Stop()
		}
	}
	return stream.Timed(ctx, source, &alarm, func(v A) bool {
		if !goOn() {
			return false
		}
		*wanted = w.take(v)
		heard, reached = time.Now(), c.watermark
		wind()
		return *wanted
	}, func() bool {
		more := goOn()
		wind()
		return more
	})
}

// contents make something of the values of a window, or of a part of it.
type contents[A, P any] struct {
	fresh func() P
	reuse func(P)                    // empties a content that is no longer needed; nil if the receiver keeps it
	add   func(p *P, v A) (kept int) // how many more it keeps
	join  func(a *P, b P)            // appends b to a; b does not change
}
