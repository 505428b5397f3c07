package stream

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"sync/atomic"

	"github.com/rxipc/rxipc/fold"
)

// The verbs that run an observable to its end take no completion for one if ctx is done
// by then, whatever the observable says: they return the cause.

// ForEach runs the observable to its end and calls f with each value. It
// returns the error the run ended with.
func (o Observable[T]) ForEach(ctx context.Context, f func(T)) error {
	return endedBy(ctx, o(ctx, func(v T) bool { f(v); return true }), context.Cause)
}

// Run runs the observable to its end for what it does, and drops its values.
func (o Observable[T]) Run(ctx context.Context) error {
	return endedBy(ctx, o(ctx, func(T) bool { return true }), context.Cause)
}

// Collect runs the observable to its end and returns its values; beside an
// error, those that came before it.
func (o Observable[T]) Collect(ctx context.Context) (values []T, err error) {
	err = endedBy(ctx, o(ctx, func(v T) bool { values = append(values, v); return true }), context.Cause)
	return values, err
}

// First runs the observable up to its first value (RxJS: firstValueFrom). It
// fails with ErrEmpty if there is none.
func (o Observable[T]) First(ctx context.Context) fold.Attempt[T] {
	var first T
	found := false
	err := o(ctx, func(v T) bool {
		if !found {
			first, found = v, true
		}
		return false
	})
	if found { // no more was wanted, whatever the source says to that
		return fold.Try(first, nil)
	}
	return attempt(first, found, ended(ctx, err))
}

// Last runs the observable to its end and gives its last value (RxJS:
// lastValueFrom). It fails with ErrEmpty if there is none, and with the run's
// error if it failed, whatever came before.
func (o Observable[T]) Last(ctx context.Context) fold.Attempt[T] {
	var last T
	found := false
	err := o(ctx, func(v T) bool { last, found = v, true; return true })
	return attempt(last, found, ended(ctx, err))
}

// errExited is the error of a run that neither returned nor panicked.
var errExited = errors.New("stream: the goroutine of the run has exited")

func attempt[T any](v T, found bool, err error) fold.Attempt[T] {
	if err == nil && !found {
		err = ErrEmpty
	}
	return fold.Try(v, err)
}

// Seq turns the observable into an iterator, for a range loop. A failure is the
// last pair, with the zero value beside the error. Leaving the loop ends the run; what
// the observable emits or says after that is dropped.
func (o Observable[T]) Seq(ctx context.Context) iter.Seq2[T, error] {
	mustHave("Seq", "observable", o != nil)
	return func(yield func(T, error) bool) {
		wanted := true
		err := ended(ctx, o(ctx, func(v T) bool {
			wanted = wanted && yield(v, nil)
			return wanted
		}))
		if err != nil && wanted {
			var zero T
			yield(zero, err)
		}
	}
}

// Channel runs the observable on a goroutine of its own and sends its values to
// a channel, which it closes at the end. At most capacity values wait there; zero or less
// is none, as in any channel without a buffer. Memory is taken for what waits, not for
// what may wait: of a capacity above [DefaultBuffer] the channel has that much, and the
// others wait in front of it. The function beside it waits for the end and returns the
// run's error. The run ends with ctx: a receiver that leaves early cancels it.
func (o Observable[T]) Channel(ctx context.Context, capacity int) (<-chan T, func() error) {
	mustHave("Channel", "observable", o != nil)
	if capacity > DefaultBuffer {
		o = Buffered(o, capacity-DefaultBuffer, Block)
	}
	values := make(chan T, min(max(0, capacity), DefaultBuffer))
	over := make(chan struct{})
	err := errExited // until the run returns
	go func() {
		defer close(over)
		defer close(values)
		var abandoned error // why the last value could not be sent
		err = o(WithBuffering(ctx, "Channel"), func(v T) bool {
			select {
			case values <- v:
				return true
			case <-ctx.Done():
				abandoned = context.Cause(ctx)
				return false
			}
		})
		err = ended(ctx, cmp.Or(err, abandoned))
	}()
	return values, func() error { <-over; return err }
}

// Observer is what Subscribe tells of a run. Each function may be nil.
type Observer[T any] struct {
	Next     func(T)     // each value
	Error    func(error) // the failure, once, and then nothing more
	Complete func()      // the completion, once, and then nothing more
}

// Subscription is a run in the background.
type Subscription struct {
	cancel       context.CancelFunc
	unsubscribed atomic.Bool
	ended        chan struct{}
	err          error
}

// Subscribe runs the observable on a goroutine of its own and tells observer
// what happens there, one call at a time. The run ends by itself, with ctx, which the
// observer gets as a failure with the cause, or with Unsubscribe, after which the observer
// gets nothing. A panic in the observer is a panic of the program, as in any goroutine.
func (o Observable[T]) Subscribe(ctx context.Context, observer Observer[T]) *Subscription {
	mustHave("Subscribe", "observable", o != nil)
	ctx, cancel := context.WithCancel(ctx)
	s := &Subscription{cancel: cancel, ended: make(chan struct{}), err: errExited}
	go func() {
		defer close(s.ended)
		defer cancel()
		s.err = ended(ctx, o(ctx, func(v T) bool {
			if observer.Next != nil && !s.unsubscribed.Load() {
				observer.Next(v)
			}
			return !s.unsubscribed.Load()
		}))
		switch {
		case s.unsubscribed.Load():
		case s.err != nil && observer.Error != nil:
			observer.Error(s.err)
		case s.err == nil && observer.Complete != nil:
			observer.Complete()
		}
	}()
	return s
}

// Unsubscribe asks the run to end and does not wait for it, so that an observer
// may call it too. The observer gets nothing from then on, apart from a call that has
// begun: neither an error nor a completion. Doing it twice is fine.
func (s *Subscription) Unsubscribe() {
	s.unsubscribed.Store(true)
	s.cancel()
}

// Done is closed when the run has ended and the observer knows, if it is to know.
func (s *Subscription) Done() <-chan struct{} { return s.ended }

// Wait waits for the end of the run and returns its error: context.Canceled
// after Unsubscribe.
func (s *Subscription) Wait() error {
	<-s.ended
	return s.err
}
