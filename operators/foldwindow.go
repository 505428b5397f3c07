package operators

import (
	"context"
	"reflect"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/stream"
)

// FoldTumbling emits, for each size values in turn, their combination under a monoid (Rx:
// window by count, folded). The values left when the source completes make a last, shorter
// window. A failure drops them. It keeps one total. A size below one counts as one.
func FoldTumbling[T any](size int, m fold.Monoid[T]) stream.Operator[T, T] {
	mustHave("FoldTumbling", "monoid", m != nil)
	size = max(1, size)
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("FoldTumbling", "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) error {
			total := m.Identity()
			left := size
			wanted := true
			err := source(ctx, func(v T) bool {
				total = m.Combine(total, v)
				if left--; left > 0 {
					return true
				}
				full := total
				total, left = m.Identity(), size
				wanted = yield(full)
				return wanted
			})
			if err = ended(ctx, err); err != nil || !wanted || left == size {
				return err
			}
			return stream.Just(total)(ctx, yield)
		}
	}
}

// FoldSliding emits, after each value, the combination of the last size values under a
// monoid. The first windows have fewer values; Skip(size-1) leaves them out. The monoid
// needs no inverse. A value costs at most three calls of Combine on average, whatever the
// size. If values hold maps, slices or pointers, it costs two more calls for copies, and
// later values do not change what is emitted. It keeps size values. A size below one counts
// as one.
//
// The algorithm is the one called Two-Stacks by Tangwongsan, Hirzel and Schneider in
// "Low-Latency Sliding-Window Aggregation in Worst-Case Constant Time" (DEBS 2017).
func FoldSliding[T any](size int, m fold.Monoid[T]) stream.Operator[T, T] {
	mustHave("FoldSliding", "monoid", m != nil)
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("FoldSliding", "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) error {
			window := sliding[T]{m: m, size: max(1, size), recent: m.Identity()}
			window.shares = sharesStorage(reflect.TypeFor[T]())
			return source(ctx, func(v T) bool { return yield(window.push(v)) })
		}
	}
}

// sliding is the window of one run, in one array. Each new value takes the place of the
// value that leaves. Before the index next are the recent values as they came. From next on
// there is, for each older value, the combination of it and of all older values after it.
type sliding[T any] struct {
	m      fold.Monoid[T]
	size   int
	shares bool // values share storage that Combine may use
	values []T
	next   int
	recent T // the combination of the recent values
}

// push adds a value and returns the combination of the window.
func (s *sliding[T]) push(v T) T {
	if s.next == s.size {
		s.age()
	}
	if s.next == len(s.values) {
		s.values = append(s.values, v)
	} else {
		s.values[s.next] = v
	}
	s.next++
	s.recent = s.m.Combine(s.recent, v)
	if s.next < len(s.values) {
		return s.m.Combine(s.values[s.next], s.recent) // that place is needed no more
	}
	return s.own(s.recent)
}

// age makes the recent values the older ones. The first of them leaves at once.
func (s *sliding[T]) age() {
	total := s.m.Identity()
	for i := len(s.values) - 1; i > 0; i-- {
		total = s.m.Combine(s.own(s.values[i]), total)
		s.values[i] = total
	}
	s.next, s.recent = 0, s.m.Identity()
}

// own returns a copy of a value, which Combine may change and which may be emitted.
func (s *sliding[T]) own(v T) T {
	if s.shares {
		return fold.Copy(s.m, v)
	}
	return v
}
