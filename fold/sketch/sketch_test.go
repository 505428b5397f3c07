package sketch_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/fold/foldtest"
	"github.com/rxipc/rxipc/fold/sketch"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// members is the set of the numbers from one up to another.
func members(from, to int) sketch.Set {
	m := sketch.Distinct()
	all := m.Identity()
	for n := from; n < to; n++ {
		all = m.Combine(all, sketch.Member(fmt.Sprint(n)))
	}
	return all
}

func TestDistinctKeepsTheLaws(t *testing.T) {
	near := func(a, b sketch.Set) bool {
		return math.Abs(float64(a.Len())-float64(b.Len())) <= 0.03*float64(b.Len())
	}
	foldtest.LawsFunc(t, sketch.Distinct(), near,
		sketch.Set{}, sketch.Member("a"), members(0, 100), members(50, 5000), members(0, 100_000))
}

func TestDistinctIsNearlyRight(t *testing.T) {
	for _, n := range []int{0, 1, 2, 100, 10_000, 300_000} {
		if got := float64(members(0, n).Len()); math.Abs(got-float64(n)) > 0.03*float64(n) {
			t.Errorf("of %d different strings: %v, want it within 3%%", n, got)
		}
	}
	union := sketch.Distinct().Combine(members(0, 6000), members(3000, 9000))
	if got := union.Len(); got < 8730 || got > 9270 {
		t.Errorf("the union of two sets of 6000 that share 3000: %d, want 9000 within 3%%", got)
	}
}

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
			t.Errorf("quantile %v is %v, want %v within 1%%", q, got, want)
		}
	}
	if got := d.Count(); got != len(all) {
		t.Errorf("%d numbers are counted, want %d", got, len(all))
	}
}

func TestQuantilesOfWhatIsNoNumber(t *testing.T) {
	m := sketch.Quantiles()
	d := m.Identity()
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		d = m.Combine(d, sketch.Number(v))
	}
	if got := d.Quantile(0.5); d.Count() != 0 || !math.IsNaN(got) {
		t.Errorf("of NaN and infinities: %d numbers, median %v; want none, NaN", d.Count(), got)
	}
	if d = m.Combine(d, sketch.Number(math.MaxFloat64)); d.Count() != 1 {
		t.Errorf("of the greatest number: %d numbers, want 1", d.Count())
	}
}

func TestSketchesCrossProcesses(t *testing.T) {
	_, many := numbers(4, 5000)
	for _, d := range []sketch.Distribution{{}, sketch.Number(2), many} {
		data, err := d.MarshalBinary()
		var got sketch.Distribution
		if failed := got.UnmarshalBinary(data); err != nil || failed != nil || !same(got, d) {
			t.Errorf("a distribution of %d numbers: encoded %v, decoded %v, of %d", d.Count(), err, failed, got.Count())
		}
	}
	for _, s := range []sketch.Set{{}, sketch.Member("a"), members(0, 1000), members(0, 100_000)} {
		data, err := s.MarshalBinary()
		var got sketch.Set
		if failed := got.UnmarshalBinary(data); err != nil || failed != nil || got.Len() != s.Len() {
			t.Errorf("a set of %d: encoded %v, decoded %v, of %d", s.Len(), err, failed, got.Len())
		}
	}
	if err := new(sketch.Set).UnmarshalBinary([]byte{2, 14}); err == nil {
		t.Error("bytes that are no set were decoded, want an error")
	}
	if err := new(sketch.Distribution).UnmarshalBinary([]byte{255, 255, 255}); err == nil {
		t.Error("bytes that are no distribution were decoded, want an error")
	}
}

// The quantiles are within 1% of 989 and 500.
func ExampleQuantiles() {
	times := operators.Map(func(n int) map[string]sketch.Distribution {
		return map[string]sketch.Distribution{[]string{"odd", "even"}[(n+1)%2]: sketch.Number(float64(n))}
	})
	byKey := operators.Fold(fold.ByKey[string](sketch.Quantiles()))
	all, err := byKey(times(stream.Range(1, 1000))).Last(context.Background()).Get()
	fmt.Printf("%.0f %.0f %v\n", all["odd"].Quantile(0.99), all["even"].Quantile(0.5), err)
	// Output: 983 498 <nil>
}

func ExampleDistinct() {
	visitors := stream.Pipe2(
		stream.Just("ann", "bob", "ann", "cem", "bob"),
		operators.Map(sketch.Member),
		operators.Fold(sketch.Distinct()),
	)
	all, err := visitors.Last(context.Background()).Get()
	fmt.Println(all.Len(), err)
	// Output: 3 <nil>
}
