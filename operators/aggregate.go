package operators

import (
	"cmp"
	"context"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/stream"
)

// Count emits the number of values when the source completes. A failure emits
// nothing.
func Count[T any]() stream.Operator[T, int] {
	return reduce("Count", zero[int], func(count int, _ T) int { return count + 1 })
}

// Sum emits the sum of the values when the source completes, zero if there were
// none. Integers wrap around when they overflow. A failure emits nothing.
func Sum[T fold.Number]() stream.Operator[T, T] {
	return reduce("Sum", zero[T], func(sum, v T) T { return sum + v })
}

func zero[T any]() (none T) { return none }

// Min emits the least value when the source completes; without one it completes
// empty. A NaN among the values makes it NaN, as for the built-in min. A failure
// emits nothing. [Fold] with [fold.Lift] finds the least by another order.
func Min[T cmp.Ordered]() stream.Operator[T, T] {
	return best("Min", func(least, v T) T { return min(least, v) })
}

// Max emits the greatest value when the source completes; without one it completes
// empty. A NaN among the values makes it NaN, as for the built-in max. A failure
// emits nothing. [Fold] with [fold.Lift] finds the greatest by another order.
func Max[T cmp.Ordered]() stream.Operator[T, T] {
	return best("Max", func(greatest, v T) T { return max(greatest, v) })
}

// best emits the value that is left when better has chosen between each two, if there were
// values.
func best[T any](name string, better func(best, v T) T) stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave(name, "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) error {
			var best T
			found := false
			err := source(ctx, func(v T) bool {
				if found {
					v = better(best, v)
				}
				best, found = v, true
				return true
			})
			if !found {
				return ended(ctx, err)
			}
			return conclude(ctx, err, best, yield)
		}
	}
}

// Average emits the arithmetic mean of the values when the source completes; without
// a value it completes empty. It adds up in float64. A failure emits nothing.
func Average[T fold.Number]() stream.Operator[T, float64] {
	return func(source stream.Observable[T]) stream.Observable[float64] {
		mustHave("Average", "observable", source != nil)
		return func(ctx context.Context, yield func(float64) bool) error {
			sum, count := 0.0, 0
			err := source(ctx, func(v T) bool {
				sum += float64(v)
				count++
				return true
			})
			if count == 0 {
				return ended(ctx, err)
			}
			return conclude(ctx, err, sum/float64(count), yield)
		}
	}
}

// All emits whether match is true for all values (RxJS: every). It emits false and
// completes at the first value for which match is false. It emits true when the source
// completes, also without a value. A failure emits nothing.
func All[T any](match func(T) bool) stream.Operator[T, bool] {
	mustHave("All", "function", match != nil)
	return func(source stream.Observable[T]) stream.Observable[bool] {
		mustHave("All", "observable", source != nil)
		return func(ctx context.Context, yield func(bool) bool) error {
			all := true
			err := source(ctx, func(v T) bool {
				all = match(v)
				return all
			})
			if !all { // ended on purpose, so its error does not count
				err = nil
			}
			return conclude(ctx, err, all, yield)
		}
	}
}

// Any emits whether match is true for at least one value. It emits true and completes at
// the first value for which match is true. It emits false when the source completes, also
// without a value. A failure emits nothing.
func Any[T any](match func(T) bool) stream.Operator[T, bool] {
	mustHave("Any", "function", match != nil)
	return func(source stream.Observable[T]) stream.Observable[bool] {
		mustHave("Any", "observable", source != nil)
		return func(ctx context.Context, yield func(bool) bool) error {
			found := false
			err := source(ctx, func(v T) bool {
				found = match(v)
				return !found
			})
			if found { // ended on purpose, so its error does not count
				err = nil
			}
			return conclude(ctx, err, found, yield)
		}
	}
}

// Contains emits whether a value equals the given one. It emits true and completes at the
// first equal value. It emits false when the source completes without one. A failure emits
// nothing.
func Contains[T comparable](value T) stream.Operator[T, bool] {
	return called("Contains", Any(func(v T) bool { return v == value }))
}
