package rx

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/reactivex/rxgo/v2"

	"github.com/rxipc/rxipc/stream"
)

// FromRx emits the items of an RxGo observable, single or optional single, each of
// which must be a T; a nil item is the nil of types that have one. Each run
// observes it, so it is as cold as it is: those of rxgo.Defer, Just and Range
// are, with Map, Filter and most operators behind them. For those that can be
// observed only once, see [FromRxFunc].
//
// The run's context is handed to RxGo, in place of one that it had from
// rxgo.WithContext. A run that ends early cancels it and takes what still comes
// until RxGo has closed its channel, a second at most: see [ErrStuck]. A channel
// that RxGo does not close (of rxgo.FromChannel and FromEventSource) is left as
// it is at that moment, for others who read it.
//
// Nothing is buffered here: RxGo's channels hold what they were made with, and a
// value more each operator. The run fails with the first error item, and with a
// [*TypeError] for an item of another type.
func FromRx[T any](source rxgo.Iterable) stream.Observable[T] {
	return FromRxFunc[T](func(context.Context) rxgo.Iterable { return source })
}

// FromRxFunc is [FromRx] of an observable that is built for each run: what RxGo
// starts when it is built (Merge, Concat, Create, Retry, StartWith …) or lets
// nobody observe twice (FlatMap, Debounce, BufferWithTime …) becomes cold by it.
// ctx is the run's, to be handed on with rxgo.WithContext: what RxGo has started
// must end with it.
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

// values hands items on as the values they must be.
func values[T any](yield func(T) bool) func(any) (bool, error) {
	return func(item any) (bool, error) {
		v, err := valueOf[T](item)
		if err != nil {
			return false, err
		}
		return yield(v), nil
	}
}

// patience is how long a run waits for RxGo to end what was cancelled.
const patience = time.Second

// run is one run through RxGo.
type run struct {
	outer  context.Context // the caller's
	ctx    context.Context // RxGo's: ends with the run
	cancel context.CancelFunc
	items  <-chan rxgo.Item // RxGo's; nil when it is closed
	quiet  bool             // items may stay open when ctx ends

	joined sync.WaitGroup // sources that run
	mu     sync.Mutex
	crash  func() // what a source that panicked or exited left to be done
}

func newRun(ctx context.Context) *run {
	r := &run{outer: ctx}
	r.ctx, r.cancel = context.WithCancel(ctx)
	return r
}

// observe subscribes to what ends at the caller.
func (r *run) observe(it rxgo.Iterable, options ...rxgo.Option) <-chan rxgo.Item {
	r.quiet = staysOpen(it)
	return it.Observe(options...)
}

// deliver hands the items of the channel that start returns to take, on the
// caller's goroutine, and ends all there is before it returns.
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

// receive waits for an item. There is none when RxGo has closed its channel, and
// when the run's context is done.
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

// end cancels all that runs, waits until it has ended, and reports whether RxGo
// was in time.
func (r *run) end() bool {
	r.mu.Lock() // a source has entered before, or finds the context done
	r.cancel()
	r.mu.Unlock()
	inTime := r.items == nil || r.quiet || drain(r.items)
	r.items = nil
	r.joined.Wait()
	return inTime
}

// drain takes items until the channel is closed, and reports whether it was in time.
func drain(items <-chan rxgo.Item) bool {
	timeout := time.NewTimer(patience)
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

// enter counts a source in that is about to run, and reports whether it may: RxGo's Concat
// goes on to its next source when the end of the run's context has ended the one before.
func (r *run) enter() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx.Err() != nil {
		return false
	}
	r.joined.Add(1)
	return true
}

// crashed keeps the first panic or Goexit of a source for the run's caller.
func (r *run) crashed(crash func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.crash == nil {
		r.crash = crash
	}
	r.cancel()
}
