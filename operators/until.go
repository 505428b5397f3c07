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

// TakeUntilDone emits what the source emits until stop is done, and completes
// then: the context that means "enough", where the run's own means "give up". It
// is what Rx.NET calls TakeUntil with a cancellation token. The source's run is
// cancelled and awaited before the completion. It costs no goroutine.
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

// TakeUntil emits what the source emits until the notifier emits, and completes then;
// the source's run is cancelled and awaited before, and what it answers to that is of no
// interest. A notifier that only completes changes nothing, one that fails ends it with
// its failure.
//
// The notifier is subscribed before the source begins: what it emits at once ends the run
// before the source is run, and a [stream.Subject] that it observes has it among its
// observers. A notifier of your own that waits calls [stream.Subscribed]. If it does not, the
// source begins after about 20 ms, on a busy machine after up to a tenth of a second. Nothing is
// buffered: the source runs on the caller's goroutine, the notifier on one of its own, so that
// of two that emit in the same moment either may be first.
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

// SkipUntil drops what the source emits until the notifier emits, and emits all that
// comes after; the notifier is stopped then, and what it answers to that is of no
// interest. One that completes without a value lets
// nothing through any more, one that fails before ends it with its failure. It ends with
// the source. The notifier is subscribed before the source begins, as for [TakeUntil].
// Nothing is buffered: the source runs on the caller's goroutine, the notifier on one of its own, so that of two that emit in the same moment either may be
// first.
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
				if open.Load() { // it only answers that it was stopped
					return nil
				}
				return err
			})
		}
	}
}
