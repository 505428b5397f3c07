package sketch_test

import (
	"math"
	"slices"
	"testing"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/fold/foldtest"
	"github.com/rxipc/rxipc/fold/sketch"
)

// drawn is a sample of the numbers from one up to another.
func drawn(m fold.Monoid[sketch.Sample[int]], from, to int) sketch.Sample[int] {
	all := m.Identity()
	for n := from; n < to; n++ {
		all = m.Combine(all, sketch.Value(n))
	}
	return all
}

func TestReservoirKeepsTheLawsExactly(t *testing.T) {
	m := sketch.Reservoir[int](10)
	equal := func(a, b sketch.Sample[int]) bool { return encodedIn(t, a) == encodedIn(t, b) }
	other := sketch.Reservoir[int](3)
	foldtest.LawsFunc(t, m, equal, sketch.Sample[int]{}, sketch.Value(1), drawn(m, 0, 9), drawn(m, 10, 99), drawn(m, 100, 1000), drawn(other, 0, 2), drawn(other, 0, 99))
	a, b := drawn(m, 0, 50), drawn(m, 50, 100)
	if ab, ba := m.Combine(fold.Copy(m, a), b), m.Combine(fold.Copy(m, b), a); !equal(ab, ba) {
		t.Errorf("two samples combined in both orders are %v and %v, want the same", ab.Values(), ba.Values())
	}
}

// Each of n values is in a sample of k with the probability k/n, whatever parts the values
// came in.
func TestReservoirChoosesEachValueEquallyOften(t *testing.T) {
	const k, n, runs = 10, 100, 4000
	m := sketch.Reservoir[int](k)
	for name, sample := range map[string]func() sketch.Sample[int]{
		"one by one":   func() sketch.Sample[int] { return drawn(m, 0, n) },
		"a small part": func() sketch.Sample[int] { return m.Combine(drawn(m, 0, 5), drawn(m, 5, n)) },
		"two parts":    func() sketch.Sample[int] { return m.Combine(drawn(m, 0, 70), drawn(m, 70, n)) },
		"first of a sample": func() sketch.Sample[int] {
			return m.Combine(drawn(sketch.Reservoir[int](2*k), 0, n), sketch.Sample[int]{})
		},
	} {
		var often [n]int
		for range runs {
			s := sample()
			values := s.Values()
			if len(values) != k || s.Seen() != n {
				t.Fatalf("%s: %d values of %d, want %d of %d", name, len(values), s.Seen(), k, n)
			}
			for _, v := range values {
				often[v]++
			}
		}
		const p = float64(k) / n
		mean, deviation := runs*p, math.Sqrt(runs*p*(1-p))
		for v, times := range often {
			if math.Abs(float64(times)-mean) > 7*deviation { // one in 10^11
				t.Errorf("%s: %d was chosen %d times in %d runs, want %.0f within %.0f", name, v, times, runs, mean, 7*deviation)
			}
		}
	}
}

func TestReservoirOfFewValuesHasThemAll(t *testing.T) {
	for n := range 6 {
		got := drawn(sketch.Reservoir[int](5), 0, n).Values()
		slices.Sort(got)
		if want := []int{0, 1, 2, 3, 4}[:n]; !slices.Equal(got, want) {
			t.Errorf("a sample of 5 of %d values is %v, want %v", n, got, want)
		}
	}
	if s := drawn(sketch.Reservoir[int](-1), 0, 9); len(s.Values()) != 1 || s.Seen() != 9 {
		t.Errorf("a sample of less than 1: %d values of %d, want 1 of 9", len(s.Values()), s.Seen())
	}
}

func TestReservoirOfOtherSizesHasTheSmallestThatLeftValuesOut(t *testing.T) {
	m := sketch.Reservoir[int](20)
	few, full, many := sketch.Reservoir[int](5), sketch.Reservoir[int](5), sketch.Reservoir[int](50)
	for name, c := range map[string]struct {
		sample sketch.Sample[int]
		want   int
	}{
		"5 of 100 and 50 of 100": {m.Combine(drawn(few, 0, 100), drawn(many, 0, 100)), 5},
		"50 of 100 and 5 of 100": {m.Combine(drawn(many, 0, 100), drawn(few, 0, 100)), 5},
		"5 of 5 and 50 of 100":   {m.Combine(drawn(full, 0, 5), drawn(many, 0, 100)), 20},
		"5 of 5 and 50 of 50":    {m.Combine(drawn(full, 0, 5), drawn(many, 0, 50)), 20},
		"5 of 100 and a value":   {m.Combine(drawn(few, 0, 100), sketch.Value(1)), 5},
	} {
		if got := len(c.sample.Values()); got != c.want {
			t.Errorf("%s: %d values, want %d", name, got, c.want)
		}
	}
}
