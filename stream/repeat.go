package stream

import (
	"context"
	"math"
)

// Forever is the number of times that has no end.
const Forever = math.MaxInt

// Repeat runs the source so many times, each when the run before has completed, and
// emits what they emit; [Forever] is without end. The first failure ends it. Zero
// times or less emit nothing.
func Repeat[T any](source Observable[T], times int) Observable[T] {
	mustHave("Repeat", "observable", source != nil)
	return func(ctx context.Context, yield func(T) bool) error {
		wanted := true
		pass := func(v T) bool {
			wanted = yield(v)
			return wanted
		}
		for n := 0; times == Forever || n < times; n++ {
			if ctx.Err() != nil { // a source that emits nothing may not have looked
				return context.Cause(ctx)
			}
			err := source(ctx, pass)
			if !wanted {
				return nil // whatever the source says to that
			}
			if err != nil {
				return err
			}
		}
		return context.Cause(ctx)
	}
}

// Generate emits the values that the loop
//
//	for v := first; more(v); v = next(v)
//
// goes through, and completes with it. next is called only when one more value is
// wanted. Each run starts from first.
func Generate[T any](first T, more func(T) bool, next func(T) T) Observable[T] {
	mustHave("Generate", "function", more != nil && next != nil)
	return func(ctx context.Context, yield func(T) bool) error {
		for v := first; ; v = next(v) {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if !more(v) {
				return context.Cause(ctx)
			}
			if !yield(v) {
				return nil
			}
		}
	}
}
