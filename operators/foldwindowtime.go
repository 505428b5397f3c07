package operators

import (
	"context"
	"reflect"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/stream"
)

// FoldTumblingTime emits, at the end of each period, the combination under a monoid of the
// values that came within it. Without values that is the identity (Rx: window by time,
// folded). The first period begins with the run. Periods that pass while yield runs are
// skipped. It keeps one total. When the source completes, the total of the period that has
// begun is emitted; a failure drops it. A period of zero or less counts as a nanosecond.
//
// The source runs on a goroutine of its own. While yield runs, at most
// [stream.DefaultBuffer] values wait; the source waits when there are more.
func FoldTumblingTime[T any](period time.Duration, m fold.Monoid[T]) stream.Operator[T, T] {
	mustHave("FoldTumblingTime", "monoid", m != nil)
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("FoldTumblingTime", "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) error {
			var alarm stream.Alarm
			total := pending[T]{yield: yield}
			begin := func() {
				if !total.held {
					total.hold(m.Identity())
				}
			}
			grid := every(period, &alarm)
			err := stream.Timed(stream.WithBuffering(ctx, "FoldTumblingTime"), source, &alarm, func(v T) bool {
				begin()
				total.value = m.Combine(total.value, v)
				return true
			}, func() bool {
				begin()
				wanted := total.emit()
				grid.next()
				return wanted
			})
			return total.end(ctx, err)
		}
	}
}

// FoldSlidingTime emits, after each value, the combination under a monoid of the values of
// the last span, this value included. A value that came exactly a span ago is not. It keeps
// at most limit values (at least one): when more come within a span, it leaves out the
// oldest. It emits only when a value comes, and not when one is too old. A value costs as
// much as in [FoldSliding], and a look at the clock. It runs on its caller's goroutine and
// ends as the source does. With a span of zero or less a window is its last value alone.
func FoldSlidingTime[T any](span time.Duration, limit int, m fold.Monoid[T]) stream.Operator[T, T] {
	mustHave("FoldSlidingTime", "monoid", m != nil)
	limit = max(1, limit)
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("FoldSlidingTime", "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) error {
			window := passing[T]{sliding: sliding[T]{m: m, recent: m.Identity(), shares: sharesStorage(reflect.TypeFor[T]())}}
			start := time.Now()
			return source(ctx, func(v T) bool {
				now := time.Since(start)
				for len(window.came) > 0 && (now-window.came[0] >= span || len(window.came) == limit) {
					window.drop()
				}
				return yield(window.add(v, now))
			})
		}
	}
}

// passing is [sliding] with any number of values. More values may come than leave, so the
// older values have an array of their own, the last of them first.
type passing[T any] struct {
	sliding[T]
	older []T             // for each, the combination of it and all older values that follow it
	came  []time.Duration // when the values of the window did
}

// add adds a value and returns the combination of the window.
func (p *passing[T]) add(v T, now time.Duration) T {
	p.came = append(p.came, now)
	p.values = append(p.values, v)
	p.recent = p.m.Combine(p.recent, v)
	if last := len(p.older) - 1; last >= 0 {
		return p.m.Combine(p.own(p.older[last]), p.recent)
	}
	return p.own(p.recent)
}

// drop leaves the oldest value out.
func (p *passing[T]) drop() {
	if len(p.older) == 0 {
		p.age()
	}
	p.came = p.came[1:]
	var none T
	last := len(p.older) - 1
	p.older[last], p.older = none, p.older[:last]
}

// age makes the recent values the older ones.
func (p *passing[T]) age() {
	total := p.m.Identity()
	for i := len(p.values) - 1; i >= 0; i-- {
		total = p.m.Combine(p.own(p.values[i]), total)
		p.older = append(p.older, total)
	}
	clear(p.values)
	p.values, p.recent = p.values[:0], p.m.Identity()
}
