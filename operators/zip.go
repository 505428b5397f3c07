package operators

import (
	"context"

	"github.com/rxipc/rxipc/stream"
)

// Zip emits combine of the first values of both sources, then of the second ones, and
// so on. It completes when one of them has and all its values are used, and cancels the
// other; the first failure ends it, after the pairs that were complete by then. The
// sources run at the same time, each on a goroutine of its own. At most
// [stream.DefaultBuffer] values of each wait for their counterpart or for the
// consumer; a source that has one more waits.
func Zip[A, B, C any](a stream.Observable[A], b stream.Observable[B], combine func(A, B) C) stream.Observable[C] {
	return func(ctx context.Context, yield func(C) bool) error {
		as, bs := newInlet[A](), newInlet[B]()
		rows := newRows(2)
		return arrivals(ctx, func(g *stream.Group[arrival]) {
			as.open(g, 0, a)
			bs.open(g, 1, b)
		}, func(e arrival) bool {
			if rows.complete(e) && !yield(combine(<-as, <-bs)) {
				return false
			}
			return !rows.over()
		})
	}
}

// Zip3 is [Zip] of three sources.
func Zip3[A, B, C, D any](a stream.Observable[A], b stream.Observable[B], c stream.Observable[C], combine func(A, B, C) D) stream.Observable[D] {
	return func(ctx context.Context, yield func(D) bool) error {
		as, bs, cs := newInlet[A](), newInlet[B](), newInlet[C]()
		rows := newRows(3)
		return arrivals(ctx, func(g *stream.Group[arrival]) {
			as.open(g, 0, a)
			bs.open(g, 1, b)
			cs.open(g, 2, c)
		}, func(e arrival) bool {
			if rows.complete(e) && !yield(combine(<-as, <-bs, <-cs)) {
				return false
			}
			return !rows.over()
		})
	}
}

// SequenceEqual emits whether both sources emit the same values in the same order and
// then complete: false as soon as that is known, and cancels them then. It emits nothing
// if one fails before, which ends it. It buffers as [Zip] does.
func SequenceEqual[T comparable](a, b stream.Observable[T]) stream.Observable[bool] {
	return func(ctx context.Context, yield func(bool) bool) error {
		as, bs := newInlet[T](), newInlet[T]()
		rows := newRows(2)
		return arrivals(ctx, func(g *stream.Group[arrival]) {
			as.open(g, 0, a)
			bs.open(g, 1, b)
		}, func(e arrival) bool {
			switch {
			case rows.complete(e) && <-as != <-bs, rows.uneven():
				yield(false)
				return false
			case rows.allOver():
				yield(true)
				return false
			default:
				return true
			}
		})
	}
}

// rows count what waits of several sources, of which one value each makes a row.
type rows []struct {
	waiting int
	ended   bool
}

func newRows(sources int) rows { return make(rows, sources) }

// complete takes note of an arrival and reports whether there is a row to take now.
func (r rows) complete(e arrival) bool {
	if e.ended {
		r[e.source].ended = true
		return false
	}
	r[e.source].waiting++
	for i := range r {
		if r[i].waiting == 0 {
			return false
		}
	}
	for i := range r {
		r[i].waiting--
	}
	return true
}

// over reports whether no row can come any more.
func (r rows) over() bool {
	for i := range r {
		if r[i].ended && r[i].waiting == 0 {
			return true
		}
	}
	return false
}

// allOver reports whether every source has ended and nothing waits.
func (r rows) allOver() bool {
	for i := range r {
		if !r[i].ended || r[i].waiting > 0 {
			return false
		}
	}
	return true
}

// uneven reports whether a value waits for one that cannot come.
func (r rows) uneven() bool {
	for i := range r {
		if r[i].waiting > 0 {
			return r.over()
		}
	}
	return false
}
