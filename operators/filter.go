package operators

import (
	"context"

	"github.com/rxipc/rxipc/stream"
)

// Filter emits the values that keep is true for.
func Filter[T any](keep func(T) bool) stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		return func(ctx context.Context, yield func(T) bool) error {
			return source(ctx, func(v T) bool { return !keep(v) || yield(v) })
		}
	}
}

// Take emits the first count values and completes with the last of them, without
// waiting for the source to go on. A count of zero or less completes at once and
// does not run the source.
func Take[T any](count int) stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		return func(ctx context.Context, yield func(T) bool) error {
			if count <= 0 {
				return stream.Empty[T]()(ctx, yield)
			}
			left := count
			return source(ctx, func(v T) bool {
				left--
				return yield(v) && left > 0
			})
		}
	}
}

// TakeWhileOption changes how TakeWhile ends.
type TakeWhileOption uint8

// Inclusive makes TakeWhile emit the value that ends it too.
const Inclusive TakeWhileOption = 1

// TakeWhile emits values as long as keep is true and completes at the first for
// which it is not; with [Inclusive] that one is emitted as the last.
func TakeWhile[T any](keep func(T) bool, options ...TakeWhileOption) stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		return func(ctx context.Context, yield func(T) bool) error {
			return source(ctx, func(v T) bool {
				if keep(v) {
					return yield(v)
				}
				if len(options) > 0 {
					yield(v)
				}
				return false
			})
		}
	}
}

// First emits the first value and completes; without one it completes empty. See
// [stream.Observable.First] for the verb that runs and returns it.
func First[T any]() stream.Operator[T, T] { return Take[T](1) }

// Last emits the last value when the source completes; without one it completes
// empty. A failure emits nothing. See [stream.Observable.Last] for the verb that
// runs and returns it.
func Last[T any]() stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		return func(ctx context.Context, yield func(T) bool) error {
			var last T
			found := false
			err := source(ctx, func(v T) bool {
				last, found = v, true
				return true
			})
			if err == nil && found {
				yield(last)
			}
			return err
		}
	}
}
