package operators

import (
	"context"

	"github.com/rxipc/rxipc/stream"
)

// The operators over several sources of different types are state machines on their
// caller's goroutine. A source's values wait in a sourceBuffer of its own, typed and
// bounded. The group carries an arrival for each value, and so their order.

// arrival says that a source has a value in its buffer, or that it has completed.
type arrival struct {
	source int
	ended  bool
}

// sourceBuffer holds the values of a source that have not been used.
type sourceBuffer[T any] chan T

func newSourceBuffer[T any]() sourceBuffer[T] { return make(sourceBuffer[T], stream.DefaultBuffer) }

// run runs the source as a producer of g. It waits when the buffer is full.
func (in sourceBuffer[T]) run(g *stream.Group[arrival], number int, source stream.Observable[T]) {
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

// runAll runs sources of one type. Each has a buffer, and its place as its number.
func runAll[T any](g *stream.Group[arrival], sources []stream.Observable[T]) []sourceBuffer[T] {
	buffers := make([]sourceBuffer[T], len(sources))
	for i, source := range sources {
		buffers[i] = newSourceBuffer[T]()
		buffers[i].run(g, i, source)
	}
	return buffers
}

// runSources runs the sources that start adds to the group, and calls visit with each
// arrival. The run completes when visit returns false, unless the context is done. stage is
// the name of the operator.
func runSources(stage string, ctx context.Context, start func(*stream.Group[arrival]), visit func(arrival) bool) error {
	return ended(ctx, stream.Gather(stream.DefaultBuffer, start)(stream.WithBuffering(ctx, stage), visit))
}
