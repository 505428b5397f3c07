package operators

import (
	"context"
	"errors"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// aside runs main on the caller's goroutine, where its values cost nothing more than
// without it, and side on a goroutine of its own, beside it. No values cross: side is
// for what only decides about those of main's. Main begins when side is subscribed.
//
// side ends the run by calling end with an error, or returning one: main is cancelled,
// none of its values comes after that, and the run ends with the error, whatever main
// says to that; main is not run if that comes first. When main has ended side is
// cancelled, and awaited; how it ends then is of no interest. A panic or runtime.Goexit
// of side's reaches the caller.
func aside[T any](ctx context.Context, yield func(T) bool, main stream.Observable[T], side func(ctx context.Context, end func(error)) error) error {
	inner, cancel := context.WithCancelCause(ctx)
	var crash func() // what is left to do if side panicked or exited
	var joined sync.WaitGroup
	join := func() {
		cancel(nil)
		joined.Wait()
	}
	defer join() // also when main or yield panics
	ready := newReadiness()
	joined.Go(func() {
		close(ready.begun)
		defer ready.tell()
		returned := false
		defer func() {
			if !returned {
				crash = crashed(recover())
				cancel(errUntil)
			}
		}()
		err := side(stream.OnSubscribed(inner, ready.tell), cancel)
		returned = true
		if err != nil {
			cancel(err)
		}
	})
	ready.await(inner)
	var err error
	if inner.Err() == nil {
		err = main(inner, func(v T) bool { return inner.Err() == nil && yield(v) })
	}
	cause := context.Cause(inner) // nil unless ctx or side ended it
	join()
	switch {
	case crash != nil:
		crash()
		return nil // not reached
	case cause == nil:
		return err
	case ctx.Err() == nil:
		return cause
	case cause == context.Cause(ctx) && err != nil && !isEnd(err, cause):
		return err
	default: // both may have ended: giving up counts
		return context.Cause(ctx)
	}
}

// readiness is how what is beside a source says that it is subscribed: see
// [stream.OnSubscribed].
type readiness struct {
	begun chan struct{} // closed when its goroutine runs
	here  chan struct{}
	tell  func() // says it, or that there is nothing more to wait for
}

func newReadiness() *readiness {
	here := make(chan struct{})
	return &readiness{make(chan struct{}), here, sync.OnceFunc(func() { close(here) })}
}

// await waits until it is told, or ctx ends. Of a function of the user's it is never
// told, if that waits without a word: so others get time enough to come to that point,
// and then the wait is over. In a bubble of synctest the first sleep is until all others
// wait.
func (r *readiness) await(ctx context.Context) {
	<-r.begun
	const turns, naps, sleeps = 100, 10, 5
	for n := range turns + naps + sleeps {
		select {
		case <-r.here:
			return
		case <-ctx.Done():
			return
		default:
		}
		switch {
		case n < turns:
			runtime.Gosched()
		case n < turns+naps:
			time.Sleep(time.Nanosecond)
		default: // the machine may be busy
			time.Sleep(time.Millisecond)
		}
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
