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

// runBeside runs main on the caller's goroutine, where a value costs nothing extra, and side
// on a goroutine of its own. No values cross between them: side only decides about the values
// of main. Main begins when side is subscribed.
//
// side ends the run when it calls end with an error, or returns an error. Main is then
// cancelled, its values are dropped, and the run ends with the error of side, whatever main
// returns. If that happens before main began, main is not run. When main has ended, side is
// cancelled and awaited, and its result is ignored. A panic or runtime.Goexit of side reaches
// the caller.
func runBeside[T any](ctx context.Context, yield func(T) bool, main stream.Observable[T], side func(ctx context.Context, end func(error)) error) error {
	inner, cancel := context.WithCancelCause(ctx)
	var repanic func() // repeats a panic or Goexit of side; nil if there was none
	var joined sync.WaitGroup
	join := func() {
		cancel(nil)
		joined.Wait()
	}
	defer join() // also when main or yield panics
	ready := newSubscribedSignal()
	joined.Go(func() {
		close(ready.started)
		defer ready.signal()
		returned := false
		defer func() {
			if !returned {
				repanic = repanicOf(recover())
				cancel(errUnwanted)
			}
		}()
		err := side(stream.OnSubscribed(inner, ready.signal), cancel)
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
	case repanic != nil:
		repanic()
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

// subscribedSignal is the signal that side is subscribed, see [stream.OnSubscribed].
type subscribedSignal struct {
	started    chan struct{} // closed when the goroutine of side runs
	subscribed chan struct{} // closed when side is subscribed or has ended
	signal     func()        // closes subscribed
}

func newSubscribedSignal() *subscribedSignal {
	subscribed := make(chan struct{})
	return &subscribedSignal{make(chan struct{}), subscribed, sync.OnceFunc(func() { close(subscribed) })}
}

// await returns when signal was called or ctx ends. It also returns after a hundred calls of
// Gosched and up to twenty sleeps of a millisecond. That limit is for an observable of the user's
// that never calls [stream.Subscribed]: there signal is called only at the end. In a bubble
// of synctest the first sleep lasts until all other goroutines wait.
func (r *subscribedSignal) await(ctx context.Context) {
	<-r.started
	for range 100 {
		select {
		case <-r.subscribed:
			return
		default:
			runtime.Gosched()
		}
	}
	sleep := time.NewTimer(time.Nanosecond)
	defer sleep.Stop()
	begin := time.Now()
	for budget := new(waitBudget); ; {
		select {
		case <-r.subscribed:
			return
		case <-ctx.Done():
			return
		case now := <-sleep.C:
			if !budget.spend(now.Sub(begin)) {
				return
			}
			begin = now
			sleep.Reset(time.Millisecond)
		}
	}
}

// waitBudget limits the wait for a signal that may never come to twenty sleeps of a millisecond.
// The system may take a thread that is about to signal from its processor for more than ten
// milliseconds. A sleep that took twice as long does not count: the machine is busy, and this
// goroutine did not run either. All sleeps together take at most a tenth of a second. A sleep of
// exactly a millisecond counts as four. It was in a bubble of synctest, where all other goroutines
// have run by then.
type waitBudget struct {
	sleeps int
	waited time.Duration
}

// spend notes how long a sleep took and reports whether there may be another.
func (b *waitBudget) spend(sleep time.Duration) bool {
	b.waited += sleep
	switch {
	case sleep == time.Millisecond:
		b.sleeps += 4
	case sleep < 2*time.Millisecond:
		b.sleeps++
	}
	return b.sleeps <= 20 && b.waited < 100*time.Millisecond
}

// isEnd reports whether err only says that a run with that cause was cancelled.
func isEnd(err, cause error) bool { return errors.Is(err, cause) || errors.Is(err, context.Canceled) }

// repanicOf returns a function that repeats a recovered panic, or a Goexit if value is nil.
func repanicOf(value any) func() {
	if value == nil {
		return runtime.Goexit
	}
	p, handedOn := value.(*stream.PanicError)
	if !handedOn {
		p = &stream.PanicError{Value: value, Stack: debug.Stack()}
	}
	return func() { panic(p) }
}
