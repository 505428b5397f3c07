package operators

import (
	"context"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/stream"
)

// Zip emits combine of the first values of both sources, then of the second ones, and so
// on. When one source has completed and all its values are used, Zip cancels the other and
// completes. The first failure ends it, after the pairs that were complete before. The
// sources run at the same time, each on a goroutine of its own. At most
// [stream.DefaultBuffer] values of each wait for their counterpart or for the consumer; a
// source with one more waits. The sources begin in no order, as those of [Merge].
//
// For more than three sources of different types, zip zips: the rows are the same. [ZipAll]
// takes any number of one type.
func Zip[A, B, C any](a stream.Observable[A], b stream.Observable[B], combine func(A, B) C) stream.Observable[C] {
	mustHave("Zip", "function", combine != nil)
	return ofTwo("Zip", a, b, func(_ context.Context, as sourceBuffer[A], bs sourceBuffer[B], yield func(C) bool) func(arrival) bool {
		return newRowCounter(2).emitting(func() bool { return yield(combine(<-as, <-bs)) })
	})
}

// Zip3 is [Zip] of three sources.
func Zip3[A, B, C, D any](a stream.Observable[A], b stream.Observable[B], c stream.Observable[C], combine func(A, B, C) D) stream.Observable[D] {
	mustHave("Zip3", "function", combine != nil)
	return ofThree("Zip3", a, b, c, func(as sourceBuffer[A], bs sourceBuffer[B], cs sourceBuffer[C], yield func(D) bool) func(arrival) bool {
		return newRowCounter(3).emitting(func() bool { return yield(combine(<-as, <-bs, <-cs)) })
	})
}

// ZipAll is [Zip] of any number of sources of one type: it emits a slice of the first
// value of each, in the order of the sources, then of the second ones, and so on (RxJS:
// zip; its zipAll takes the sources from an observable). Slices belong to the receiver. No
// sources complete at once.
func ZipAll[T any](sources ...stream.Observable[T]) stream.Observable[[]T] {
	return ofAll("ZipAll", sources, func(all []sourceBuffer[T], yield func([]T) bool) func(arrival) bool {
		return newRowCounter(len(all)).emitting(func() bool {
			row := make([]T, len(all))
			for i, values := range all {
				row[i] = <-values
			}
			return yield(row)
		})
	})
}

// ZipLongest is [Zip] that continues until both sources have completed. For a source
// without further values, combine gets Nothing (Python: itertools.zip_longest).
func ZipLongest[A, B, C any](a stream.Observable[A], b stream.Observable[B], combine func(fold.Maybe[A], fold.Maybe[B]) C) stream.Observable[C] {
	mustHave("ZipLongest", "function", combine != nil)
	return ofTwo("ZipLongest", a, b, func(ctx context.Context, as sourceBuffer[A], bs sourceBuffer[B], yield func(C) bool) func(arrival) bool {
		var sources [2]sourceCount
		complete := func() bool { // a row is
			for _, s := range sources {
				if s.waiting == 0 && !s.ended {
					return false
				}
			}
			return sources[0].waiting+sources[1].waiting > 0
		}
		return func(e arrival) bool {
			if s := &sources[e.source]; e.ended {
				s.ended = true
			} else {
				s.waiting++
			}
			for complete() {
				if ctx.Err() != nil || !yield(combine(take(&sources[0], as), take(&sources[1], bs))) {
					return false
				}
			}
			return true
		}
	})
}

// take takes a value that waits, if there is one.
func take[T any](q *sourceCount, in sourceBuffer[T]) fold.Maybe[T] {
	if q.waiting == 0 {
		return fold.Nothing[T]()
	}
	q.waiting--
	return fold.Just(<-in)
}

