package operators

import (
	"cmp"
	"context"

	"github.com/rxipc/rxipc/stream"
)

// MergeSorted emits the values of all sources in the order of compare, a function such as
// [cmp.Compare]. Each source has to emit its values in that order, as log files by time and
// parts of a sorted table do. Of equal values, those of the earlier source come first. A
// value that its source emits too late is emitted late.
//
// A value is emitted when each source has a value or has completed, so a silent source
// holds up the others. The run completes when all sources have completed; the first failure
// ends it. The sources run at the same time, each on a goroutine of its own. At most
// [stream.DefaultBuffer] values of each wait; a source that has one more waits. compare is
// called on the caller's goroutine.
func MergeSorted[T any](compare func(a, b T) int, sources ...stream.Observable[T]) stream.Observable[T] {
	mustHave("MergeSorted", "function", compare != nil)
	mustHaveEach("MergeSorted", sources)
	return func(ctx context.Context, yield func(T) bool) error {
		s := sortedMerge[T]{ctx: ctx, yield: yield, compare: compare, missing: len(sources)}
		err := stream.Gather(stream.DefaultBuffer, func(g *stream.Group[sourceEvent[T]]) {
			for i, source := range sources {
				t := &orderedSource[T]{number: i, room: newSemaphore(stream.DefaultBuffer)}
				g.Go(t.producer(source))
			}
		})(stream.WithBuffering(ctx, "MergeSorted"), s.take)
		return ended(ctx, cmp.Or(err, s.failed))
	}
}

// sortedMerge is a run of MergeSorted.
type sortedMerge[T any] struct {
	ctx     context.Context
	yield   func(T) bool
	compare func(a, b T) int
	heads   []*orderedSource[T] // those with a value: a heap, the one to emit from next first
	missing int                 // those without, that have not ended
	failed  error
}

// take notes an event, emits the values that may be emitted now, and reports whether the run
// goes on.
func (s *sortedMerge[T]) take(h sourceEvent[T]) bool {
	t := h.from
	switch {
	case h.err != nil:
		s.failed = h.err
		return false
	case h.ended:
		t.ended = true
		if t.waiting.count == 0 {
			s.missing--
		}
	default:
		t.waiting.push(h.value)
		if t.waiting.count == 1 {
			s.missing--
			s.heads = append(s.heads, t)
			s.up(len(s.heads) - 1)
		}
	}
	for s.missing == 0 && len(s.heads) > 0 {
		if s.ctx.Err() != nil || !s.yield(s.pop()) {
			return false
		}
	}
	return true
}

// pop takes the next value out.
func (s *sortedMerge[T]) pop() T {
	t := s.heads[0]
	v := t.pop()
	if t.waiting.count == 0 {
		if !t.ended {
			s.missing++
		}
		last := len(s.heads) - 1
		s.heads[0], s.heads[last] = s.heads[last], nil
		s.heads = s.heads[:last]
	}
	s.down()
	return v
}

// before reports whether the i-th of the heads comes before the j-th.
func (s *sortedMerge[T]) before(i, j int) bool {
	a, b := s.heads[i], s.heads[j]
	by := s.compare(a.waiting.first(), b.waiting.first())
	return by < 0 || by == 0 && a.number < b.number
}

func (s *sortedMerge[T]) up(i int) {
	for parent := (i - 1) / 2; i > 0 && s.before(i, parent); i, parent = parent, (parent-1)/2 {
		s.heads[i], s.heads[parent] = s.heads[parent], s.heads[i]
	}
}

func (s *sortedMerge[T]) down() {
	for i := 0; 2*i+1 < len(s.heads); {
		child := 2*i + 1
		if child+1 < len(s.heads) && s.before(child+1, child) {
			child++
		}
		if !s.before(child, i) {
			return
		}
		s.heads[i], s.heads[child] = s.heads[child], s.heads[i]
		i = child
	}
}
