package operators

import (
	"cmp"
	"context"

	"github.com/rxipc/rxipc/stream"
)

// ConcatMapEager runs project's observable for each value, several of them at the same
// time, and emits their values one observable after the other, in the order of the source
// (RxJava: concatMapEager). It is [ConcatMap] that starts observables early. [Limit] bounds
// the observables that run or whose values wait for their turn; the source waits while
// there are so many. The default, and any limit below one, is [stream.DefaultBuffer]. The
// values of each wait in a [Buffer]. So at most Limit times Buffer values wait.
//
// The source and each projected observable have a goroutine of their own; project is called
// on the source's. A failure of a projected observable comes after its values, when it is
// its turn. A failure of the source comes after the values of all observables that were
// projected before.
func ConcatMapEager[A, B any](project func(A) stream.Observable[B], options ...MergeOption) stream.Operator[A, B] {
	mustHave("ConcatMapEager", "function", project != nil)
	config := mergeConfig{buffer: stream.DefaultBuffer}
	for _, option := range options {
		mustHave("ConcatMapEager", "option", option != nil)
		option(&config)
	}
	if config.limit < 1 {
		config.limit = stream.DefaultBuffer
	}
	return func(source stream.Observable[A]) stream.Observable[B] {
		mustHave("ConcatMapEager", "observable", source != nil)
		return func(ctx context.Context, yield func(B) bool) error {
			var broken error // how the source ended
			e := eagerConcat[B]{ctx: ctx, yield: yield, running: newSemaphore(config.limit)}
			err := stream.Gather(config.buffer, func(g *stream.Group[sourceEvent[B]]) {
				g.Go(func(ctx context.Context, _ func(sourceEvent[B]) bool) error {
					number := 0
					broken = source(ctx, func(a A) bool {
						if !e.running.acquire(ctx) {
							return false
						}
						next := &orderedSource[B]{number: number, room: newSemaphore(max(1, config.buffer))}
						number++
						g.Go(next.producer(mustProject("ConcatMapEager", project, a)))
						return true
					})
					return nil
				})
			})(stream.WithBuffering(ctx, "ConcatMapEager"), e.take)
			if err != nil || e.stopped {
				return ended(ctx, cmp.Or(err, e.failed))
			}
			return ended(ctx, broken)
		}
	}
}

// eagerConcat is a run of ConcatMapEager. It emits the values of its sources in their order.
type eagerConcat[B any] struct {
	ctx     context.Context
	yield   func(B) bool
	running semaphore               // a slot for each source that has not been emitted to its end
	order   fifo[*orderedSource[B]] // from the source that is emitted now; nil until something comes from it
	first   int                     // the number of the source that is emitted now
	stopped bool                    // the run is over: it failed, or no more is wanted
	failed  error
}

// take notes an event, emits the values that may be emitted now, and reports whether the run
// goes on.
func (e *eagerConcat[B]) take(h sourceEvent[B]) bool {
	source := h.from
	for e.order.count <= source.number-e.first {
		e.order.extend()
	}
	*e.order.at(source.number - e.first) = source
	if h.ended {
		source.ended, source.err = true, h.err
	} else {
		source.waiting.push(h.value)
	}
	for e.order.count > 0 && e.order.first() != nil {
		if source = e.order.first(); !e.drain(source) {
			e.stopped = true
			return false
		}
		if !source.ended {
			break
		}
		if e.failed = source.err; e.failed != nil {
			e.stopped = true
			return false
		}
		e.order.pop()
		e.first++
		<-e.running
	}
	return true
}

// drain emits the waiting values of a source, and reports whether the run goes on.
func (e *eagerConcat[B]) drain(source *orderedSource[B]) bool {
	for source.waiting.count > 0 {
		if e.ctx.Err() != nil || !e.yield(source.pop()) {
			return false
		}
	}
	return true
}
