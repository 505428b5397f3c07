package operators

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/rxipc/rxipc/stream"
)

// CombineLatest emits combine of the last values of both sources. It does so at each value,
// from the time at which both have emitted. It completes when both have completed, or when
// one completes without a value. The first failure ends it, after the values that came
// before. The sources run at the same time, each on a goroutine of its own. At most
// [stream.DefaultBuffer] values of each wait for the consumer; none is skipped, and a
// source with one more waits. The sources begin in no order, as those of [Merge].
//
// For more than three sources of different types, combine combinations: the result emits
// the same. [CombineLatestAll] takes any number of one type.
func CombineLatest[A, B, C any](a stream.Observable[A], b stream.Observable[B], combine func(A, B) C) stream.Observable[C] {
	mustHave("CombineLatest", "function", combine != nil)
	return ofTwo("CombineLatest", a, b, func(_ context.Context, as sourceBuffer[A], bs sourceBuffer[B], yield func(C) bool) func(arrival) bool {
		var lastA A
		var lastB B
		return newLatestState(2).emitting(func(source int) {
			switch source {
			case 0:
				lastA = <-as
			default:
				lastB = <-bs
			}
		}, func() bool { return yield(combine(lastA, lastB)) })
	})
}

// CombineLatest3 is [CombineLatest] of three sources.
func CombineLatest3[A, B, C, D any](a stream.Observable[A], b stream.Observable[B], c stream.Observable[C], combine func(A, B, C) D) stream.Observable[D] {
	mustHave("CombineLatest3", "function", combine != nil)
	return ofThree("CombineLatest3", a, b, c, func(as sourceBuffer[A], bs sourceBuffer[B], cs sourceBuffer[C], yield func(D) bool) func(arrival) bool {
		var lastA A
		var lastB B
		var lastC C
		return newLatestState(3).emitting(func(source int) {
			switch source {
			case 0:
				lastA = <-as
			case 1:
				lastB = <-bs
			default:
				lastC = <-cs
			}
		}, func() bool { return yield(combine(lastA, lastB, lastC)) })
	})
}

// CombineLatestAll is [CombineLatest] of any number of sources of one type: it emits a
// slice of the last value of each, in the order of the sources (RxJS: combineLatest; its
// combineLatestAll takes the sources from an observable). Slices belong to the receiver.
// No sources complete at once.
func CombineLatestAll[T any](sources ...stream.Observable[T]) stream.Observable[[]T] {
	return ofAll("CombineLatestAll", sources, func(all []sourceBuffer[T], yield func([]T) bool) func(arrival) bool {
		last := make([]T, len(all))
		return newLatestState(len(all)).emitting(
			func(source int) { last[source] = <-all[source] },
			func() bool { return yield(slices.Clone(last)) })
	})
}

// latestState counts which of several sources have emitted, and how many still run.
type latestState struct {
	emitted []bool
	missing int
	running int
}

func newLatestState(sources int) *latestState {
	return &latestState{emitted: make([]bool, sources), missing: sources, running: sources}
}

// emitting returns a function that handles arrivals: it calls take for each value, and then
// emit if each source has emitted, until emit returns false or nothing can come any more.
func (s *latestState) emitting(take func(source int), emit func() bool) func(arrival) bool {
	return func(e arrival) bool {
		if e.ended {
			return !s.end(e.source)
		}
		take(e.source)
		return !s.complete(e.source) || emit()
	}
}

// complete notes a value and reports whether each source has emitted one.
func (s *latestState) complete(source int) bool {
	if !s.emitted[source] {
		s.emitted[source] = true
		s.missing--
	}
	return s.missing == 0
}

// end notes a completion and reports whether no combination can come any more.
func (s *latestState) end(source int) bool {
	s.running--
	return s.running == 0 || !s.emitted[source]
}

// WithLatestFrom emits combine of each value of the source and the last value of the other
// observable. Values that come before the other has emitted are dropped. The other is
// subscribed before the source begins, as for [TakeUntil]. So a value that it has from the
// start, such as that of a behavior subject, is there for the first value of the source.
// The run ends with the source, or with a failure of the other. A completion of the other
// changes nothing. Only the last value of the other is kept. The source runs on the
// caller's goroutine, the other on one of its own, without waiting. If both emit at the
// same moment, either may be first. For several others, use their [CombineLatest].
func WithLatestFrom[A, B, C any](other stream.Observable[B], combine func(A, B) C) stream.Operator[A, C] {
	mustHave("WithLatestFrom", "observable", other != nil)
	mustHave("WithLatestFrom", "function", combine != nil)
	return func(source stream.Observable[A]) stream.Observable[C] {
		mustHave("WithLatestFrom", "observable", source != nil)
		return func(ctx context.Context, yield func(C) bool) error {
			var latest atomic.Pointer[B]
			combined := func(ctx context.Context, yield func(C) bool) error {
				return source(ctx, func(a A) bool {
					b := latest.Load()
					return b == nil || yield(combine(a, *b))
				})
			}
			return runBeside(ctx, yield, combined, func(ctx context.Context, _ func(error)) error {
				return other(ctx, func(b B) bool {
					latest.Store(&b)
					return true
				})
			})
		}
	}
}
