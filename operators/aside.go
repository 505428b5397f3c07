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

// aside runs main on the caller's goroutine, where a value costs nothing extra, and side on
// a goroutine of its own. No values cross between them: side only decides about the values
// of main. Main begins when side is subscribed.
//
// side ends the run when it calls end with an error, or returns an error. Main is then
// cancelled, none of its values is emitted any more, and the run ends with the error of side,
// whatever main returns. If that happens before main began, main is not run. When main has
// ended, side is cancelled and awaited, and its result is ignored. A panic or runtime.Goexit
// of side reaches the caller.
func aside[T any](ctx context.Context, yield func(T) bool, main stream.Observable[T], side func(ctx context.Context, end func(error)) error) error {
	inner, cancel := context.WithCancelCause(ctx)
	var crash func() // repeats a panic or Goexit of side; nil if there was none
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

// readiness is the signal that side is subscribed, see [stream.OnSubscribed].
type readiness struct {
	begun chan struct{} // closed when the goroutine of side runs
	here  chan struct{} // closed when side is subscribed, or has ended
	tell  func()        // closes here
}

func newReadiness() *readiness {
	here := make(chan struct{})
	return &readiness{make(chan struct{}), here, sync.OnceFunc(func() { close(here) })}
}

// await returns when tell was called or ctx ends, and in any case after some turns of the
// scheduler and a few naps. That limit is for an observable that is a function of the
// user's: if it never calls [stream.Subscribed], tell is called only at its end. In a
// bubble of synctest the first nap lasts until all other goroutines wait.
func (r *readiness) await(ctx context.Context) {
	<-r.begun
	for range 100 {
		select {
		case <-r.here:
			return
		default:
			runtime.Gosched()
		}
	}
	nap := time.NewTimer(time.Nanosecond)
	defer nap.Stop()
	begin := time.Now()
	for p := new(patience); ; {
		select {
		case <-r.here:
			return
		case <-ctx.Done():
			return
		case now := <-nap.C:
			if !p.lasts(now.Sub(begin)) {
				return
			}
			begin = now
			nap.Reset(time.Millisecond)
		}
	}
}

// patience is for how long a goroutine waits for a signal that may never come: five naps
// of a millisecond. A nap that took twice as long does not count: the machine is busy, and
// the goroutine that is about to give the signal may stand still. The limit to all naps is
// a tenth of a second.
type patience struct {
	naps   int
	waited time.Duration
}

// lasts takes note of a nap and reports whether there is to be another.
func (p *patience) lasts(nap time.Duration) bool {
	p.waited += nap
	if nap < 2*time.Millisecond {
		p.naps++
	}
	return p.naps <= 5 && p.waited < 100*time.Millisecond
}

// isEnd reports whether err says no more than that a run with that cause was cancelled.
func isEnd(err, cause error) bool { return errors.Is(err, cause) || errors.Is(err, context.Canceled) }

// crashed returns a function that repeats a recovered panic, or a Goexit if value is nil.
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
