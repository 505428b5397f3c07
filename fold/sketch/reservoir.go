package sketch

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/rxipc/rxipc/fold"
)

// Sample is some of many values, chosen at random. The zero value has none. [Reservoir]
// combines samples.
type Sample[T any] struct{ held[tagged[T], reservoir[T]] }

// tagged is a value with the random number that decides whether it stays.
type tagged[T any] struct {
	tag   uint64
	value T
}

// Value is the sample of one value. It draws the random number that decides whether the value
// stays in a sample, so that combining draws nothing.
func Value[T any](v T) Sample[T] {
	return Sample[T]{held[tagged[T], reservoir[T]]{one: tagged[T]{rand.Uint64(), v}, single: true}}
}

// Reservoir keeps a random sample of k values: each set of k values is equally likely, so each
// of n values is kept with the probability k/n. A k below 1 counts as 1. It gives each value a
// random number of 64 bits and keeps the values with the k smallest ones. That is the
// reservoir of Knuth (The Art of Computer Programming, volume 2, 3.4.2) in the form of Efraimidis
// and Spirakis (2006) with equal weights. Samples that were drawn in several processes combine
// to a sample of all of them.
//
// A sample takes the memory of k values and 8 bytes for each. Combine is associative and
// commutative, exactly. Samples of different k combine to one of the smallest k that has left
// values out.
func Reservoir[T any](k int) fold.Monoid[Sample[T]] {
	k = max(1, k)
	c := combiner[tagged[T], reservoir[T]]{
		fresh: func() *reservoir[T] { return new(reservoir[T]) },
		add: func(into *reservoir[T], v tagged[T]) {
			into.merge(&reservoir[T]{seen: 1, kept: []tagged[T]{v}}, k)
		},
		merge: func(into, from *reservoir[T]) { into.merge(from, k) },
		fit:   func(r *reservoir[T]) { r.cut(k) },
	}
	return fold.New(func() Sample[T] { return Sample[T]{} }, func(a, b Sample[T]) Sample[T] {
		return Sample[T]{c.combine(a.held, b.held)}
	})
}

// reservoir has the values with the smallest tags of all that were seen.
type reservoir[T any] struct {
	seen uint64
	kept []tagged[T] // by tag
}

// most is how many of the smallest tags are known: all of them if no value was left out.
func (r *reservoir[T]) most() int {
	if r.seen > uint64(len(r.kept)) {
		return len(r.kept)
	}
	return math.MaxInt
}

func (r *reservoir[T]) merge(from *reservoir[T], k int) {
	k = min(k, r.most(), from.most())
	r.cut(k)
	for _, v := range from.kept {
		if len(r.kept) >= k && v.tag >= r.kept[k-1].tag {
			break // as all that follow
		}
		at, _ := slices.BinarySearchFunc(r.kept, v.tag, func(other tagged[T], tag uint64) int {
			if other.tag <= tag {
				return -1
			}
			return 1
		})
		r.kept = slices.Insert(r.kept, at, v)
		r.cut(k)
	}
	r.seen = plus(r.seen, from.seen)
}

// cut leaves the k smallest tags.
func (r *reservoir[T]) cut(k int) {
	if len(r.kept) > k {
		clear(r.kept[k:])
		r.kept = r.kept[:k]
	}
}

// all returns the reservoir of s, to be read only.
func (s Sample[T]) all() *reservoir[T] {
	switch {
	case s.sketch != nil:
		return s.sketch
	case s.single:
		return &reservoir[T]{seen: 1, kept: []tagged[T]{s.one}}
	default:
		return new(reservoir[T])
	}
}

// Values returns the values in random order, so that the first of them are a sample too. The
// slice belongs to the caller.
func (s Sample[T]) Values() []T {
	var values []T
	for _, v := range s.all().kept {
		values = append(values, v.value)
	}
	return values
}

// Seen is how many values the sample was drawn from.
func (s Sample[T]) Seen() uint64 { return s.all().seen }

// MarshalBinary encodes the sample for UnmarshalBinary in any process, with each value in JSON.
// It fails if JSON cannot have a value, or if the sample has more than [MaxEncoded] bytes.
func (s Sample[T]) MarshalBinary() ([]byte, error) {
	return encoded('R', func(data []byte) ([]byte, error) {
		all := s.all()
		data = binary.AppendUvarint(data, all.seen)
		data = binary.AppendUvarint(data, uint64(len(all.kept)))
		for _, v := range all.kept {
			value, err := json.Marshal(v.value)
			if err != nil {
				return nil, err
			}
			data = appendBytes(binary.LittleEndian.AppendUint64(data, v.tag), value)
		}
		return data, nil
	})
}

// UnmarshalBinary decodes the bytes of MarshalBinary. Its errors are [ErrInvalid], also around
// the error of JSON for a value that is no T.
func (s *Sample[T]) UnmarshalBinary(data []byte) error {
	return decoded('R', data, func(data []byte) error {
		all, err := readReservoir[T](data)
		if err == nil {
			*s = Sample[T]{held[tagged[T], reservoir[T]]{sketch: all}}
		}
		return err
	})
}

// MarshalText encodes the sample in base64, which makes it a string in JSON.
func (s Sample[T]) MarshalText() ([]byte, error) { return asText(s.MarshalBinary()) }

// UnmarshalText decodes the text of MarshalText. Its errors are [ErrInvalid].
func (s *Sample[T]) UnmarshalText(text []byte) error { return fromText(text, s.UnmarshalBinary) }

func readReservoir[T any](data []byte) (*reservoir[T], error) {
	r := reader{data: data}
	all := &reservoir[T]{seen: r.uvarint()}
	n := r.uvarint()
	if n > all.seen || n == 0 && all.seen > 0 {
		return nil, invalid("%d values of %d", n, all.seen)
	}
	for range n {
		tag, text := r.bytes(8), r.bytes(r.uvarint())
		if r.short {
			return nil, r.end()
		}
		v := tagged[T]{tag: binary.LittleEndian.Uint64(tag)}
		if i := len(all.kept); i > 0 && v.tag < all.kept[i-1].tag {
			return nil, invalid("value %d is not in order", i+1)
		}
		if err := json.Unmarshal(text, &v.value); err != nil {
			return nil, fmt.Errorf("%w: value %d: %w", ErrInvalid, len(all.kept)+1, err)
		}
		all.kept = append(all.kept, v)
	}
	return all, r.end()
}
