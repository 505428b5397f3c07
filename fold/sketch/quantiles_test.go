package sketch_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/rxipc/rxipc/fold/foldtest"
	"github.com/rxipc/rxipc/fold/sketch"
)

// numbers are distributed over some orders of magnitude, on both sides of zero.
func numbers(seed uint64, n int) (all []float64, d sketch.Distribution) {
	random := rand.New(rand.NewPCG(seed, 0))
	m := sketch.Quantiles()
	for range n {
		v := math.Exp(random.NormFloat64()*2) - 0.5
		all, d = append(all, v), m.Combine(d, sketch.Number(v))
	}
	slices.Sort(all)
	return all, d
}

func same(a, b sketch.Distribution) bool {
	for _, q := range []float64{0, 0.5, 0.99, 1} {
		x, y := a.Quantile(q), b.Quantile(q)
		if math.IsNaN(x) != math.IsNaN(y) || math.Abs(x-y) > 2*sketch.Accuracy*math.Abs(y) {
			return false
		}
	}
	return a.Count() == b.Count()
}

func TestQuantilesKeepTheLaws(t *testing.T) {
	_, some := numbers(1, 100)
	_, many := numbers(2, 5000)
	foldtest.LawsFunc(t, sketch.Quantiles(), same, sketch.Distribution{}, sketch.Number(-3), sketch.Number(0), some, many)
}

func TestQuantilesAreWithinTheirAccuracy(t *testing.T) {
	all, d := numbers(3, 20_000)
	for _, q := range []float64{0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1} {
		want := all[int(q*float64(len(all)-1))]
		if got := d.Quantile(q); math.Abs(got-want) > 1.001*sketch.Accuracy*math.Abs(want) {
			t.Errorf("quantile %v: got %v, want %v within 1%%", q, got, want)
		}
	}
	if got := d.Count(); got != len(all) {
		t.Errorf("count the numbers: got %d, want %d", got, len(all))
	}
}

func TestQuantilesOfWhatIsNoNumber(t *testing.T) {
	m := sketch.Quantiles()
	d := m.Identity()
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		d = m.Combine(d, sketch.Number(v))
	}
	if got := d.Quantile(0.5); d.Count() != 0 || !math.IsNaN(got) {
		t.Errorf("take NaN and infinities: got %d numbers, median %v; want none, NaN", d.Count(), got)
	}
	if d = m.Combine(d, sketch.Number(math.MaxFloat64)); d.Count() != 1 {
		t.Errorf("take the greatest number: got %d numbers, want 1", d.Count())
	}
}
