package rx

import (
	"context"
	"runtime"

	"github.com/reactivex/rxgo/v2"

	"github.com/rxipc/rxipc/stream"
)

// Option configures how values pass through RxGo.
type Option func(*config)

type config struct{ buffer int }

// Buffer makes the channels of the source, and of each operator chained to it, buffer n items.
// This is faster, but lets the source and operators run ahead. The default is 0, as in RxGo. A
// negative n also means 0. More than 1024 means 1024, because RxGo allocates all buffers when
// a run starts, 32 bytes for each item and operator.
func Buffer(n int) Option { return func(c *config) { c.buffer = min(max(0, n), maxRoom) } }

// maxRoom is the largest number of items or values for which memory is allocated at once.
const maxRoom = 1024

// Through makes an operator of a chain of RxGo operators. Function chain gets the source and
// returns the result, whose items must be Bs (see [FromRx] for nil items). It is called at the
// start of each run, so each run has operators of its own. The type of its result is inferred:
// an observable, a single, an optional single.
//
//	words := rx.Through[string, int](func(lines rxgo.Observable) rxgo.Observable {
//		return lines.FlatMap(split).Map(length)
//	})
//
// Operators chained to the source have the run's context and the [Buffer] without further
// options. The source runs on a goroutine of RxGo, once for each time that the chain observes
// it. Yield is called on the caller's goroutine. While yield is busy, the source and each
// operator hold one value besides those in the buffers.
//
// The run completes when the chain does, and then cancels the source if it has not ended. It
// fails with the first error item that leaves the chain, so the operators may recover from a
// failure of the source. It fails with a [*TypeError] for an item that is not a B. A panic or
// runtime.Goexit of the source reaches the caller, the panic as a [*stream.PanicError]. A
// panic in a function given to RxGo ends the program.
//
// When the run returns, the source has ended and RxGo's channel is closed. Otherwise the run
// returns [ErrStuck] after a second.
func Through[A, B any, I rxgo.Iterable](chain func(source rxgo.Observable) I, options ...Option) stream.Operator[A, B] {
	c := configured(options)
	return func(source stream.Observable[A]) stream.Observable[B] {
		return func(ctx context.Context, yield func(B) bool) error {
			return through(ctx, feedValues(source), chain, c, values(yield))
		}
	}
}

func configured(options []Option) config {
	var c config
	for _, option := range options {
		option(&c)
	}
	return c
}

func through[I rxgo.Iterable](ctx context.Context, f feed, chain func(rxgo.Observable) I, c config, take func(any) (bool, error)) error {
	r := newRun(ctx)
	var options []rxgo.Option
	if c.buffer > 0 {
		options = append(options, rxgo.WithBufferedChannel(c.buffer))
	}
	// Observe gets no context. Where RxGo sends without checking a context (Merge, Concat),
	// the end of the source ends everything behind it. A receiver that stopped earlier would
	// block the sender forever.
	return r.deliver(func() <-chan rxgo.Item {
		return r.observe(chain(bind(r.ctx, r.producer(f), options...)), options...)
	}, take)
}

// producer returns the source as a producer of RxGo.
func (r *run) producer(f feed) rxgo.Producer {
	return func(ctx context.Context, next chan<- rxgo.Item) {
		if !r.enter() {
			return
		}
		defer r.joined.Done()
		returned := false
		defer func() {
			if !returned {
				r.keep(recover())
			}
		}()
		if err := f(ctx, sender(ctx, next)); err != nil {
			rxgo.Error(err).SendContext(ctx, next)
		}
		returned = true
	}
}

// keep records a value that a source recovered from; nil means a Goexit.
func (r *run) keep(value any) {
	if value == nil {
		r.crashed(runtime.Goexit)
		return
	}
	p := panicError(value)
	r.crashed(func() { panic(p) })
}
