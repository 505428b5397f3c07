package rx

import (
	"context"

	"github.com/reactivex/rxgo/v2"

	"github.com/rxipc/rxipc/stream"
)

// ToRx is source as RxGo sees it. It stays cold: each Observe runs it afresh, on a
// goroutine of its own, and with nothing in between: RxGo's channel holds what it
// was given room for with rxgo.WithBufferedChannel, none by default, and one more
// value waits to be sent.
//
// A run ends by itself, with ctx, or with the context that Observe was given,
// whichever is first. Operators chained to what ToRx returns are given ctx too. An
// observer that leaves early must end one of the two, or the run waits for ever; with
// FlatMap in the chain it must be ctx, since that waits for what it flattens.
//
// A failure of source is an error item, the last one; so is a panic, as a
// [*stream.PanicError], and a runtime.Goexit. Cancellation is no item: as
// everywhere in RxGo a closed channel means completed or cancelled, and the
// context knows which.
func ToRx[T any](ctx context.Context, source stream.Observable[T]) rxgo.Observable {
	return toRx(ctx, feedValues(source))
}

// feed runs a source and sends what it emits as items, until send returns false.
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

// sender sends items until ctx is done.
func sender(ctx context.Context, next chan<- rxgo.Item) func(any) bool {
	return func(item any) bool { return rxgo.Of(item).SendContext(ctx, next) }
}
