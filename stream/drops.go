package stream

import (
	"context"
	"sync/atomic"
)

// Drops counts the values that stages lost, in two kinds.
//
// Dropped values are those for which a stage that follows had no room: a buffer whose
// [Overflow] is [DropOldest] or [DropNewest], a group of operators.GroupBy without a reader,
// operators.ExhaustMap while it is at work. Total counts them. [Fail] drops nothing: it fails
// the run. Values that wait when a run ends before its source does are not dropped either.
//
// Skipped values are those that were bad or late: a function returned an error for them and
// the run went on ([ErrSkip], operators.MapSkipErr, text.Skip), or they came too late for a
// window of operators.EventTime. Skipped counts them. Values that an operator leaves out by
// its purpose, as Filter or Debounce do, are of neither kind.
//
// A stage counts in the Drops of its run's context; see [WithDrops]. The zero value is ready.
// It may be read at any time, on any goroutine, and must not be copied.
type Drops struct{ total, skipped atomic.Int64 }

// Total is how many values have been dropped by now, in all runs that count here.
func (d *Drops) Total() int { return int(d.total.Load()) }

// Skipped is how many values have been skipped by now, in all runs that count here.
func (d *Drops) Skipped() int { return int(d.skipped.Load()) }

// WithDrops returns a context for a run whose stages count in d what they drop and skip. If
// ctx has Drops already, those count the same values too.
func WithDrops(ctx context.Context, d *Drops) context.Context {
	mustHave("WithDrops", "counter", d != nil)
	return context.WithValue(ctx, dropsKey{}, &drops{d, dropsOf(ctx)})
}

// Dropping returns a function that a stage of your own, in a run with this context, calls
// when it has dropped n values; never nil.
func Dropping(ctx context.Context) (count func(n int)) { return dropsOf(ctx).add }

// Skipping returns a function that a stage of your own, in a run with this context, calls
// when it has skipped n values; never nil.
func Skipping(ctx context.Context) (count func(n int)) { return dropsOf(ctx).skip }

type dropsKey struct{}

// drops are the counters of a context, the inner one first; nil if there are none.
type drops struct {
	counter *Drops
	outer   *drops
}

func dropsOf(ctx context.Context) *drops {
	d, _ := ctx.Value(dropsKey{}).(*drops)
	return d
}

func (d *drops) add(n int) {
	for ; d != nil; d = d.outer {
		d.counter.total.Add(int64(n))
	}
}

func (d *drops) skip(n int) {
	for ; d != nil; d = d.outer {
		d.counter.skipped.Add(int64(n))
	}
}
