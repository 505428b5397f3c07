package operators

import (
	"context"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// Timestamped is a value with the time at which it came.
type Timestamped[T any] struct {
	Time  time.Time // when the value came
	Value T         // the value
}

// Timestamp emits each value with the time at which it came.
func Timestamp[T any]() stream.Operator[T, Timestamped[T]] {
	return called("Timestamp", Map(func(v T) Timestamped[T] { return Timestamped[T]{time.Now(), v} }))
}

// Spaced is a value with the time for which it was waited.
type Spaced[T any] struct {
	Interval time.Duration // since the value before, since the start of the run for the first
	Value    T             // the value
}

// TimeInterval emits each value with the time that passed since the one before came,
// or since the run began for the first. The time that a consumer takes is part of it.
func TimeInterval[T any]() stream.Operator[T, Spaced[T]] {
	return func(source stream.Observable[T]) stream.Observable[Spaced[T]] {
		mustHave("TimeInterval", "observable", source != nil)
		return func(ctx context.Context, yield func(Spaced[T]) bool) error {
			before := time.Now()
			return source(ctx, func(v T) bool {
				now := time.Now()
				interval := now.Sub(before)
				before = now
				return yield(Spaced[T]{interval, v})
			})
		}
	}
}
