package operators

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// ErrTimeout says that a value did not come in the time that [Timeout] gives it. For
// errors.Is it is also [context.DeadlineExceeded].
var ErrTimeout error = lateness{}

type lateness struct{}

func (lateness) Error() string        { return "operators: no value came in time" }
func (lateness) Is(target error) bool { return target == context.DeadlineExceeded }
func (lateness) Timeout() bool        { return true }

// TimeoutError is the failure of a [Timeout]. For errors.Is it is [ErrTimeout] and
// [context.DeadlineExceeded].
type TimeoutError struct {
	After time.Duration // how long the value was waited for
	Stage string        // the path of the [Named] stage that was waited for; empty if there was none
	Err   error         // the error that the source returned when it was cancelled, if it says more than that; may be nil
}

// Error gives the time, the stage and the error of the source, as far as they are known.
func (e *TimeoutError) Error() string {
	message := "operators: no value came within " + e.After.String()
	if e.Stage != "" {
		message += " from " + e.Stage
	}
	if e.Err != nil {
		message += ": " + e.Err.Error()
	}
	return message
}

// Is reports whether the target is [ErrTimeout] or [context.DeadlineExceeded].
func (e *TimeoutError) Is(target error) bool {
	return target == ErrTimeout || ErrTimeout.(lateness).Is(target)
}

// Unwrap returns the error of the source, if there is one.
func (e *TimeoutError) Unwrap() error { return e.Err }

// Timeout returns true, as net.Error wants it.
func (e *TimeoutError) Timeout() bool { return true }

// Timeout emits the values of the source, and fails with a [*TimeoutError] when the source
// needs longer than d for a value or its end. The time begins with the run, and again each
// time yield returns; the time that yield takes does not count. Values that came in time
// are emitted before the failure, and no value is ever pending. The source is cancelled and
// awaited before the failure. If its error says more than that it was cancelled, the
// TimeoutError keeps it. With a d of zero or less only values that are there at once come
// in time.
//
// The error names the [Named] stages of the source that ran and had no value under way.
//
// The source runs on a goroutine of its own. While yield runs, at most
// [stream.DefaultBuffer] values wait; the source waits when there are more.
func Timeout[T any](d time.Duration) stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("Timeout", "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) error {
			here := new(timeoutRun)
			var alarm stream.Alarm
			alarm.Set(d)
			var expired atomic.Pointer[TimeoutError]
			var answer error // of the source
			err := stream.Timed(stream.WithBuffering(context.WithValue(ctx, timeoutRunKey{}, here), "Timeout"), func(ctx context.Context, yield func(T) bool) error {
				inner, cancel := context.WithCancelCause(uncancelled{ctx})
				defer cancel(nil)
				defer context.AfterFunc(ctx, func() {
					if late := expired.Load(); late != nil {
						cancel(late)
					}
					cancel(context.Cause(ctx))
				})()
				answer = source(inner, yield)
				return answer
			}, &alarm, func(v T) bool {
				wanted := yield(v)
				alarm.Set(d)
				return wanted
			}, func() bool {
				expired.Store(&TimeoutError{After: d, Stage: here.waiting()})
				return false
			})
			late := expired.Load()
			if late == nil || err != nil {
				return err
			}
			return late.answered(answer)
		}
	}
}

// TimeoutFirst emits the values of the source, and fails with a [*TimeoutError] if neither
// the first value nor the end comes within d of the start of the run. Later values have no
// limit (RxJS: timeout, with first). As for [Timeout], the source is cancelled and awaited
// before the failure. The source runs on the caller's goroutine and nothing is buffered.
// With a d of zero or less the run fails before it begins.
func TimeoutFirst[T any](d time.Duration) stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("TimeoutFirst", "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) error {
			late := &TimeoutError{After: d}
			if d <= 0 {
				return cmp.Or(context.Cause(ctx), error(late))
			}
			here := new(timeoutRun)
			inner, cancel := context.WithCancelCause(context.WithValue(ctx, timeoutRunKey{}, here))
			defer cancel(nil)
			done := make(chan struct{})
			timer := time.AfterFunc(d, func() {
				defer close(done)
				late.Stage = here.waiting()
				cancel(late)
			})
			expired := sync.OnceValue(func() bool { // stops the timer
				if timer.Stop() {
					return false
				}
				<-done
				return true
			})
			defer expired()
			first := true
			err := source(inner, func(v T) bool {
				if first {
					first = false
					if expired() {
						return false
					}
				}
				return yield(v)
			})
			switch {
			case !expired():
				return err
			case ctx.Err() != nil:
				return context.Cause(ctx)
			default:
				return late.answered(err)
			}
		}
	}
}

// answered returns the failure with the error answer of the cancelled source, if it says
// more.
func (e *TimeoutError) answered(answer error) error {
	if errors.Is(answer, e) { // the error says itself that it was a timeout, and maybe why
		return answer
	}
	if answer != context.Canceled {
		e.Err = answer
	}
	return e
}

// uncancelled is a context that does not end, but has the deadline of its parent. It is for
// a run that is ended with another cause.
type uncancelled struct{ context.Context }

func (uncancelled) Done() <-chan struct{} { return nil }
func (uncancelled) Err() error            { return nil }
