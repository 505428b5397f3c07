package operators

import (
	"context"
	"reflect"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/stream"
)

// FoldTumblingTime emits, at the end of each period, the combination under a monoid of the
// values that came within it, the identity if there were none (Rx: window by time,
// folded). Periods are counted from the start of the run; those that pass while yield is
// at work are skipped. It keeps one total. The values left when the source completes make
// a last one; a failure emits nothing of the period it came in. A period of zero or less
// is a nanosecond.
//
// The source runs on a goroutine of its own. While yield is at work, at most
// [stream.DefaultBuffer] values wait; then the source does.
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

// FoldSlidingTime emits, after each value, the combination under a monoid of the values
// that came within the last span, that one included; a value that came exactly a span ago
// is out. It keeps at most limit values (at least one): when more come within a span, the
// oldest are left out too. Nothing is emitted when values go out of date, only when one
// comes. It costs what [FoldSliding] does, and a look at the clock. It runs on its
// caller's goroutine and ends as the source does. Within a
// span of zero or less there is that one alone.
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

// passing is [sliding] of as many values as there happen to be. The older values are in an
// array of their own, the last of them first, since those that leave and those that come
// are not equally many.
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
