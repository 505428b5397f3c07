package sketch

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rxipc/rxipc/fold"
)

// Counts is a sketch of how often each of many strings came. It keeps the most frequent ones.
// The zero value has counted nothing. [TopK] combines counts.
type Counts struct{ held[string, counters] }

// Item is the count of one string that came once.
func Item(s string) Counts { return Counts{held[string, counters]{one: s, single: true}} }

// Count is about how often an item came.
type Count struct {
	Item    string // that was counted
	AtLeast uint64 // it came as often as this or more often
	AtMost  uint64 // it came as often as this or less often
}

// String is the item and its count, or two counts if it is between them.
func (c Count) String() string {
	if c.AtLeast == c.AtMost {
		return fmt.Sprintf("%s: %d", c.Item, c.AtLeast)
	}
	return fmt.Sprintf("%s: %d to %d", c.Item, c.AtLeast, c.AtMost)
}

// TopK counts which strings are the most frequent, with k counters, by the algorithm of Misra
// and Gries (1982) in its mergeable form (Agarwal and others, Mergeable Summaries, PODS 2012). A
// k below 1 counts as 1, one above 2^19 as 2^19. With n strings in all:
//
//   - [Count.AtLeast] and [Count.AtMost] always hold the true count. They are at most n/(k+1)
//     apart.
//   - Each string that came more often than n/(k+1) times is there. So a top ten whose last has
//     1% of all needs a k of 100 to be there, and of 1000 to be counted within a tenth.
//   - Counts keep at most 2k strings and their counters.
//
// These bounds hold in whatever order and grouping counts are combined; where the k differ, for
// the smallest k. The counts within them depend on order and grouping, so Combine is
// associative and commutative only within n/(k+1). With at most k different strings the counts
// are exact, and so are the laws.
func TopK(k int) fold.Monoid[Counts] {
	k = min(max(1, k), mostItems/2)
	c := combiner[string, counters]{
		fresh: newCounters,
		add: func(into *counters, item string) {
			into.add(item, 1)
			into.total = plus(into.total, 1)
		},
		merge: func(into, from *counters) {
			for item, count := range from.of {
				into.add(item, count)
			}
			into.total = plus(into.total, from.total)
			into.missing = plus(into.missing, from.missing)
		},
		fit: func(c *counters) { c.prune(k) },
	}
	return fold.New(func() Counts { return Counts{} }, func(a, b Counts) Counts { return Counts{c.combine(a.held, b.held)} })
}

// mostItems bounds what a small encoding makes of memory.
const mostItems = 1 << 20

// counters are the items that are kept and how often each came, less what was taken off.
type counters struct {
	of      map[string]uint64
	total   uint64 // of all items, kept or not
	missing uint64 // was taken off each counter, at most
}

func newCounters() *counters { return &counters{of: make(map[string]uint64)} }

// add does not count in total.
func (c *counters) add(item string, count uint64) {
	before, kept := c.of[item]
	if !kept {
		item = strings.Clone(item) // which may be part of a line
	}
	c.of[item] = plus(before, count)
}

// prune leaves at most k counters when there are twice as many: it takes the count of the
// next off all of them. So each unit of missing was taken off k+1 counters at least, and the
// cost of a prune is spread over the k items that came since the last.
func (c *counters) prune(k int) {
	if len(c.of) <= 2*k {
		return
	}
	counts := slices.Sorted(maps.Values(c.of))
	off := counts[len(counts)-k-1]
	for item, count := range c.of {
		if count <= off {
			delete(c.of, item)
		} else {
			c.of[item] = count - off
		}
	}
	c.missing = plus(c.missing, off)
}

// all returns the counters of h. They are to be read only.
func (c Counts) all() *counters {
	switch {
	case c.sketch != nil:
		return c.sketch
	case c.single:
		return &counters{of: map[string]uint64{c.one: 1}, total: 1}
	default:
		return new(counters)
	}
}

// Total is how many strings were counted, each as often as it came.
func (c Counts) Total() uint64 { return c.all().total }

// Top returns the n most frequent items by AtLeast, the most frequent first, equally frequent
// ones in their alphabetical order. There are fewer if fewer are kept, and none if n is zero or
// less.
func (c Counts) Top(n int) []Count {
	all := c.all()
	list := make([]Count, 0, len(all.of))
	for item, count := range all.of {
		list = append(list, Count{item, count, plus(count, all.missing)})
	}
	slices.SortFunc(list, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.AtLeast, a.AtLeast), cmp.Compare(a.Item, b.Item))
	})
	return slices.Clip(list[:min(max(n, 0), len(list))])
}

// Of returns about how often an item came. An item that is not kept has an AtLeast of zero.
func (c Counts) Of(item string) Count {
	all := c.all()
	count := all.of[item]
	return Count{item, count, plus(count, all.missing)}
}

// MarshalBinary encodes the counts for UnmarshalBinary in any process. It fails if they have
// more than [MaxEncoded] bytes.
func (c Counts) MarshalBinary() ([]byte, error) {
	return encoded('T', func(data []byte) ([]byte, error) {
		all := c.all()
		data = binary.AppendUvarint(data, all.total)
		data = binary.AppendUvarint(data, all.missing)
		data = binary.AppendUvarint(data, uint64(len(all.of)))
		for _, item := range slices.Sorted(maps.Keys(all.of)) {
			data = binary.AppendUvarint(appendBytes(data, item), all.of[item])
		}
		return data, nil
	})
}

// UnmarshalBinary decodes the bytes of MarshalBinary. Its errors are [ErrInvalid].
func (c *Counts) UnmarshalBinary(data []byte) error {
	return decoded('T', data, func(data []byte) error {
		all, err := readCounters(data)
		if err == nil {
			*c = Counts{held[string, counters]{sketch: all}}
		}
		return err
	})
}

// MarshalText encodes the counts in base64, which makes them a string in JSON.
func (c Counts) MarshalText() ([]byte, error) { return asText(c.MarshalBinary()) }

// UnmarshalText decodes the text of MarshalText. Its errors are [ErrInvalid].
func (c *Counts) UnmarshalText(text []byte) error { return fromText(text, c.UnmarshalBinary) }

func readCounters(data []byte) (*counters, error) {
	r := reader{data: data}
	all := newCounters()
	all.total, all.missing = r.uvarint(), r.uvarint()
	n := r.uvarint()
	if n > mostItems {
		return nil, invalid("%d items, of at most %d", n, mostItems)
	}
	var counted uint64
	last := ""
	for uint64(len(all.of)) < n {
		item := string(r.bytes(r.uvarint()))
		count := r.uvarint()
		switch {
		case r.short:
			return nil, r.end()
		case len(all.of) > 0 && item <= last:
			return nil, invalid("item %q after %q", item, last)
		case count == 0:
			return nil, invalid("item %q never came", item)
		}
		all.of[item], last = count, item
		counted = plus(counted, count)
	}
	if counted > all.total || all.missing > all.total {
		return nil, invalid("items came %d times and %d were taken off, of %d", counted, all.missing, all.total)
	}
	return all, r.end()
}
