package rx

import (
	"context"
	"runtime"

	"github.com/reactivex/rxgo/v2"

	"github.com/rxipc/rxipc/stream"
)

// Option changes how values pass through RxGo.
type Option func(*config)

type config struct{ buffer int }

// Buffer gives the channel of the source, and of each operator chained to it, room
// for n items: faster, and that much further ahead. The default is none, RxGo's own.
// A negative n also means none. More than 1024 means 1024: RxGo allocates all the room when a
// run starts, 32 bytes an item and operator.
func Buffer(n int) Option { return func(c *config) { c.buffer = min(max(0, n), maxRoom) } }

// maxRoom is the most that is allocated at once, in items or values, whatever size the
// caller asks for.
const maxRoom = 1024

// Through is a chain of RxGo operators as one of ours: chain gets the source and
// returns what comes out, which must be Bs (see [FromRx] for nil items). It is
// called at the start of each run, so each run has operators of its own. The type
// of what it returns is inferred: an observable, a single, an optional single.
//
//	words := rx.Through[string, int](func(lines rxgo.Observable) rxgo.Observable {
//		return lines.FlatMap(split).Map(length)
//	})
//
// Operators chained to the source get the run's context and the room of [Buffer]
// without being told. The source runs on a goroutine of RxGo's, once for each time
// that the chain observes it; yield is called on the caller's. While yield is at
// work each operator and the source hold one value, beside those in the buffers.
//
// The run completes when the chain does, and cancels the source then if it is not
// at its end. It fails with the first error item that leaves the chain, so the
// operators may recover from a failure of the source; and with a [*TypeError] for
// an item that is not a B. A panic or runtime.Goexit of the source reaches the
// caller, the panic as a [*stream.PanicError]. One in a function given to RxGo is
// RxGo's, and ends the program.
//
// At the end, whichever it is, the source has ended and RxGo's channel is closed,
// or the run says [ErrStuck] after a second.
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
	// Observe is not given the context: where RxGo sends without looking at one
	// (Merge, Concat), it is the end of the source that ends all behind it, and a
	// receiver that left before would leave the sender for ever.
	return r.deliver(func() <-chan rxgo.Item {
		return r.observe(chain(bind(r.ctx, r.producer(f), options...)), options...)
	}, take)
}

// producer is the source as RxGo runs it.
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

// keep keeps what a source recovered from, nil being a Goexit.
func (r *run) keep(value any) {
	if value == nil {
		r.crashed(runtime.Goexit)
		return
	}
	p := panicError(value)
	r.crashed(func() { panic(p) })
}
