package operators

import (
	"context"

	"github.com/rxipc/rxipc/stream"
)

// Tap calls see with each value and emits it unchanged (ReactiveX: do).
func Tap[T any](see func(T)) stream.Operator[T, T] {
	mustHave("Tap", "function", see != nil)
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("Tap", "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) error {
			return source(ctx, func(v T) bool {
				see(v)
				return yield(v)
			})
		}
	}
}
