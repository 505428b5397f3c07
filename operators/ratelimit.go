package operators

import (
	"context"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// RateLimit emits at most count values within any period of the given length. A further
// value, and with it the source, waits until the value count places before it is a period
// old. No value is lost, and the run ends as the source does. It runs on its caller's
// goroutine and keeps the times of the values of one period, at most count. A count below
// one counts as one. A period of zero or less is no limit.
func RateLimit[T any](count int, period time.Duration) stream.Operator[T, T] {
	count = max(1, count)
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("RateLimit", "observable", source != nil)
		if period <= 0 {
			return source
		}
		return func(ctx context.Context, yield func(T) bool) error {
			var rest waiting
			defer rest.stop()
			start := time.Now()
			var recent fifo[time.Duration] // when the values of the last period were emitted
			return rest.run(func() error {
				return source(ctx, func(v T) bool {
					if recent.count == count {
						if !rest.wait(ctx, period-(time.Since(start)-recent.pop())) {
							return false
						}
					}
					now := time.Since(start)
					for recent.count > 0 && now-recent.first() >= period {
						recent.pop()
					}
					recent.push(now)
					return yield(v)
				})
			})
		}
	}
}
