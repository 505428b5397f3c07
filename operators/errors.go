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

// OnErrorReturn emits f of the error when the source fails, and completes. As with
// [Catch], the end of the run's own context passes through.
func OnErrorReturn[T any](f func(error) T) stream.Operator[T, T] {
	return Catch(func(err error) stream.Observable[T] { return stream.Just(f(err)) })
}

// DefaultIfEmpty emits value when the source completes without one.
func DefaultIfEmpty[T any](value T) stream.Operator[T, T] { return ifEmpty(stream.Just(value)) }

// ThrowIfEmpty fails with err when the source completes without a value; a nil err
// is [stream.ErrEmpty].
func ThrowIfEmpty[T any](err error) stream.Operator[T, T] {
	if err == nil {
		err = stream.ErrEmpty
	}
	return ifEmpty(stream.Throw[T](err))
}

// ifEmpty goes on with another observable when the source completes without a value.
func ifEmpty[T any](instead stream.Observable[T]) stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		return func(ctx context.Context, yield func(T) bool) error {
			empty := true
			err := source(ctx, func(v T) bool {
				empty = false
				return yield(v)
			})
			if err == nil && empty {
				return instead(ctx, yield)
			}
			return err
		}
	}
}

// Finally calls f when the run has ended, however that was: completion, failure, a
// consumer that wants no more, the end of its context, a panic or a runtime.Goexit.
func Finally[T any](f func()) stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		return func(ctx context.Context, yield func(T) bool) error {
			defer f()
			return source(ctx, yield)
		}
	}
}
