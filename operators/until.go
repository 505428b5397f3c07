package operators

import (
	"context"
	"errors"

	"github.com/rxipc/rxipc/stream"
)

// errUntil is the cause a source sees when TakeUntilDone ends it.
var errUntil = errors.New("operators: no longer wanted")

// TakeUntilDone emits what the source emits until stop is done, and completes
// then: the context that means "enough", where the run's own means "give up". It
// is what Rx.NET calls TakeUntil with a cancellation token. The source's run is
// cancelled and awaited before the completion. It costs no goroutine.
//
//	stop, finish := context.WithCancel(ctx)       // finish() ends the source …
//	operators.TakeUntilDone[int](stop)            // … and completes the rest
func TakeUntilDone[T any](stop context.Context) stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		return func(ctx context.Context, yield func(T) bool) error {
			inner, cancel := context.WithCancelCause(ctx)
			defer cancel(nil)
			release := context.AfterFunc(stop, func() { cancel(errUntil) })
			defer release()
			if stop.Err() != nil { // do not start what is over
				cancel(errUntil)
			}
			err := source(inner, yield)
			switch {
			case err == nil || context.Cause(inner) != errUntil || !isCancellation(err):
				return err
			case ctx.Err() != nil: // both have ended: giving up counts
				return context.Cause(ctx)
			default:
				return nil
			}
		}
	}
}

func isCancellation(err error) bool {
	return errors.Is(err, errUntil) || errors.Is(err, context.Canceled)
}
