package operators

import (
	"context"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// RateLimit emits at most count values within any period of the given length: a value
// that is more waits until the count-th before it is a period old, and the source with
// it. Nothing is lost and nothing else is pending: it ends as the source does. It runs on
// its caller's goroutine and keeps count times. A count below one is one; a period of
// zero or less is no limit.
func RateLimit[T any](count int, period time.Duration) stream.Operator[T, T] {
	count = max(1, count)
	return func(source stream.Observable[T]) stream.Observable[T] {
		return func(ctx context.Context, yield func(T) bool) error {
			var rest waiting
			defer rest.stop()
			var emitted []time.Time // a ring of the last count times
			oldest := 0
			return rest.run(func() error {
				return source(ctx, func(v T) bool {
					if len(emitted) < count {
						emitted = append(emitted, time.Now())
						return yield(v)
					}
					if !rest.wait(ctx, period-time.Since(emitted[oldest])) {
						return false
					}
					emitted[oldest] = time.Now()
					oldest = (oldest + 1) % count
					return yield(v)
				})
			})
		}
	}
}