// ZipLatest emits combine of the last values of both sources when both have a new one, and
// then waits for a new value of each. It drops the values of a faster source between, and
// unlike [CombineLatest] uses no value twice. It completes when one source has completed
// and its last value is used, so that no pair can come. The first failure ends it. As much
// waits for the consumer as for CombineLatest. A slow consumer loses no value that a fast
// one would get.
func ZipLatest[A, B, C any](a stream.Observable[A], b stream.Observable[B], combine func(A, B) C) stream.Observable[C] {
	mustHave("ZipLatest", "function", combine != nil)
	return ofTwo("ZipLatest", a, b, func(_ context.Context, as sourceBuffer[A], bs sourceBuffer[B], yield func(C) bool) func(arrival) bool {
		var lastA A
		var lastB B
		var sources [2]struct{ fresh, ended bool }
		return func(e arrival) bool {
			s := &sources[e.source]
			switch {
			case e.ended:
				s.ended = true
				return s.fresh
			case e.source == 0:
				lastA = <-as
			default:
				lastB = <-bs
			}
			s.fresh = true
			if !sources[0].fresh || !sources[1].fresh {
				return true
			}
			sources[0].fresh, sources[1].fresh = false, false
			return yield(combine(lastA, lastB)) && !sources[0].ended && !sources[1].ended
		}
	})
}

// SequenceEqual emits whether both sources emit the same values in the same order and then
// complete. As soon as they differ, it cancels them, emits false and completes. If a source
// fails before, the run fails and emits nothing. It buffers as [Zip] does.
func SequenceEqual[T comparable](a, b stream.Observable[T]) stream.Observable[bool] {
	mustHave("SequenceEqual", "observable", a != nil)
	mustHave("SequenceEqual", "observable", b != nil)
	return SequenceEqualFunc(a, b, func(x, y T) bool { return x == y })
}

// SequenceEqualFunc is [SequenceEqual] with a function that says which values are equal. It
// is called on the caller's goroutine.
func SequenceEqualFunc[A, B any](a stream.Observable[A], b stream.Observable[B], equal func(A, B) bool) stream.Observable[bool] {
	mustHave("SequenceEqualFunc", "function", equal != nil)
	unequal := ofTwo("SequenceEqualFunc", a, b, func(_ context.Context, as sourceBuffer[A], bs sourceBuffer[B], yield func(bool) bool) func(arrival) bool {
		rows := newRowCounter(2)
		return func(e arrival) bool {
			if rows.complete(e) && !equal(<-as, <-bs) || rows.uneven() {
				return yield(false)
			}
			return !rows.allOver()
		}
	})
	return func(ctx context.Context, yield func(bool) bool) error {
		same := true
		err := unequal(ctx, func(bool) bool {
			same = false
			return false
		})
		return conclude(ctx, err, same, yield)
	}
}

// rowCounter counts the waiting values of several sources. One value of each makes a row.
type rowCounter struct {
	sources   []sourceCount
	missing   int // sources of which nothing waits
	exhausted int // those of them that have ended
}

// sourceCount is the state of one source of a rowCounter.
type sourceCount struct {
	waiting int
	ended   bool
}

func newRowCounter(sources int) *rowCounter {
	return &rowCounter{sources: make([]sourceCount, sources), missing: sources}
}

// complete notes an arrival and reports whether there is a row to take now.
func (r *rowCounter) complete(e arrival) bool {
	s := &r.sources[e.source]
	if e.ended {
		s.ended = true
		if s.waiting == 0 {
			r.exhausted++
		}
		return false
	}
	s.waiting++
	if s.waiting == 1 {
		r.missing--
	}
	if r.missing > 0 {
		return false
	}
	for i := range r.sources {
		s := &r.sources[i]
		if s.waiting--; s.waiting == 0 {
			r.missing++
			if s.ended {
				r.exhausted++
			}
		}
	}
	return true
}

// emitting returns a function that handles arrivals: it calls emit for each row, until emit
// returns false or no row can come any more.
func (r *rowCounter) emitting(emit func() bool) func(arrival) bool {
	return func(e arrival) bool { return (!r.complete(e) || emit()) && !r.over() }
}

// over reports whether no row can come any more.
func (r *rowCounter) over() bool { return r.exhausted > 0 }

// allOver reports whether every source has ended and nothing waits.
func (r *rowCounter) allOver() bool { return r.exhausted == len(r.sources) }

// uneven reports whether a value waits for a counterpart that cannot come.
func (r *rowCounter) uneven() bool { return r.exhausted > 0 && r.missing < len(r.sources) }
