package operators

import (
	"context"

	"github.com/rxipc/rxipc/stream"
)

// First emits the first value and completes; without one it completes empty. See
// [stream.Observable.First] for the verb that runs and returns it.
func First[T any]() stream.Operator[T, T] { return called("First", Take[T](1)) }

// Last emits the last value when the source completes; without one it completes
// empty. A failure emits nothing. See [stream.Observable.Last] for the verb that
// runs and returns it.
func Last[T any]() stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("Last", "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) error {
			var last T
			found := false
			err := source(ctx, func(v T) bool {
				last, found = v, true
				return true
			})
			if !found {
				return ended(ctx, err)
			}
			return conclude(ctx, err, last, yield)
		}
	}
}

// ElementAt emits the value at an index, counted from zero, and completes. If the source
// has fewer values, it completes empty ([ThrowIfEmpty] makes that a failure). A negative
// index completes at once and does not run the source.
func ElementAt[T any](index int) stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("ElementAt", "observable", source != nil)
		if index < 0 {
			return stream.Empty[T]()
		}
		return Take[T](1)(Skip[T](index)(source))
	}
}

// Find emits the first value that match is true for and completes with it; without
// one it completes empty.
func Find[T any](match func(T) bool) stream.Operator[T, T] {
	mustHave("Find", "function", match != nil)
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("Find", "observable", source != nil)
		return Take[T](1)(Filter(match)(source))
	}
}

// Single emits the source's only value when the source completes. Without a value it fails
// with [stream.ErrEmpty]. At a second value it fails at once with [stream.ErrMoreThanOne].
// A failure emits nothing.
func Single[T any]() stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("Single", "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) error {
			var single T
			count := 0
			err := source(ctx, func(v T) bool {
				single = v
				count++
				return count == 1
			})
			if count > 1 { // ended on purpose, so its error does not count
				return stream.ErrMoreThanOne
			}
			if err = ended(ctx, err); err == nil && count == 0 {
				err = stream.ErrEmpty
			}
			return conclude(ctx, err, single, yield)
		}
	}
}
