package stream

import (
	"context"
	"errors"
	"fmt"
)

// Using acquires a resource for each run, emits what use's observable emits, and
// releases the resource when that run has ended, however that was: completion,
// failure, a consumer that wants no more, the end of the context, a panic or a
// runtime.Goexit. It fails with the error of acquire, and releases nothing then; a
// run whose context has ended acquires nothing. All three functions are called on
// the goroutine of the run.
func Using[R, T any](acquire func(context.Context) (R, error), use func(R) Observable[T], release func(R)) Observable[T] {
	mustHave("Using", "function", acquire != nil && use != nil && release != nil)
	return func(ctx context.Context, yield func(T) bool) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		resource, err := acquire(ctx)
		if err != nil {
			return answer(ctx, err)
		}
		defer release(resource)
		source := use(resource)
		mustHave("Using", "observable", source != nil)
		return ended(ctx, source(ctx, yield))
	}
}

// Future calls f once in each run, on its goroutine, and emits the value it returns
// or fails with its error (Rx: from a future, or a promise). f ought to return when
// its context ends, with any error: the run then ends with the context's cause, and with
// the error beside it if that says more than that the context ended.
func Future[T any](f func(context.Context) (T, error)) Observable[T] {
	mustHave("Future", "function", f != nil)
	return func(ctx context.Context, yield func(T) bool) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		v, err := f(ctx)
		if err != nil || ctx.Err() != nil {
			return answer(ctx, err)
		}
		if yield(v) {
			return context.Cause(ctx)
		}
		return nil
	}
}

// answer returns how a run ends after its function returned err. If the context is done,
// the result has the context's cause, which the function need not know, and err if that
// says more.
func answer(ctx context.Context, err error) error {
	switch cause := context.Cause(ctx); {
	case cause == nil:
		return err
	case err == nil || err == ctx.Err():
		return cause
	case errors.Is(err, cause):
		return err
	default:
		return fmt.Errorf("%w: %w", cause, err)
	}
}
