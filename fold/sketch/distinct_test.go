package sketch_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/rxipc/rxipc/fold/foldtest"
	"github.com/rxipc/rxipc/fold/sketch"
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
			t.Errorf("count %d different strings: got %v, want it within 3%%", n, got)
		}
	}
	union := sketch.Distinct().Combine(members(0, 6000), members(3000, 9000))
	if got := union.Len(); got < 8730 || got > 9270 {
		t.Errorf("count the union of two sets of 6000 that share 3000: got %d, want 9000 within 3%%", got)
	}
}
