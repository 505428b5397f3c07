package sketch

import (
	"bytes"
	"math"

	"github.com/DataDog/sketches-go/ddsketch"
	"github.com/DataDog/sketches-go/ddsketch/mapping"
	"github.com/DataDog/sketches-go/ddsketch/store"

	"github.com/rxipc/rxipc/fold"
)

// Accuracy is the largest relative error of a quantile: 1%.
const Accuracy = 0.01

// bins bound the memory: values 10^17 times smaller than the greatest lose their accuracy.
const bins = 2048

// Distribution is a sketch of numbers. It does not keep them. The zero value has none.
// [Quantiles] combines distributions.
type Distribution struct {
	held[float64, ddsketch.DDSketch]
}

// Number is the distribution of one number. NaN and infinities are left out.
func Number(v float64) Distribution {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return Distribution{}
	}
	return Distribution{held[float64, ddsketch.DDSketch]{one: v, single: true}}
}

// Quantiles combines distributions, by DDSketch (Masson, Rim and Lee, VLDB 2019). A quantile
// is within [Accuracy] of a number that was there; only numbers 10^17 times smaller than the
// greatest are less accurate. A distribution takes 32 KiB at most, and less for a narrow range
// of numbers.
//
// The order of combination changes nothing as long as the numbers fit into that range. Beyond
// it the smallest numbers count as greater than they are, and how much greater may depend on
// the order.
func Quantiles() fold.Monoid[Distribution] {
	return fold.New(func() Distribution { return Distribution{} }, func(a, b Distribution) Distribution {
		return Distribution{distributions.combine(a.held, b.held)}
	})
}

var distributions = combiner[float64, ddsketch.DDSketch]{
	fresh: func() *ddsketch.DDSketch {
		s, err := ddsketch.LogCollapsingLowestDenseDDSketch(Accuracy, bins)
		must(err) // not of such an accuracy
		return s
	},
	add: func(into *ddsketch.DDSketch, v float64) {
		must(into.Add(max(-indexable, min(v, indexable)))) // no number is out of range
	},
	merge: func(into, from *ddsketch.DDSketch) {
		must(into.MergeWith(from)) // all have one accuracy: see readDistribution
	},
}

// indexable is the greatest number that the library takes.
var indexable = func() float64 {
	m, err := mapping.NewDefaultMapping(Accuracy)
	must(err)
	return m.MaxIndexableValue()
}()

// must panics at an error that cannot be.
func must(err error) {
	if err != nil {
		panic("sketch: " + err.Error())
	}
}

// Count is how many numbers there are.
func (d Distribution) Count() int {
	switch {
	case d.single:
		return 1
	case d.sketch == nil:
		return 0
	default:
		return int(min(d.sketch.GetCount(), 1<<62))
	}
}

// Quantile returns a number that the share q of all numbers does not exceed: 0.5 gives the
// median. A q below 0 counts as 0, one above 1 as 1. It returns NaN if there are no
// numbers, or q is NaN.
func (d Distribution) Quantile(q float64) float64 {
	if d.Count() == 0 || math.IsNaN(q) {
		return math.NaN()
	}
	if d.single {
		return d.one
	}
	v, err := d.sketch.GetValueAtQuantile(max(0, min(q, 1)))
	if err != nil {
		return math.NaN()
	}
	return v
}

// MarshalBinary encodes the distribution for UnmarshalBinary in any process, in 80 KiB at most
// and usually in less than 4 KiB.
func (d Distribution) MarshalBinary() ([]byte, error) {
	return encoded('D', func(data []byte) ([]byte, error) {
		distributions.sketchOf(d.held).Encode(&data, false)
		return data, nil
	})
}

// UnmarshalBinary decodes the bytes of MarshalBinary. Its errors are [ErrInvalid].
func (d *Distribution) UnmarshalBinary(data []byte) error {
	return decoded('D', data, func(data []byte) error {
		sketch, err := readDistribution(data)
		if err == nil {
			*d = Distribution{held[float64, ddsketch.DDSketch]{sketch: sketch}}
		}
		return err
	})
}

// MarshalText encodes the distribution in base64, which makes it a string in JSON.
func (d Distribution) MarshalText() ([]byte, error) { return asText(d.MarshalBinary()) }

// UnmarshalText decodes the text of MarshalText. Its errors are [ErrInvalid].
func (d *Distribution) UnmarshalText(text []byte) error { return fromText(text, d.UnmarshalBinary) }

// readDistribution accepts only what the library would write: its decoder passes over bins
// that are cut short, and takes any number as a count.
func readDistribution(data []byte) (_ *ddsketch.DDSketch, err error) {
	defer recovered(&err)
	const longest = 2 * bins * (10 + 9) // an index and a count each, in two stores
	if len(data) > longest+64 {
		return nil, invalid("more than %d bytes", longest)
	}
	foreign, err := ddsketch.DecodeDDSketch(data, store.SparseStoreConstructor, nil)
	if err != nil {
		return nil, invalid("%v", err)
	}
	s := distributions.fresh()
	lowest, highest := s.Index(s.MinIndexableValue()), s.Index(s.MaxIndexableValue())
	for _, part := range []store.Store{foreign.GetPositiveValueStore(), foreign.GetNegativeValueStore()} {
		part.ForEach(func(index int, count float64) bool {
			if index < lowest || index > highest || !isCount(count) {
				err = invalid("%v numbers in bin %d", count, index)
			}
			return err != nil
		})
	}
	switch {
	case err != nil:
		return nil, err
	case !isCount(foreign.GetZeroCount()) || !isCount(foreign.GetCount()):
		return nil, invalid("%v numbers, %v of them zero", foreign.GetCount(), foreign.GetZeroCount())
	}
	if err := s.MergeWith(foreign); err != nil {
		return nil, invalid("%v", err)
	}
	var again []byte
	if s.Encode(&again, false); !bytes.Equal(again, data) {
		return nil, invalid("no DDSketch with %d bins as MarshalBinary writes it", bins)
	}
	return s, nil
}

// isCount reports whether v is a number of things that float64 can count.
func isCount(v float64) bool { return v >= 0 && v <= 1<<53 && v == math.Trunc(v) }
