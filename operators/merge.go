package operators

import (
	"context"
	"errors"

	"github.com/rxipc/rxipc/stream"
)

// Merge runs all sources at the same time, each on a goroutine of its own, and emits their
// values as they come; those of one source stay in order. It completes when all sources
// have completed, and fails with the first failure, after the values that came before it.
// At most [stream.DefaultBuffer] values of each source wait.
//
// The sources begin in no order, and one may emit before another has begun. If one source
// makes a [stream.Subject] emit and another observes that, the first has to wait until the
// subject is observed: see [stream.Subject.Audience].
func Merge[T any](sources ...stream.Observable[T]) stream.Observable[T] {
	mustHaveEach("Merge", sources)
	return buffering("Merge", stream.Gather(stream.DefaultBuffer, func(g *stream.Group[T]) {
		for _, source := range sources {
			g.Go(source)
		}
	}))
}

// MergeDelayError is [Merge] that continues with the other sources when one fails (RxJava:
// mergeDelayError). When all have ended, it fails with the only failure, or with the
// [errors.Join] of all failures in the order of the sources.
func MergeDelayError[T any](sources ...stream.Observable[T]) stream.Observable[T] {
	mustHaveEach("MergeDelayError", sources)
	return func(ctx context.Context, yield func(T) bool) error {
		failures := make([]error, len(sources))
		wanted := true
		err := stream.Gather(stream.DefaultBuffer, func(g *stream.Group[T]) {
			for i, source := range sources {
				g.Go(func(ctx context.Context, push func(T) bool) error {
					failures[i] = source(ctx, push)
					return nil
				})
			}
		})(stream.WithBuffering(ctx, "MergeDelayError"), func(v T) bool {
			wanted = yield(v)
			return wanted
		})
		if err != nil || !wanted {
			return err
		}
		return ended(ctx, joined(failures))
	}
}

// joined is the only failure, or all of them; nil if there is none.
func joined(failures []error) error {
	var only error
	for _, err := range failures {
		if err != nil && only != nil {
			return errors.Join(failures...)
		}
		if err != nil {
			only = err
		}
	}
	return only
}
