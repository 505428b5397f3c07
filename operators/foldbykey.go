package operators

import (
	"context"
	"maps"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/stream"
)

// FoldByKey emits one map when the source completes: for each key, the combination
// under a monoid of the parts that split took from the values of that key, in their
// order. It keeps one total a key, so the keys there are bound its memory. The map
// is the receiver's; without values it is empty. A failure emits nothing.
func FoldByKey[A any, K comparable, V any](split func(A) (K, V), m fold.Monoid[V]) stream.Operator[A, map[K]V] {
	mustHave("FoldByKey", "function", split != nil)
	mustHave("FoldByKey", "monoid", m != nil)
	return func(source stream.Observable[A]) stream.Observable[map[K]V] {
		mustHave("FoldByKey", "observable", source != nil)
		return func(ctx context.Context, yield func(map[K]V) bool) error {
			t := totals[K, V]{m: m, of: make(map[K]*V), room: 8}
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

// totals are kept by pointer: a value costs one look-up, where storing what it makes
// of a total would take another.
type totals[K comparable, V any] struct {
	m    fold.Monoid[V]
	of   map[K]*V
	room int // the number of keys for which of is made
}

func (t *totals[K, V]) add(key K) *V {
	if len(t.of) == t.room { // a map that stays half empty finds its keys sooner
		t.room *= 2
		roomier := make(map[K]*V, 2*t.room)
		maps.Copy(roomier, t.of)
		t.of = roomier
	}
	total := t.m.Identity()
	t.of[key] = &total
	return &total
}

func (t *totals[K, V]) all() map[K]V {
	all := make(map[K]V, len(t.of))
	for key, total := range t.of {
		all[key] = *total
	}
	return all
}
