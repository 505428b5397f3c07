package operators

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/rxipc/rxipc/stream"
)

// errUnwanted is the cause of the context of a run that is ended because its values are no
// longer wanted.
var errUnwanted = errors.New("operators: no longer wanted")

// TakeUntilDone emits the values of the source until stop is done, and then completes. So
// the end of stop means "enough", and the end of the run's own context means "give up"
// (Rx.NET: TakeUntil with a cancellation token). The source is cancelled and awaited before
// the completion. It costs no goroutine.
//
//	stop, finish := context.WithCancel(ctx)       // finish() ends the source …
//	operators.TakeUntilDone[int](stop)            // … and completes the rest
func TakeUntilDone[T any](stop context.Context) stream.Operator[T, T] {
	mustHave("TakeUntilDone", "context", stop != nil)
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("TakeUntilDone", "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) error {
			inner, cancel := context.WithCancelCause(ctx)
			defer cancel(nil)
			if stop.Err() != nil || ctx.Err() != nil { // do not start what is over
				return context.Cause(ctx)
			}
			release := context.AfterFunc(stop, func() { cancel(errUnwanted) })
			defer release()
			err := source(inner, yield)
			if context.Cause(inner) == errUnwanted { // ended on purpose, so its error does not count
				return context.Cause(ctx)
			}
			return err
		}
	}
}

// TakeUntil emits the values of the source until the notifier emits, and then completes.
// The source is cancelled and awaited before, and its error is ignored. A completion of the
// notifier changes nothing. A failure of the notifier ends the run.
//
// The notifier is subscribed before the source begins. So a notifier that emits at once
// ends the run before the source runs, and a [stream.Subject] that it observes already has
// it as an observer. A notifier of your own that waits should call [stream.Subscribed]. If
// it does not, the source begins after about 20 ms, on a busy machine after up to a tenth
// of a second. Nothing is buffered. The source runs on the caller's goroutine, the notifier
// on one of its own. If both emit at the same moment, either may be first.
func TakeUntil[T, N any](notifier stream.Observable[N]) stream.Operator[T, T] {
	mustHave("TakeUntil", "observable", notifier != nil)
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("TakeUntil", "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) error {
			err := runBeside(ctx, yield, source, func(ctx context.Context, end func(error)) error {
				return notifier(ctx, func(N) bool {
					end(errUnwanted)
					return false
				})
			})
			if err == errUnwanted && ctx.Err() == nil {
				return nil
			}
			return err
		}
	}
}

// SkipUntil drops the values of the source until the notifier emits, and emits all later
// values. The notifier is stopped then, and its error is ignored. If the notifier completes
// without a value, all values of the source are dropped. If it fails before it emits, its
// failure ends the run. Otherwise the run ends as the source does. The notifier is
// subscribed before the source begins, as for [TakeUntil]. Nothing is buffered. The source
// runs on the caller's goroutine, the notifier on one of its own. If both emit at the same
// moment, either may be first.
func SkipUntil[T, N any](notifier stream.Observable[N]) stream.Operator[T, T] {
	mustHave("SkipUntil", "observable", notifier != nil)
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("SkipUntil", "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) error {
			var open atomic.Bool
			pass := func(v T) bool { return !open.Load() || yield(v) }
			return runBeside(ctx, pass, source, func(ctx context.Context, _ func(error)) error {
				err := notifier(ctx, func(N) bool {
					open.Store(true)
					return false
				})
				if open.Load() { // this is only the error of a notifier that was stopped
					return nil
				}
				return err
			})
		}
	}
}
