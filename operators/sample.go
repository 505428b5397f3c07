package operators

import (
	"context"

	"github.com/rxipc/rxipc/stream"
)

// Sample emits, whenever the sampler emits something, the last value that the source has
// emitted since the time before, and nothing if there was none (RxJS: sample). See
// [ThrottleLast] for samples at equal distances. It ends as the source does, and drops the
// value that is pending then; a failure of the sampler's ends it too, and after a
// completion of the sampler's nothing more is emitted.
//
// The sampler is subscribed before the source begins, as for [TakeUntil]. Source and
// sampler run on goroutines of their own. While yield is at work, at most
// [stream.DefaultBuffer] values of each wait; then they do.
func Sample[T, S any](sampler stream.Observable[S]) stream.Operator[T, T] {
	mustHave("Sample", "observable", sampler != nil)
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("Sample", "observable", source != nil)
		events := buffering("Sample", samples(source, sampler))
		return func(ctx context.Context, yield func(T) bool) error {
			last := pending[T]{yield: yield}
			return events(ctx, func(e sampled[T]) bool {
				switch e.tells {
				case sampleNow:
					return last.emit()
				case sampleNoMore:
					return false
				default:
					last.hold(e.value)
					return true
				}
			})
		}
	}
}

// samples is what both tell, the source and who says when to look at it, each on a
// goroutine of its own. The source begins when the other is subscribed.
func samples[T, S any](source stream.Observable[T], sampler stream.Observable[S]) stream.Observable[sampled[T]] {
	return stream.Gather(stream.DefaultBuffer, func(g *stream.Group[sampled[T]]) {
		ready := newSubscribedSignal()
		looks := Map(func(S) sampled[T] { return sampled[T]{tells: sampleNow} })(sampler)
		g.Go(func(ctx context.Context, yield func(sampled[T]) bool) error {
			close(ready.started)
			defer ready.signal()
			return looks(stream.OnSubscribed(ctx, func() {
				ready.signal()
				stream.Subscribed(ctx)
			}), yield)
		})
		values := sampledValues(source)
		g.Go(func(ctx context.Context, yield func(sampled[T]) bool) error {
			ready.await(ctx)
			return values(ctx, yield)
		})
	})
}

// sampled is what one of the two tells.
type sampled[T any] struct {
	tells int
	value T // of sampleValue
}

const (
	sampleValue  = iota // the source has emitted a value
	sampleNow           // the sampler has
	sampleNoMore        // the source has completed
)

// sampledValues are the values of the source and its completion.
func sampledValues[T any](source stream.Observable[T]) stream.Observable[sampled[T]] {
	return func(ctx context.Context, yield func(sampled[T]) bool) error {
		wanted := true
		err := source(ctx, func(v T) bool {
			wanted = yield(sampled[T]{value: v})
			return wanted
		})
		if err == nil && wanted {
			yield(sampled[T]{tells: sampleNoMore})
		}
		return err
	}
}
