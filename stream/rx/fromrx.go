package rx

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/reactivex/rxgo/v2"

	"github.com/rxipc/rxipc/stream"
)

// FromRx emits the items of an RxGo observable, single or optional single. Each item must be a
// T; a nil item becomes nil if T has nil. Each run observes the source, so the result is cold
// if the source is: the observables of rxgo.Defer, Just and Range, followed by Map, Filter and
// most operators. For observables that can be observed only once, see [FromRxFunc].
//
// RxGo gets the run's context, instead of a context from rxgo.WithContext. A run that ends early
// cancels it and receives items until RxGo has closed its channel, for at most a second: see
// [ErrStuck]. If RxGo never closes the channel (rxgo.FromChannel and FromEventSource), the run
// stops receiving at once and leaves the channel to its other readers.
//
// FromRx buffers nothing: RxGo's channels have the buffers that they were made with, and each
// operator holds one more value. The run fails with the first error item, and with a
// [*TypeError] for an item of another type.
func FromRx[T any](source rxgo.Iterable) stream.Observable[T] {
	return FromRxFunc[T](func(context.Context) rxgo.Iterable { return source })
}

// FromRxFunc is [FromRx] of an observable that is built for each run. It makes observables cold
// that RxGo starts when they are built (Merge, Concat, Create, Retry, StartWith …) or that can
// be observed only once (FlatMap, Debounce, BufferWithTime …). Pass ctx, the run's context, on
// with rxgo.WithContext, so that everything that RxGo has started ends with it.
func FromRxFunc[T any, I rxgo.Iterable](build func(ctx context.Context) I) stream.Observable[T] {
	return func(ctx context.Context, yield func(T) bool) error {
		return from(ctx, build, values(yield))
	}
}

func from[I rxgo.Iterable](ctx context.Context, build func(context.Context) I, take func(any) (bool, error)) error {
	r := newRun(ctx)
	return r.deliver(func() <-chan rxgo.Item {
		return r.observe(build(r.ctx), rxgo.WithContext(r.ctx))
	}, take)
}

// values returns a function that converts items and passes them to yield.
func values[T any](yield func(T) bool) func(any) (bool, error) {
	return func(item any) (bool, error) {
		v, err := valueOf[T](item)
		if err != nil {
			return false, err
		}
		return yield(v), nil
	}
}

// stopTimeout is the time that a run waits for RxGo to end after cancelling it.
const stopTimeout = time.Second

// run is one run through RxGo.
type run struct {
	outer  context.Context // of the caller
	ctx    context.Context // of RxGo, ends with the run
	cancel context.CancelFunc
	items  <-chan rxgo.Item // of RxGo, nil when it is closed
	quiet  bool             // items may stay open when ctx ends

	joined sync.WaitGroup // running sources
	mu     sync.Mutex
	crash  func() // repeats the panic or Goexit of a source; nil without one
}

func newRun(ctx context.Context) *run {
	r := &run{outer: ctx}
	r.ctx, r.cancel = context.WithCancel(ctx)
	return r
}

// observe subscribes to the last observable of the chain.
func (r *run) observe(it rxgo.Iterable, options ...rxgo.Option) <-chan rxgo.Item {
	r.quiet = staysOpen(it)
	return it.Observe(options...)
}

// deliver calls take with the items of the channel that start returns, on the caller's
// goroutine. Everything that the run started has ended when it returns.
func (r *run) deliver(start func() <-chan rxgo.Item, take func(item any) (more bool, err error)) error {
	defer r.end() // also when start or take panics
	err := r.outcome(start, take)
	if !r.end() {
		err = errors.Join(err, ErrStuck)
	}
	if r.crash != nil {
		r.crash()
	}
	return err
}

func (r *run) outcome(start func() <-chan rxgo.Item, take func(any) (bool, error)) error {
	if r.outer.Err() != nil {
		return context.Cause(r.outer)
	}
	r.items = start()
	for {
		item, open := r.receive()
		switch {
		case r.outer.Err() != nil:
			return context.Cause(r.outer)
		case !open:
			return nil
		case item.E != nil:
			return item.E
		}
		if more, err := take(item.V); err != nil || !more {
			return err
		}
	}
}

// receive waits for an item. It returns none when RxGo has closed its channel or the run's
// context is done.
func (r *run) receive() (item rxgo.Item, open bool) {
	select {
	case item, open = <-r.items:
	default:
		select {
		case item, open = <-r.items:
		case <-r.ctx.Done():
			return rxgo.Item{}, false
		}
	}
	if !open {
		r.items = nil
	}
	return item, open
}

// end cancels the run, waits until its sources and RxGo have ended, and reports whether RxGo
// ended in time.
func (r *run) end() bool {
	r.mu.Lock() // a source has either entered before, or finds the context done
	r.cancel()
	r.mu.Unlock()
	inTime := r.items == nil || r.quiet || drain(r.items)
	r.items = nil
	r.joined.Wait()
	return inTime
}

// drain receives items until the channel is closed, and reports whether it was in time.
func drain(items <-chan rxgo.Item) bool {
	timeout := time.NewTimer(stopTimeout)
	defer timeout.Stop()
	for {
		select {
		case _, open := <-items:
			if !open {
				return true
			}
		case <-timeout.C:
			return false
		}
	}
}

// enter registers a source that is about to run, and reports whether it may run. It may not after
// the end of the run: RxGo's Concat starts its next source when the context ends the one before.
func (r *run) enter() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx.Err() != nil {
		return false
	}
	r.joined.Add(1)
	return true
}

// crashed records the first panic or Goexit of a source for the run's caller.
func (r *run) crashed(crash func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.crash == nil {
		r.crash = crash
	}
	r.cancel()
}
