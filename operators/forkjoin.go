package operators

import (
	"context"

	"github.com/rxipc/rxipc/stream"
)

// ForkJoin runs all sources at the same time, each on a goroutine of its own. When all have
// completed it emits a slice of their last values, in the order of the sources. If a source
// completes without a value, or if there are no sources, it completes at once and emits
// nothing. The first failure ends it. It keeps one value of each source. For sources of
// different types use [Zip] over the [Last] of each.
func ForkJoin[T any](sources ...stream.Observable[T]) stream.Observable[[]T] {
	mustHaveEach("ForkJoin", sources)
	type end struct {
		source int
		last   T
		empty  bool
	}
	return func(ctx context.Context, yield func([]T) bool) error {
		joined := make([]T, len(sources))
		left, empty := len(sources), len(sources) == 0
		err := stream.Gather(1, func(g *stream.Group[end]) {
			for i, source := range sources {
				g.Go(func(ctx context.Context, push func(end) bool) error {
					e := end{source: i, empty: true}
					err := source(ctx, func(v T) bool {
						e.last, e.empty = v, false
						return true
					})
					if err == nil {
						push(e)
					}
					return err
				})
			}
		})(stream.WithBuffering(ctx, "ForkJoin"), func(e end) bool {
			joined[e.source], empty = e.last, e.empty
			left--
			return left > 0 && !empty
		})
		if empty {
			return ended(ctx, err)
		}
		return conclude(ctx, err, joined, yield)
	}
}
