package operators

import (
	"context"

	"github.com/rxipc/rxipc/stream"
)

// Skip drops the first count values and emits the others. A count of zero or less
// drops none.
func Skip[T any](count int) stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("Skip", "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) error {
			left := count
			return source(ctx, func(v T) bool {
				if left > 0 {
					left--
					return true
				}
				return yield(v)
			})
		}
	}
}

// SkipLast drops the last count values. It emits each value when count more values have
// come, so it keeps count values. A count of zero or less drops none.
func SkipLast[T any](count int) stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("SkipLast", "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) error {
			held := ring[T]{size: count}
			return source(stream.WithBuffering(ctx, "SkipLast"), func(v T) bool {
				old, ok := held.push(v)
				return !ok || yield(old)
			})
		}
	}
}

// SkipWhile drops values as long as skip is true. It emits the first value for which skip
// is false and all values after it, for which skip is not called.
func SkipWhile[T any](skip func(T) bool) stream.Operator[T, T] {
	mustHave("SkipWhile", "function", skip != nil)
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("SkipWhile", "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) error {
			skipping := true
			return source(ctx, func(v T) bool {
				if skipping && skip(v) {
					return true
				}
				skipping = false
				return yield(v)
			})
		}
	}
}
