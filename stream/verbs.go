package stream

import (
	"cmp"
	"context"
	"errors"
	"iter"

	"github.com/rxipc/rxipc/fold"
)

// ForEach runs the observable to its end and calls f with each value. It
// returns the error the run ended with.
func (o Observable[T]) ForEach(ctx context.Context, f func(T)) error {
	return o(ctx, func(v T) bool { f(v); return true })
}

// Run runs the observable to its end for what it does, and drops its values.
func (o Observable[T]) Run(ctx context.Context) error {
	return o(ctx, func(T) bool { return true })
}

// Collect runs the observable to its end and returns its values; beside an
// error, those that came before it.
func (o Observable[T]) Collect(ctx context.Context) ([]T, error) {
	var values []T
	err := o(ctx, func(v T) bool { values = append(values, v); return true })
	return values, err
}

// First runs the observable up to its first value (RxJS: firstValueFrom). It
// fails with ErrEmpty if there is none.
func (o Observable[T]) First(ctx context.Context) fold.Attempt[T] {
	var first T
	found := false
	err := o(ctx, func(v T) bool { first, found = v, true; return false })
	return attempt(first, found, err)
}

// Last runs the observable to its end and gives its last value (RxJS:
// lastValueFrom). It fails with ErrEmpty if there is none, and with the run's
// error if it failed, whatever came before.
func (o Observable[T]) Last(ctx context.Context) fold.Attempt[T] {
	var last T
	found := false
	err := o(ctx, func(v T) bool { last, found = v, true; return true })
	return attempt(last, found, err)
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
// last pair, with the zero value beside the error. Leaving the loop ends the run.
func (o Observable[T]) Seq(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		wanted := true
		err := o(ctx, func(v T) bool {
			wanted = yield(v, nil)
			return wanted
		})
		if err != nil && wanted {
			var zero T
			yield(zero, err)
		}
	}
}

// Channel runs the observable on a goroutine of its own and sends its values to
// a channel of the given capacity, which it closes at the end. The function
// beside it waits for that end and returns the run's error. The run ends with
// ctx: a receiver that leaves early cancels it.
func (o Observable[T]) Channel(ctx context.Context, capacity int) (<-chan T, func() error) {
	values := make(chan T, capacity)
	ended := make(chan struct{})
	err := errExited // until the run returns
	go func() {
		defer close(ended)
		defer close(values)
		var abandoned error // why the last value could not be sent
		err = o(ctx, func(v T) bool {
			select {
			case values <- v:
				return true
			case <-ctx.Done():
				abandoned = context.Cause(ctx)
				return false
			}
		})
		err = cmp.Or(err, abandoned)
	}()
	return values, func() error { <-ended; return err }
}

// Observer is what Subscribe tells of a run. Each function may be nil.
type Observer[T any] struct {
	Next     func(T)     // each value
	Error    func(error) // the failure, once, and then nothing more
	Complete func()      // the completion, once, and then nothing more
}

// Subscription is a run in the background.
type Subscription struct {
	cancel context.CancelFunc
	ended  chan struct{}
	err    error
}

// Subscribe runs the observable on a goroutine of its own and tells observer
// what happens there, one call at a time. The run ends by itself, with ctx, or
// with Unsubscribe. A panic in the observer is a panic of the program, as in any
// goroutine.
func (o Observable[T]) Subscribe(ctx context.Context, observer Observer[T]) *Subscription {
	ctx, cancel := context.WithCancel(ctx)
	s := &Subscription{cancel: cancel, ended: make(chan struct{}), err: errExited}
	go func() {
		defer close(s.ended)
		defer cancel()
		s.err = o(ctx, func(v T) bool {
			if observer.Next != nil {
				observer.Next(v)
			}
			return true
		})
		switch {
		case s.err != nil && observer.Error != nil:
			observer.Error(s.err)
		case s.err == nil && observer.Complete != nil:
			observer.Complete()
		}
	}()
	return s
}

// Unsubscribe asks the run to end and does not wait for it, so that an observer
// may call it too. Doing it twice is fine.
func (s *Subscription) Unsubscribe() { s.cancel() }

// Done is closed when the run has ended and the observer knows.
func (s *Subscription) Done() <-chan struct{} { return s.ended }

// Wait waits for the end of the run and returns its error: context.Canceled
// after Unsubscribe.
func (s *Subscription) Wait() error {
	<-s.ended
	return s.err
}
