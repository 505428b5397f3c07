package operators

import (
	"context"

	"github.com/rxipc/rxipc/stream"
)

// The operators over several sources of different types are state machines on their
// caller's goroutine. A source's values wait in a sourceBuffer of its own, typed and
// bounded. The group carries an arrival for each value, which keeps the order of all
// values.

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

// runSources runs the sources that start adds to the group, and calls visit with each
// arrival. The run completes when visit returns false, unless the context is done. stage is
// the name of the operator.
func runSources(stage string, ctx context.Context, start func(*stream.Group[arrival]), visit func(arrival) bool) error {
	return ended(ctx, stream.Gather(stream.DefaultBuffer, start)(stream.WithBuffering(ctx, stage), visit))
}

// ofTwo is an operator over two sources. In each run begin returns the function that handles
// the arrivals, and reports whether the run goes on.
func ofTwo[A, B, C any](name string, a stream.Observable[A], b stream.Observable[B],
	begin func(ctx context.Context, as sourceBuffer[A], bs sourceBuffer[B], yield func(C) bool) func(arrival) bool,
) stream.Observable[C] {
	mustHave(name, "observable", a != nil)
	mustHave(name, "observable", b != nil)
	return func(ctx context.Context, yield func(C) bool) error {
		as, bs := newSourceBuffer[A](), newSourceBuffer[B]()
		return runSources(name, ctx, func(g *stream.Group[arrival]) {
			as.run(g, 0, a)
			bs.run(g, 1, b)
		}, begin(ctx, as, bs, yield))
	}
}

// ofThree is [ofTwo] with three sources.
func ofThree[A, B, C, D any](name string, a stream.Observable[A], b stream.Observable[B], c stream.Observable[C],
	begin func(as sourceBuffer[A], bs sourceBuffer[B], cs sourceBuffer[C], yield func(D) bool) func(arrival) bool,
) stream.Observable[D] {
	mustHave(name, "observable", a != nil)
	mustHave(name, "observable", b != nil)
	mustHave(name, "observable", c != nil)
	return func(ctx context.Context, yield func(D) bool) error {
		as, bs, cs := newSourceBuffer[A](), newSourceBuffer[B](), newSourceBuffer[C]()
		return runSources(name, ctx, func(g *stream.Group[arrival]) {
			as.run(g, 0, a)
			bs.run(g, 1, b)
			cs.run(g, 2, c)
		}, begin(as, bs, cs, yield))
	}
}

// ofAll is [ofTwo] with any number of sources of one type, which emits slices of their values.
func ofAll[T any](name string, sources []stream.Observable[T],
	begin func(all []sourceBuffer[T], yield func([]T) bool) func(arrival) bool,
) stream.Observable[[]T] {
	mustHaveEach(name, sources)
	return func(ctx context.Context, yield func([]T) bool) error {
		all := make([]sourceBuffer[T], len(sources))
		for i := range all {
			all[i] = newSourceBuffer[T]()
		}
		return runSources(name, ctx, func(g *stream.Group[arrival]) {
			for i, source := range sources {
				all[i].run(g, i, source)
			}
		}, begin(all, yield))
	}
}
