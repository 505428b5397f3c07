package operators

import (
	"context"

	"github.com/rxipc/rxipc/stream"
)

// Filter emits the values that keep is true for.
func Filter[T any](keep func(T) bool) stream.Operator[T, T] {
	mustHave("Filter", "function", keep != nil)
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("Filter", "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) error {
			return source(ctx, func(v T) bool { return !keep(v) || yield(v) })
		}
	}
}

// OfType emits the values that are of type B, as values of B. If B is an interface, these
// are the values that implement it. Others are dropped.
//
//	operators.OfType[any, string]()
func OfType[A, B any]() stream.Operator[A, B] {
	return func(source stream.Observable[A]) stream.Observable[B] {
		mustHave("OfType", "observable", source != nil)
		return func(ctx context.Context, yield func(B) bool) error {
			return source(ctx, func(a A) bool {
				b, ok := any(a).(B)
				return !ok || yield(b)
			})
		}
	}
}

// IgnoreElements emits nothing: it ends when the source does, and as it does.
func IgnoreElements[T any]() stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("IgnoreElements", "observable", source != nil)
		return func(ctx context.Context, _ func(T) bool) error {
			return ended(ctx, source.Run(ctx))
		}
	}
}

// Take emits the first count values and completes with the last of them, without
// waiting for the source to go on. A count of zero or less completes at once and
// does not run the source.
func Take[T any](count int) stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("Take", "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) error {
			if count <= 0 {
				return stream.Empty[T]()(ctx, yield)
			}
			left := count
			err := source(ctx, func(v T) bool {
				left--
				return yield(v) && left > 0
			})
			if left == 0 { // ended on purpose, so its error does not count
				err = context.Cause(ctx)
			}
			return err
		}
	}
}

// TakeLast emits the last count values when the source completes, and all of them where
// there are fewer. It keeps count values. A failure emits nothing. With a count of zero or
// less it emits nothing and ends as the source does.
func TakeLast[T any](count int) stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("TakeLast", "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) error {
			last := ring[T]{size: count}
			err := source(stream.WithBuffering(ctx, "TakeLast"), func(v T) bool {
				last.push(v)
				return true
			})
			if err = ended(ctx, err); err != nil {
				return err
			}
			older, newer := last.segments()
			return Concat(stream.FromSlice(older), stream.FromSlice(newer))(ctx, yield)
		}
	}
}

// TakeWhileOption changes how TakeWhile ends.
type TakeWhileOption uint8

// Inclusive makes TakeWhile emit the value that ends it too.
const Inclusive TakeWhileOption = 1

// TakeWhile emits values as long as keep is true, and completes at the first value for
// which keep is false. With [Inclusive] that value is emitted too.
func TakeWhile[T any](keep func(T) bool, options ...TakeWhileOption) stream.Operator[T, T] {
	mustHave("TakeWhile", "function", keep != nil)
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("TakeWhile", "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) error {
			over := false
			err := source(ctx, func(v T) bool {
				if keep(v) {
					return yield(v)
				}
				over = true
				if len(options) > 0 {
					yield(v)
				}
				return false
			})
			if over { // ended on purpose, so its error does not count
				err = context.Cause(ctx)
			}
			return err
		}
	}
}
