package operators

import (
	"context"
	"errors"
	"runtime"
	"runtime/debug"
	"sync"

	"github.com/rxipc/rxipc/stream"
)

// aside runs main on the caller's goroutine, where its values cost nothing more than
// without it, and side on a goroutine of its own, beside it. No values cross: side is
// for what only decides about those of main's.
//
// side ends the run by calling end with an error, or returning one: main is cancelled,
// none of its values comes after that, and the run ends with the error. When main has
// ended side is cancelled, and awaited; how it ends then is of no interest. A panic or
// runtime.Goexit of side's reaches the caller.
func aside[T any](ctx context.Context, yield func(T) bool, main stream.Observable[T], side func(ctx context.Context, end func(error)) error) error {
	inner, cancel := context.WithCancelCause(ctx)
	var crash func() // what is left to do if side panicked or exited
	var joined sync.WaitGroup
	join := func() {
		cancel(nil)
		joined.Wait()
	}
	defer join() // also when main or yield panics
	joined.Go(func() {
		returned := false
		defer func() {
			if !returned {
				crash = crashed(recover())
				cancel(errUntil)
			}
		}()
		err := side(inner, cancel)
		returned = true
		if err != nil {
			cancel(err)
		}
	})
	turnedAway := false
	err := main(inner, func(v T) bool {
		turnedAway = inner.Err() != nil
		return !turnedAway && yield(v)
	})
	cause := context.Cause(inner) // nil unless ctx or side ended it
	join()
	switch {
	case crash != nil:
		crash()
		return nil // not reached
	case cause == nil, err == nil && !turnedAway, err != nil && !isEnd(err, cause):
		return err
	case ctx.Err() != nil: // both have ended: giving up counts
		return context.Cause(ctx)
	default:
		return cause
	}
}

// isEnd reports whether err only says that a run with that cause was cancelled.
func isEnd(err, cause error) bool { return errors.Is(err, cause) || errors.Is(err, context.Canceled) }

// crashed is what hands a recovered panic on, or a Goexit if that was none.
func crashed(value any) func() {
	if value == nil {
		return runtime.Goexit
	}
	p, handedOn := value.(*stream.PanicError)
	if !handedOn {
		p = &stream.PanicError{Value: value, Stack: debug.Stack()}
	}
	return func() { panic(p) }
}
