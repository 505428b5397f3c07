package sketch_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/fold/foldtest"
	"github.com/rxipc/rxipc/fold/sketch"
)

// keys is the filter of the numbers from one up to another.
func keys(m fold.Monoid[sketch.Filter], from, to int) sketch.Filter {
	all := m.Identity()
	for n := from; n < to; n++ {
		all = m.Combine(all, sketch.Key(fmt.Sprint(n)))
	}
	return all
}

// hits is how many of the numbers from one up to another a filter has.
func hits(f sketch.Filter, from, to int) (n int) {
	for i := from; i < to; i++ {
		if f.Has(fmt.Sprint(i)) {
			n++
		}
	}
	return n
}

func TestBloomKeepsTheLawsBitForBit(t *testing.T) {
	m := sketch.Bloom(1000, 0.01)
	// A filter of less than two strings is the same as one with their bits.
	equal := func(a, b sketch.Filter) bool {
		return encodedIn(t, m.Combine(m.Combine(m.Identity(), a), sketch.Filter{})) == encodedIn(t, m.Combine(m.Combine(m.Identity(), b), sketch.Filter{}))
	}
	foldtest.LawsFunc(t, m, equal, sketch.Filter{}, sketch.Key("a"), keys(m, 0, 10), keys(m, 5, 1000), keys(m, 0, 5000))
	ab, ba := m.Combine(keys(m, 0, 10), keys(m, 5, 1000)), m.Combine(keys(m, 5, 1000), keys(m, 0, 10))
	if encodedIn(t, ab) != encodedIn(t, ba) {
		t.Error("two filters combined in both orders differ, want the same bits")
	}
}

func encodedIn(t *testing.T, s interface{ MarshalBinary() ([]byte, error) }) string {
	t.Helper()
	data, err := s.MarshalBinary()
	if err != nil {
		t.Fatalf("encode a sketch: got %v, want no error", err)
	}
	return string(data)
}

func TestBloomIsWrongAsOftenAsItSays(t *testing.T) {
	const members, others = 5000, 100_000
	for _, rate := range []float64{0.5, 0.1, 0.01, 0.001} {
		f := keys(sketch.Bloom(members, rate), 0, members)
		if n := hits(f, 0, members); n != members {
			t.Errorf("rate %v: %d of %d members are there, want all", rate, n, members)
		}
		got := float64(hits(f, members, members+others)) / others
		if got > 1.2*rate {
			t.Errorf("rate %v: wrong for %v of strings that are not there", rate, got)
		}
		if said := f.FalsePositiveRate(); math.Abs(got-said) > 0.2*said+0.0005 {
			t.Errorf("rate %v: wrong for %v, and it says %v", rate, got, said)
		}
	}
}

// combinedWays are the ways in which filters of two monoids have the numbers up to a hundred.
func combinedWays(small, large fold.Monoid[sketch.Filter]) map[string]sketch.Filter {
	return map[string]sketch.Filter{
		"small and large, by small": small.Combine(keys(small, 0, 50), keys(large, 50, 100)),
		"large and small, by small": small.Combine(keys(large, 50, 100), keys(small, 0, 50)),
		"small and large, by large": large.Combine(keys(small, 0, 50), keys(large, 50, 100)),
		"large and small, by large": large.Combine(keys(large, 50, 100), keys(small, 0, 50)),
		"large and one, by small":   small.Combine(keys(large, 0, 99), sketch.Key("99")),
		"large alone, by small":     small.Combine(keys(large, 0, 100), sketch.Filter{}),
		"a copy, by small":          fold.Copy(small, keys(large, 0, 100)),
	}
}

func TestBloomOfOtherSizesCombines(t *testing.T) {
	small := sketch.Bloom(100, 0.1)
	want := encodedIn(t, keys(small, 0, 100))
	for name, f := range combinedWays(small, sketch.Bloom(10_000, 0.1)) {
		if encodedIn(t, f) != want {
			t.Errorf("%s: the filter is not what it is if it is small from the start", name)
		}
	}
}

func TestBloomOfOtherRatesCombines(t *testing.T) {
	small := sketch.Bloom(100, 0.1)
	size := len(encodedIn(t, keys(small, 0, 100)))
	for name, f := range combinedWays(small, sketch.Bloom(10_000, 0.001)) {
		if n := hits(f, 0, 100); n != 100 || len(encodedIn(t, f)) != size {
			t.Errorf("%s: %d of 100 members in %d bytes, want all in %d", name, n, len(encodedIn(t, f)), size)
		}
		if n := hits(f, 100, 10_100); math.Abs(float64(n)/10_000-f.FalsePositiveRate()) > 0.1 {
			t.Errorf("%s: wrong for %d of 10000, and it says for the share %v", name, n, f.FalsePositiveRate())
		}
	}
}

func TestBloomOfFewStringsIsExact(t *testing.T) {
	for name, f := range map[string]sketch.Filter{"none": {}, "one": sketch.Key("x")} {
		if f.Has("x") != (name == "one") || f.Has("y") || f.FalsePositiveRate() != 0 {
			t.Errorf("a filter of %s: has x %v, y %v, rate %v", name, f.Has("x"), f.Has("y"), f.FalsePositiveRate())
		}
	}
}

func TestBloomRefusesParameters(t *testing.T) {
	for name, make := range map[string]func(){
		"a rate of 0":     func() { sketch.Bloom(10, 0) },
		"a rate of 1":     func() { sketch.Bloom(10, 1) },
		"a rate of NaN":   func() { sketch.Bloom(10, math.NaN()) },
		"a rate of 1e-20": func() { sketch.Bloom(10, 1e-20) },
		"2^31 members":    func() { sketch.Bloom(math.MaxInt32, 0.01) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Bloom with %s was accepted, want a panic", name)
				}
			}()
			make()
		}()
	}
	if f := keys(sketch.Bloom(-1, 0.01), 0, 2); !f.Has("0") || !f.Has("1") {
		t.Error("Bloom with less than one member lost a string, want it to have both")
	}
}
