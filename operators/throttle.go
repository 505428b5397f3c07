package operators

import (
	"context"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// ThrottleFirst emits a value and drops the values that come within a period after it. The
// next value begins another period (RxJS: throttleTime). No value is ever pending, and it
// ends as the source does. It runs on its caller's goroutine and holds no value and no
// timer. A period of zero or less drops nothing.
func ThrottleFirst[T any](period time.Duration) stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("ThrottleFirst", "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) error {
			start := time.Now() // time.Since is the cheaper look at the clock
			var begun time.Duration
			first := true
			return source(ctx, func(v T) bool {
				now := time.Since(start)
				if !first && now-begun < period {
					return true
				}
				first, begun = false, now
				return yield(v)
			})
		}
	}
}

// ThrottleLast emits, at the end of each period, the last value that came within it;
// nothing if there was none (ReactiveX: sample; RxJS: sampleTime). The first period begins
// with the run. Periods that pass while yield runs are skipped. When the source ends, the
// pending value is dropped, because its period does not end. A period of zero or less
// counts as a nanosecond, so it ends as soon as the consumer is ready.
//
// The source runs on a goroutine of its own. While yield runs, at most
// [stream.DefaultBuffer] values wait; the source waits when there are more.
func ThrottleLast[T any](period time.Duration) stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("ThrottleLast", "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) error {
			var alarm stream.Alarm
			last := pending[T]{yield: yield}
			grid := every(period, &alarm)
			return stream.Timed(stream.WithBuffering(ctx, "ThrottleLast"), source, &alarm, func(v T) bool {
				last.hold(v)
				return true
			}, func() bool {
				wanted := last.emit()
				grid.next()
				return wanted
			})
		}
	}
}

// Audit begins a period with a value, and emits the last value that has come at the end of
// the period. The next value begins another period (RxJS: auditTime). When the source
// completes, the pending value is emitted at once; RxJS waits for the end of the period. A
// failure drops it. A period of zero or less ends as soon as the consumer is ready.
//
// The source runs on a goroutine of its own. While yield runs, at most
// [stream.DefaultBuffer] values wait; the source waits when there are more. The time of a
// value is when the operator takes it from the waiting ones.
func Audit[T any](period time.Duration) stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("Audit", "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) error {
			var alarm stream.Alarm
			last := pending[T]{yield: yield}
			err := stream.Timed(stream.WithBuffering(ctx, "Audit"), source, &alarm, func(v T) bool {
				if !last.held {
					alarm.Set(period)
				}
				last.hold(v)
				return true
			}, last.emit)
			return last.end(ctx, err)
		}
	}
}

// ThrottleLatest emits a value at once, which begins a period. At the end of the period it
// emits the last value that came within it, if there was one, which begins the next period
// (RxJava: throttleLatest; RxJS: throttleTime, leading and trailing). So values are at
// least a period apart, and the last value of a burst is not lost. When the source
// completes, the pending value is emitted at once; RxJS waits for the end of the period. A
// failure drops it. A period of zero or less ends as soon as the consumer is ready.
//
// The source runs on a goroutine of its own. While yield runs, at most
// [stream.DefaultBuffer] values wait; the source waits when there are more. The time of a
// value is when the operator takes it from the waiting ones.
func ThrottleLatest[T any](period time.Duration) stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("ThrottleLatest", "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) error {
			var alarm stream.Alarm
			last := pending[T]{yield: yield}
			open := true // no period runs
			begin := func() bool {
				open = false
				alarm.Set(period)
				return last.emit()
			}
			err := stream.Timed(stream.WithBuffering(ctx, "ThrottleLatest"), source, &alarm, func(v T) bool {
				last.hold(v)
				return !open || begin()
			}, func() bool {
				open = !last.held
				return open || begin()
			})
			return last.end(ctx, err)
		}
	}
}

// grid sets an alarm at equal distances from its beginning.
type grid struct {
	alarm  *stream.Alarm
	period time.Duration
	begun  time.Time
}

// every begins a grid now and sets the alarm for the end of its first period, which is a
// nanosecond long at least.
func every(period time.Duration, alarm *stream.Alarm) *grid {
	period = max(1, period)
	alarm.Set(period)
	return &grid{alarm, period, time.Now()}
}

// next sets the alarm for the end of the period that it is in.
func (g *grid) next() { g.alarm.Set(g.period - time.Since(g.begun)%g.period) }
