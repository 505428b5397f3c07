package operators

import (
	"context"
	"sync/atomic"

	"github.com/rxipc/rxipc/stream"
)

// Race runs all sources at the same time, each on a goroutine of its own. The first source
// that emits, completes or fails wins (ReactiveX: amb). Race emits the values of the winner
// and ends as it does. The other sources are cancelled and their errors ignored. A race
// without sources completes. At most [stream.DefaultBuffer] values wait.
func Race[T any](sources ...stream.Observable[T]) stream.Observable[T] {
	mustHaveEach("Race", sources)
	return func(ctx context.Context, yield func(T) bool) error {
		over, finish := context.WithCancel(context.Background()) // of the race, for its losers
		defer finish()
		won := new(atomic.Bool)
		return stream.Gather(stream.DefaultBuffer, func(g *stream.Group[T]) {
			for _, source := range sources {
				g.Go(racing(source, won, over, finish))
			}
		})(stream.WithBuffering(ctx, "Race"), yield)
	}
}

// racing is a producer that runs the source until another one wins, and tells how it
// ended only if it has won itself.
func racing[T any](source stream.Observable[T], won *atomic.Bool, over context.Context, finish func()) stream.Observable[T] {
	return func(ctx context.Context, push func(T) bool) error {
		inner, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		release := context.AfterFunc(over, func() { cancel(errUnwanted) })
		defer release()
		first := false
		ahead := func() bool {
			if !first && won.CompareAndSwap(false, true) {
				first = true
				release() // the winner goes on
				finish()
			}
			return first
		}
		err := source(inner, func(v T) bool { return ahead() && push(v) })
		if !ahead() {
			return nil
		}
		return err
	}
}
