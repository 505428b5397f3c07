package operators

import (
	"context"

	"github.com/rxipc/rxipc/stream"
)

// The operators over several sources of different types are state machines on their
// caller's goroutine. A source's values wait in an inlet of its own, typed and bounded;
// what comes through the group is the news of them, an arrival, in the order in which
// the sources take their turns.

// arrival says that a source has a value in its inlet, or that it has completed.
type arrival struct {
	source int
	ended  bool
}

// inlet holds the values of a source that have not been used.
type inlet[T any] chan T

func newInlet[T any]() inlet[T] { return make(inlet[T], stream.DefaultBuffer) }

// open runs the source as a producer of g. It waits when the inlet is full.
func (in inlet[T]) open(g *stream.Group[arrival], number int, source stream.Observable[T]) {
	g.Go(func(ctx context.Context, push func(arrival) bool) error {
		wanted := true
		err := source(ctx, func(v T) bool {
			select {
			case in <- v:
				wanted = push(arrival{source: number})
			case <-ctx.Done():
				wanted = false
			}
			return wanted
		})
		if err == nil && wanted {
			push(arrival{source: number, ended: true})
		}
		return err
	})
}

// openAll runs sources of one type, each with an inlet and the number of its place.
func openAll[T any](g *stream.Group[arrival], sources []stream.Observable[T]) []inlet[T] {
	inlets := make([]inlet[T], len(sources))
	for i, source := range sources {
		inlets[i] = newInlet[T]()
		inlets[i].open(g, i, source)
	}
	return inlets
}

// arrivals runs the sources that start opens the inlets of, and calls visit with what
// arrives until it has enough: a completion, unless the context is done. stage is the
// operator.
func arrivals(stage string, ctx context.Context, start func(*stream.Group[arrival]), visit func(arrival) bool) error {
	return ended(ctx, stream.Gather(stream.DefaultBuffer, start)(stream.WithBuffering(ctx, stage), visit))
}
