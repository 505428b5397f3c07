package rx

import (
	"context"

	"github.com/reactivex/rxgo/v2"

	"github.com/rxipc/rxipc/stream"
)

// ToRx converts source to an RxGo observable. It stays cold: each Observe runs the source anew,
// on a goroutine of its own. There is no buffer besides RxGo's channel, which has the capacity
// of rxgo.WithBufferedChannel, none by default; one more value waits to be sent.
//
// A run ends by itself, with ctx, or with the context given to Observe, whichever is first.
// Operators chained to the result get ctx, too. An observer that stops early must cancel one of
// the two contexts, or the run waits forever. With FlatMap in the chain it must cancel ctx,
// because FlatMap waits for its inner observables.
//
// The last item is an error item if source fails, panics (a [*stream.PanicError]) or calls
// runtime.Goexit. Cancellation is not an item: as everywhere in RxGo a closed channel means
// completed or cancelled, and the context tells which.
func ToRx[T any](ctx context.Context, source stream.Observable[T]) rxgo.Observable {
	return toRx(ctx, feedValues(source))
}

// feed runs a source and sends its values as items, until send returns false.
type feed func(ctx context.Context, send func(item any) bool) error

func feedValues[T any](source stream.Observable[T]) feed {
	return func(ctx context.Context, send func(any) bool) error {
		return source(stream.WithBuffering(ctx, "RxGo"), func(v T) bool { return send(v) })
	}
}

func toRx(ctx context.Context, f feed) rxgo.Observable {
	return bind(ctx, func(inner context.Context, next chan<- rxgo.Item) {
		err := errExited
		returned := false
		defer func() {
			if !returned {
				if value := recover(); value != nil {
					err = panicError(value)
				}
			}
			if err != nil {
				rxgo.Error(err).SendContext(inner, next)
			}
		}()
		err = f(inner, sender(inner, next))
		returned = true
	})
}

// sender returns a function that sends items until ctx is done.
func sender(ctx context.Context, next chan<- rxgo.Item) func(any) bool {
	return func(item any) bool { return rxgo.Of(item).SendContext(ctx, next) }
}
