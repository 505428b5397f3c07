package operators

import (
	"context"

	"github.com/rxipc/rxipc/stream"
)

// ObserveOn runs the source on a goroutine of its own. A buffer carries its values to the
// caller's goroutine, on which the following stages run. The buffer holds up to capacity
// values (at least one). The source waits while it is full. The run ends as the source
// does, after the values in the buffer. It is [OnBackpressureBuffer] with [stream.Block].
//
// In Rx, observeOn moves the following stages to another thread. Here they stay, and the
// source moves.
func ObserveOn[T any](capacity int) stream.Operator[T, T] {
	return called("ObserveOn", OnBackpressureBuffer[T](capacity, stream.Block))
}

// OnBackpressureBuffer runs the source on a goroutine of its own, ahead of the consumer by
// at most capacity values (at least one). overflow says what happens with one value more:
// [stream.Block] makes the source wait, [stream.Fail] fails with [stream.ErrOverflow] after
// the values that wait, and the other two drop a value ([CountDrops]). The run ends as the
// source does, after the values that wait.
func OnBackpressureBuffer[T any](capacity int, overflow stream.Overflow) stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("OnBackpressureBuffer", "observable", source != nil)
		return buffering("ObserveOn", stream.Buffered(source, capacity, overflow))
	}
}

// OnBackpressureDrop drops the values that come while capacity others (at least one) wait:
// a slow consumer gets the earliest ones and never slows the source, which runs on a
// goroutine of its own. The run ends as the source does, after the values that wait. In
// RxJava no value waits.
func OnBackpressureDrop[T any](capacity int) stream.Operator[T, T] {
	return called("OnBackpressureDrop", OnBackpressureBuffer[T](capacity, stream.DropNewest))
}

// OnBackpressureLatest keeps the latest value while the consumer is busy, and drops the
// value that waited before. So a slow consumer gets the current value and never slows the
// source, which runs on a goroutine of its own. At most one value waits. The run ends as
// the source does, after that value.
func OnBackpressureLatest[T any]() stream.Operator[T, T] {
	return called("OnBackpressureLatest", OnBackpressureBuffer[T](1, stream.DropOldest))
}

// CountDrops counts in d the values that the stages before it drop or skip. They drop
// values with [OnBackpressureDrop], [OnBackpressureLatest] and any buffer that may drop, in
// a group without a reader, and in [ExhaustMap]. They skip values with [MapSkipErr], with
// [stream.ErrSkip], and when values come too late for a window of [EventTime]. d counts all
// runs, and may be read while they run. An outer CountDrops counts the same values too. A
// value that is not lost costs nothing.
func CountDrops[T any](d *stream.Drops) stream.Operator[T, T] {
	mustHave("CountDrops", "counter", d != nil)
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("CountDrops", "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) error {
			return source(stream.WithDrops(ctx, d), yield)
		}
	}
}

// buffering runs an observable with a context which tells its sources that this stage
// buffers.
func buffering[T any](stage string, o stream.Observable[T]) stream.Observable[T] {
	return func(ctx context.Context, yield func(T) bool) error {
		return o(stream.WithBuffering(ctx, stage), yield)
	}
}
