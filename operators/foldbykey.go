package operators

import (
	"context"
	"maps"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/stream"
)

// FoldByKey emits one map when the source completes: for each key, the combination under a
// monoid of the parts that split took from the values of that key, in their order. It keeps
// one total a key, so its memory grows with the number of keys. The map belongs to the
// receiver; without values it is empty. A failure emits nothing.
func FoldByKey[A any, K comparable, V any](split func(A) (K, V), m fold.Monoid[V]) stream.Operator[A, map[K]V] {
	mustHave("FoldByKey", "function", split != nil)
	mustHave("FoldByKey", "monoid", m != nil)
	return func(source stream.Observable[A]) stream.Observable[map[K]V] {
		mustHave("FoldByKey", "observable", source != nil)
		return func(ctx context.Context, yield func(map[K]V) bool) error {
			t := newTotals[K](m)
			err := source(ctx, func(a A) bool {
				key, part := split(a)
				total := t.of[key]
				if total == nil {
					total = t.add(key)
				}
				*total = t.m.Combine(*total, part)
				return true
			})
			if err = ended(ctx, err); err != nil {
				return err
			}
			return conclude(ctx, nil, t.all(), yield)
		}
	}
}

// totals keeps pointers, so that a value costs one look-up of the map, and not a second one
// that stores the new total. The pointers are to places in larger chunks.
type totals[K comparable, V any] struct {
	m     fold.Monoid[V]
	of    map[K]*V
	room  int // the number of keys for which of is made
	chunk []V // the latest; totals are added to it until it is full
}

func newTotals[K comparable, V any](m fold.Monoid[V]) *totals[K, V] {
	return &totals[K, V]{m: m, of: make(map[K]*V), room: 8}
}

// add adds the total of a key that has none.
func (t *totals[K, V]) add(key K) *V {
	if len(t.of) == t.room { // a map that stays half empty finds its keys sooner
		t.room *= 2
		roomier := make(map[K]*V, 2*t.room)
		maps.Copy(roomier, t.of)
		t.of = roomier
	}
	last := len(t.chunk)
	if last == cap(t.chunk) {
		t.chunk, last = make([]V, 0, max(1, len(t.of))), 0
	}
	t.chunk = append(t.chunk, t.m.Identity())
	total := &t.chunk[last]
	t.of[key] = total
	return total
}

// all is a map of the totals. It belongs to the caller.
func (t *totals[K, V]) all() map[K]V {
	all := make(map[K]V, len(t.of))
	for key, total := range t.of {
		all[key] = *total
	}
	return all
}

// clear removes all totals and keeps the room for others.
func (t *totals[K, V]) clear() {
	clear(t.of)
	clear(t.chunk)
	t.chunk = t.chunk[:0]
}
