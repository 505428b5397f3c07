package operators

import (
	"context"

	"github.com/rxipc/rxipc/stream"
)

// Sample emits, at each value of the sampler, the last value that the source has emitted
// since the sampler's value before. If there was none, it emits nothing (RxJS: sample). See
// [ThrottleLast] for samples at equal distances. Sample ends as the source does, and drops
// the pending value then. A failure of the sampler ends it too. After a completion of the
// sampler, nothing more is emitted.
//
// The sampler is subscribed before the source begins, as for [TakeUntil]. Source and
// sampler run on goroutines of their own. While yield runs, at most [stream.DefaultBuffer]
// values of each wait; source and sampler wait when there are more.
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

// samples emits the events of the source and of the sampler, each of which runs on a
// goroutine of its own. The source begins when the sampler is subscribed.
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

// sampled is an event of the source or of the sampler.
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
