package operators

import (
	"context"

	"github.com/rxipc/rxipc/stream"
)

// Catch goes on with recover's observable when the source fails; the values that
// came before stay delivered. The end of the run's own context is not a failure
// to recover from and passes through.
func Catch[T any](recover func(error) stream.Observable[T]) stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		return func(ctx context.Context, yield func(T) bool) error {
			err := source(ctx, yield)
			if err == nil || ctx.Err() != nil {
				return err
			}
			return recover(err)(ctx, yield)
		}
	}
}
