package operators

import (
	"context"

	"github.com/rxipc/rxipc/stream"
)

// Catch continues with recover's observable when the source fails, after the values that
// the source has emitted. It does not recover from the end of the run's own context, whose
// cause it returns.
func Catch[T any](recover func(error) stream.Observable[T]) stream.Operator[T, T] {
	mustHave("Catch", "function", recover != nil)
	return catch("Catch", recover)
}

// catch is Catch for an operator that is built on it and gives its own name.
func catch[T any](name string, recover func(error) stream.Observable[T]) stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave(name, "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) error {
			wanted := true
			pass := func(v T) bool {
				wanted = yield(v)
				return wanted
			}
			err := source(ctx, pass)
			if err == nil || !wanted || ctx.Err() != nil {
				return ended(ctx, err)
			}
			instead := recover(err)
			mustHave(name, "observable from its function", instead != nil)
			return instead(ctx, yield)
		}
	}
}

// OnErrorReturn emits f of the error when the source fails, and completes. As [Catch], it
// does not recover from the end of the run's own context.
func OnErrorReturn[T any](f func(error) T) stream.Operator[T, T] {
	mustHave("OnErrorReturn", "function", f != nil)
	return catch("OnErrorReturn", func(err error) stream.Observable[T] { return stream.Just(f(err)) })
}

// DefaultIfEmpty emits value when the source completes without one.
func DefaultIfEmpty[T any](value T) stream.Operator[T, T] {
	return ifEmpty("DefaultIfEmpty", stream.Just(value))
}

// ThrowIfEmpty fails with err when the source completes without a value; a nil err
// is [stream.ErrEmpty].
func ThrowIfEmpty[T any](err error) stream.Operator[T, T] {
	if err == nil {
		err = stream.ErrEmpty
	}
	return ifEmpty("ThrowIfEmpty", stream.Throw[T](err))
}

// ifEmpty goes on with another observable when the source completes without a value.
func ifEmpty[T any](name string, instead stream.Observable[T]) stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave(name, "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) error {
			empty := true
			err := source(ctx, func(v T) bool {
				empty = false
				return yield(v)
			})
			if err = ended(ctx, err); err == nil && empty {
				return instead(ctx, yield)
			}
			return err
		}
	}
}

// Ending is the way in which a run ended, for [Finally].
type Ending uint8

// The ways in which a run ends.
const (
	Completed    Ending = iota // it completed
	Failed                     // it failed, or its context ended
	Unsubscribed               // the consumer wanted no more
	Aborted                    // a panic or a runtime.Goexit is on its way up
)

// String returns completed, failed, unsubscribed or aborted.
func (e Ending) String() string {
	switch e {
	case Completed:
		return "completed"
	case Failed:
		return "failed"
	case Unsubscribed:
		return "unsubscribed"
	default:
		return "aborted"
	}
}

// Finally calls f when the run has ended. Its argument how says whether the end was a
// completion, a failure, a consumer that wants no more, or a panic or runtime.Goexit. err
// is the error of a run that [Failed], which is the cause of its context if the context
// ended it. For other endings err is nil.
func Finally[T any](f func(how Ending, err error)) stream.Operator[T, T] {
	mustHave("Finally", "function", f != nil)
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("Finally", "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) (err error) {
			how := Aborted // unless source returns
			defer func() {
				if how == Failed {
					f(how, err)
				} else {
					f(how, nil)
				}
			}()
			wanted := true
			err = source(ctx, func(v T) bool {
				wanted = yield(v)
				return wanted
			})
			switch {
			case !wanted:
				how = Unsubscribed
			case err != nil:
				how = Failed
			default:
				how = Completed
			}
			return err
		}
	}
}
