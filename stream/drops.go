package stream

import (
	"context"
	"sync/atomic"
)

// Drops counts the values that stages dropped because what follows had no room for them:
// a buffer whose [Overflow] is [DropOldest] or [DropNewest], a group of operators.GroupBy
// without a reader, ExhaustMap while it is at work. A stage counts in the Drops of its run's
// context; see [WithDrops]. Values that an operator leaves out by what they are, or by the
// clock, as Filter or Debounce do, are not dropped, nor are values
// that wait when a run ends before its source does. [Fail] drops nothing: it fails the run.
//
// The zero value is ready. It may be read at any time, on any goroutine, and must not be
// copied.
type Drops struct{ total atomic.Int64 }

// Total is how many values have been dropped by now, in all runs that count here.
func (d *Drops) Total() int { return int(d.total.Load()) }

// WithDrops returns a context for a run whose stages count in d what they drop. If ctx
// has Drops already, those count the same values too.
func WithDrops(ctx context.Context, d *Drops) context.Context {
	mustHave("WithDrops", "counter", d != nil)
	return context.WithValue(ctx, dropsKey{}, &drops{d, dropsOf(ctx)})
}

// Dropping returns what a stage of your own, in a run with this context, calls when it
// has dropped n values; never nil.
func Dropping(ctx context.Context) (count func(n int)) { return dropsOf(ctx).add }

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
