package operators

import (
	"context"

	"github.com/rxipc/rxipc/stream"
)

// MergeOption sets how MergeMap runs what it merges.
type MergeOption func(*mergeConfig)

type mergeConfig struct {
	limit  int
	buffer int
}

// Limit lets at most n projected observables run at the same time, those counted
// that have ended but whose values still wait; the source waits while there are
// so many. The default, and any n below one, is no limit: the source is run as
// fast as it goes.
func Limit(n int) MergeOption { return func(c *mergeConfig) { c.limit = n } }

// Buffer sets how many values of each projected observable may wait for the
// consumer (at least one may); one that has one more waits. The default is
// [stream.DefaultBuffer].
func Buffer(n int) MergeOption { return func(c *mergeConfig) { c.buffer = n } }

// Merge runs all sources at the same time, each on a goroutine of its own, and
// emits their values as they come; those of one source stay in order. It
// completes when all have, and fails with the first failure, after the values
// that came before it. At most [stream.DefaultBuffer] values of each source wait.
func Merge[T any](sources ...stream.Observable[T]) stream.Observable[T] {
	return stream.Gather(stream.DefaultBuffer, func(g *stream.Group[T]) {
		for _, source := range sources {
			g.Go(source)
		}
	})
}

// MergeMap runs project's observable for each value, all at the same time or up
// to a [Limit], and emits what they emit as it comes (RxJS: mergeMap, ReactiveX:
// flatMap). The source and each projected observable have a goroutine of their
// own; project is called on the source's. Values of one observable stay in
// order. It completes when the source and all projected observables have, and
// fails with the first failure, after the values that came before it. A [Buffer]
// holds what waits for the consumer.
func MergeMap[A, B any](project func(A) stream.Observable[B], options ...MergeOption) stream.Operator[A, B] {
	config := mergeConfig{buffer: stream.DefaultBuffer}
	for _, option := range options {
		option(&config)
	}
	return func(source stream.Observable[A]) stream.Observable[B] {
		return stream.Gather(config.buffer, func(g *stream.Group[B]) {
			places := newPlaces(config.limit)
			free := places.freeing()
			g.Go(func(ctx context.Context, _ func(B) bool) error {
				return source(ctx, func(a A) bool {
					if !places.take(ctx) {
						return false
					}
					g.GoThen(project(a), free)
					return true
				})
			})
		})
	}
}

// places are what a limited number may hold at a time; nil is no limit.
type places chan struct{}

func newPlaces(limit int) places {
	if limit < 1 {
		return nil
	}
	return make(places, limit)
}

// take waits for a free place and reports whether there was one before ctx ended.
func (p places) take(ctx context.Context) bool {
	if p == nil {
		return true
	}
	select {
	case p <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// freeing is what gives a place back; nil if there is no limit.
func (p places) freeing() func() {
	if p == nil {
		return nil
	}
	return func() { <-p }
}
