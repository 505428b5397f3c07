package operators

import (
	"context"

	"github.com/rxipc/rxipc/stream"
)

// ObserveOn runs the source on a goroutine of its own; its values cross a buffer to the
// caller's, where all that follows stays. At most capacity values wait there (at least
// one may), and the source waits with one that is more. It ends as the source does,
// after what waits. It is [OnBackpressureBuffer] with [stream.Block].
//
// In Rx it is observeOn that moves what follows to another thread; here what follows
// stays where it is run, and what comes before moves.
func ObserveOn[T any](capacity int) stream.Operator[T, T] {
	return called("ObserveOn", OnBackpressureBuffer[T](capacity, stream.Block))
}

// OnBackpressureBuffer lets the source, on a goroutine of its own, run ahead of what
// follows by at most capacity values (at least one); overflow says what happens with
// one more: [stream.Block] makes the source wait, [stream.Fail] fails with
// [stream.ErrOverflow] after what waits, and the other two drop a value ([CountDrops]). It ends as the
// source does, after what waits.
func OnBackpressureBuffer[T any](capacity int, overflow stream.Overflow) stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("OnBackpressureBuffer", "observable", source != nil)
		return buffering("ObserveOn", stream.Buffered(source, capacity, overflow))
	}
}

// OnBackpressureDrop drops the values that come while capacity others (at least one)
// wait: a slow consumer gets the earliest ones and never slows the source, which runs
// on a goroutine of its own. It ends as the source does, after what waits. In RxJava
// none wait.
func OnBackpressureDrop[T any](capacity int) stream.Operator[T, T] {
	return called("OnBackpressureDrop", OnBackpressureBuffer[T](capacity, stream.DropNewest))
}

// OnBackpressureLatest keeps the latest value for a consumer that is at work and drops
// the one that waited before: a slow consumer gets what is current and never slows the
// source, which runs on a goroutine of its own. One value waits at most. It ends as the
// source does, after the value that waits.
func OnBackpressureLatest[T any]() stream.Operator[T, T] {
	return called("OnBackpressureLatest", OnBackpressureBuffer[T](1, stream.DropOldest))
}

// CountDrops counts in d the values that the stages before it drop or skip. They drop values
// with [OnBackpressureDrop], [OnBackpressureLatest] and any buffer that may drop, in a group
// without a reader, and in [ExhaustMap]. They skip values with [MapSkipErr], with
// [stream.ErrSkip], and when values come too late for a window of [EventTime]. d may be read
// while it runs, and counts all runs; an outer CountDrops counts the same values too. A value
// that is not lost costs nothing.
func CountDrops[T any](d *stream.Drops) stream.Operator[T, T] {
	mustHave("CountDrops", "counter", d != nil)
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("CountDrops", "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) error {
			return source(stream.WithDrops(ctx, d), yield)
		}
	}
}

// buffering is an observable whose sources see that this stage buffers.
func buffering[T any](stage string, o stream.Observable[T]) stream.Observable[T] {
	return func(ctx context.Context, yield func(T) bool) error {
		return o(stream.WithBuffering(ctx, stage), yield)
	}
}
