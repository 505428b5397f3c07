package sketch

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"

	"github.com/bits-and-blooms/bloom/v3"

	"github.com/rxipc/rxipc/fold"
)

// A filter has a power of two of bits, so that a large one can be folded to the size of a
// small one: its bits are then where they would be had it been small from the start.
const (
	leastBits = 6  // the logarithm of a word's
	mostBits  = 28 // 32 MiB

	mostHashes = 64
)

// Filter is a sketch of a set of strings: whether it has a given string. It does not keep its
// members. The zero value is the empty set. [Bloom] combines filters.
type Filter struct {
	held[string, bloom.BloomFilter]
}

// Key is the filter that has one string.
func Key(s string) Filter { return Filter{held[string, bloom.BloomFilter]{one: s, single: true}} }

// Bloom combines filters to the filter of the union, by a Bloom filter (Bloom, 1970). With the
// given number of members, [Filter.Has] returns true for the share rate of strings that are no
// members. It always returns true for members. With more members it is wrong more often:
// [Filter.FalsePositiveRate] returns the share.
//
// A filter takes between 1.44 and 2.88 times log2(1/rate) bits a member: 16 KiB for ten
// thousand members and a rate of 1%. It has all of that from its second member on. A filter of
// less than two members takes none.
//
// Filters of different parameters combine to one of the smaller size and the fewer hash
// functions. It has all members, and is wrong more often than a filter of that size that had
// them from the start. Combine is associative and commutative, bit for bit.
//
// Members below 1 count as 1. Bloom panics if rate is not between 2^-64 and 1, or if a filter
// would take more than 32 MiB.
func Bloom(members int, rate float64) fold.Monoid[Filter] {
	hashes := -math.Log2(rate)
	if !(hashes > 0 && hashes <= mostHashes) {
		panic("sketch: Bloom with a rate that is not between 2^-64 and 1")
	}
	wanted := float64(max(1, members)) * hashes / math.Ln2
	if wanted > 1<<mostBits {
		panic("sketch: Bloom with a filter that takes more than 32 MiB; fewer members or a higher rate make it smaller")
	}
	size := uint(1) << max(leastBits, bits.Len(uint(math.Ceil(wanted))-1))
	k := uint(math.Ceil(hashes))
	fresh := func() *bloom.BloomFilter { return bloom.New(size, k) }
	c := combiner[string, bloom.BloomFilter]{
		fresh: fresh,
		add:   func(into *bloom.BloomFilter, s string) { into.AddString(s) },
		merge: unite,
		fit: func(f *bloom.BloomFilter) {
			if f.Cap() > size || f.K() > k { // it comes from elsewhere
				unite(f, fresh())
			}
		},
	}
	return fold.New(func() Filter { return Filter{} }, func(a, b Filter) Filter { return Filter{c.combine(a.held, b.held)} })
}

// unite adds the members of from to into, which takes the smaller size and the fewer hashes of
// the two.
func unite(into, from *bloom.BloomFilter) {
	union, other := into.BitSet().Words(), from.BitSet().Words()
	if len(union) > len(other) {
		union, other = slices.Clone(other), union
	}
	for i, word := range other {
		union[i%len(union)] |= word
	}
	*into = *bloom.From(union, min(into.K(), from.K()))
}

// Has reports whether a string is there. It may be wrong if it says that it is.
func (f Filter) Has(s string) bool {
	switch {
	case f.single:
		return s == f.one
	case f.sketch == nil:
		return false
	default:
		return f.sketch.TestString(s)
	}
}

// FalsePositiveRate is the share of strings that are not there for which Has says that they are: the
// share of bits that are set, to the power of the number of hash functions.
func (f Filter) FalsePositiveRate() float64 {
	if f.sketch == nil {
		return 0
	}
	return math.Pow(float64(f.sketch.BitSet().Count())/float64(f.sketch.Cap()), float64(f.sketch.K()))
}

// The third byte of an encoded filter.
const (
	noKey byte = iota
	oneKey
	manyKeys
)

// MarshalBinary encodes the filter for UnmarshalBinary in any process, in as many bytes as it
// takes.
func (f Filter) MarshalBinary() ([]byte, error) {
	return encoded('B', func(data []byte) ([]byte, error) {
		switch {
		case f.single:
			return appendBytes(append(data, oneKey), f.one), nil
		case f.sketch == nil:
			return append(data, noKey), nil
		}
		words := f.sketch.BitSet().Words()
		data = append(slices.Grow(data, 3+8*len(words)), manyKeys, byte(f.sketch.K()), byte(bits.Len(uint(len(words)))-1))
		for _, word := range words {
			data = binary.LittleEndian.AppendUint64(data, word)
		}
		return data, nil
	})
}

// UnmarshalBinary decodes the bytes of MarshalBinary. Its errors are [ErrInvalid].
func (f *Filter) UnmarshalBinary(data []byte) error {
	return decoded('B', data, func(data []byte) error {
		filter, err := readFilter(data)
		if err == nil {
			*f = filter
		}
		return err
	})
}

// MarshalText encodes the filter in base64, which makes it a string in JSON.
func (f Filter) MarshalText() ([]byte, error) { return asText(f.MarshalBinary()) }

// UnmarshalText decodes the text of MarshalText. Its errors are [ErrInvalid].
func (f *Filter) UnmarshalText(text []byte) error { return fromText(text, f.UnmarshalBinary) }

func readFilter(data []byte) (Filter, error) {
	r := reader{data: data}
	switch form := r.uvarint(); form {
	case uint64(noKey):
		return Filter{}, r.end()
	case uint64(oneKey):
		return Key(string(r.bytes(r.uvarint()))), r.end()
	case uint64(manyKeys):
	default:
		return Filter{}, invalid("no filter: its third byte is %d", form)
	}
	hashes, size := r.uvarint(), r.uvarint()
	if hashes < 1 || hashes > mostHashes || size > mostBits-leastBits {
		return Filter{}, invalid("%d hash functions and 2^%d words, want 1 to %d and at most 2^%d", hashes, size, mostHashes, mostBits-leastBits)
	}
	data = r.bytes(8 << size)
	if err := r.end(); err != nil {
		return Filter{}, err
	}
	words := make([]uint64, 1<<size)
	for i := range words {
		words[i] = binary.LittleEndian.Uint64(data[8*i:])
	}
	return Filter{held[string, bloom.BloomFilter]{sketch: bloom.From(words, uint(hashes))}}, nil
}
