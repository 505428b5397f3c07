package sketch

import (
	"fmt"
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
	one    float64 // the only number, if there is no sketch
	single bool
	sketch *ddsketch.DDSketch
}

// Number is the distribution of one number. NaN and infinities are left out.
func Number(v float64) Distribution {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return Distribution{}
	}
	return Distribution{one: v, single: true}
}

// Quantiles combines distributions, by DDSketch. A quantile is within [Accuracy] of a
// number that was there; only numbers 10^17 times smaller than the greatest are less
// accurate. A distribution takes 32 KiB at most, and less for a narrow range of numbers.
func Quantiles() fold.Monoid[Distribution] {
	return fold.New(func() Distribution { return Distribution{} }, func(a, b Distribution) Distribution {
		if a.sketch == nil {
			one := a
			a = Distribution{sketch: newSketch()}
			a.add(one)
		}
		a.add(b)
		return a
	})
}

func newSketch() *ddsketch.DDSketch {
	s, err := ddsketch.LogCollapsingLowestDenseDDSketch(Accuracy, bins)
	if err != nil {
		panic(err) // of an accuracy that is none
	}
	return s
}

// add adds the numbers of b to the sketch.
func (d *Distribution) add(b Distribution) {
	var err error
	switch {
	case b.single:
		err = d.sketch.Add(clamped(b.one))
	case b.sketch != nil:
		err = d.sketch.MergeWith(b.sketch)
	}
	if err != nil { // all have one accuracy, and no number is out of range
		panic("sketch: " + err.Error())
	}
}

// indexable are the numbers that the library takes.
var indexable = func() float64 {
	m, err := mapping.NewDefaultMapping(Accuracy)
	if err != nil {
		panic(err)
	}
	return m.MaxIndexableValue()
}()

func clamped(v float64) float64 { return max(-indexable, min(v, indexable)) }

// Count is how many numbers there are.
func (d Distribution) Count() int {
	switch {
	case d.single:
		return 1
	case d.sketch == nil:
		return 0
	default:
		return int(d.sketch.GetCount())
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

// MarshalBinary encodes the distribution for UnmarshalBinary, in any process.
func (d Distribution) MarshalBinary() ([]byte, error) {
	all := Distribution{sketch: newSketch()}
	all.add(d)
	var data []byte
	all.sketch.Encode(&data, false)
	return data, nil
}

// UnmarshalBinary decodes what MarshalBinary encoded.
func (d *Distribution) UnmarshalBinary(data []byte) (err error) {
	defer func() {
		if recover() != nil { // the library trusts its input
			err = fmt.Errorf("sketch: %d bytes are no distribution", len(data))
		}
	}()
	decoded, err := ddsketch.DecodeDDSketch(data, func() store.Store { return store.NewCollapsingLowestDenseStore(bins) }, nil)
	if err != nil {
		return fmt.Errorf("sketch: a distribution: %w", err)
	}
	into := newSketch()
	if err := into.MergeWith(decoded); err != nil {
		return fmt.Errorf("sketch: a distribution: %w", err)
	}
	*d = Distribution{sketch: into}
	return nil
}
