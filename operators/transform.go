package operators

import (
	"context"

	"github.com/rxipc/rxipc/stream"
)

// Map emits f of each value.
func Map[A, B any](f func(A) B) stream.Operator[A, B] {
	return func(source stream.Observable[A]) stream.Observable[B] {
		return func(ctx context.Context, yield func(B) bool) error {
			return source(ctx, func(a A) bool { return yield(f(a)) })
		}
	}
}

// MapErr emits f of each value and fails with the first error that f returns.
func MapErr[A, B any](f func(A) (B, error)) stream.Operator[A, B] {
	return func(source stream.Observable[A]) stream.Observable[B] {
		return func(ctx context.Context, yield func(B) bool) error {
			var failure error
			err := source(ctx, func(a A) bool {
				b, err := f(a)
				if err != nil {
					failure = err
					return false
				}
				return yield(b)
			})
			if failure != nil {
				return failure
			}
			return err
		}
	}
}

// ConcatMap runs project's observable for each value, one after the other, and
// emits what they emit. The source waits meanwhile: nothing is buffered, and
// nothing leaves the caller's goroutine. The first failure, of the source or of
// a projected observable, ends it.
func ConcatMap[A, B any](project func(A) stream.Observable[B]) stream.Operator[A, B] {
	return func(source stream.Observable[A]) stream.Observable[B] {
		return func(ctx context.Context, yield func(B) bool) error {
			var failure error
			wanted := true
			pass := func(b B) bool {
				wanted = yield(b)
				return wanted
			}
			err := source(ctx, func(a A) bool {
				failure = project(a)(ctx, pass)
				return failure == nil && wanted
			})
			if failure != nil {
				return failure
			}
			return err
		}
	}
}
