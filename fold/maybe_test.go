package fold_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/rxipc/rxipc/fold"
)

// The model of a Maybe is a slice of no value or one.
func maybeModel[T any](m fold.Maybe[T]) []T {
	if value, ok := m.Get(); ok {
		return []T{value}
	}
	return nil
}

var maybes = []fold.Maybe[int]{{}, fold.Nothing[int](), fold.Just(0), fold.Just(1), fold.Just(2), fold.Just(-7)}

var maybeSteps = []func(int) fold.Maybe[int]{
	fold.Just[int],
	func(int) fold.Maybe[int] { return fold.Nothing[int]() },
	func(n int) fold.Maybe[int] { return fold.MaybeOf(n/2, n%2 == 0) },
	func(n int) fold.Maybe[int] { return fold.Just(n + 1) },
}

func TestMaybeKeepsTheFunctorLaws(t *testing.T) {
	same := func(n int) int { return n }
	double := func(n int) int { return n * 2 }
	next := func(n int) int { return n + 1 }
	for _, m := range maybes {
		if got := fold.MapMaybe(m, same); got != m {
			t.Errorf("map %v with the identity: got %v", m, got)
		}
		got := fold.MapMaybe(fold.MapMaybe(m, double), next)
		want := fold.MapMaybe(m, func(n int) int { return next(double(n)) })
		if got != want {
			t.Errorf("map %v twice: got %v, want %v as from one map of both functions", m, got, want)
		}
	}
}

func TestMaybeKeepsTheMonadLaws(t *testing.T) {
	for _, f := range maybeSteps {
		for n := range 4 {
			if got, want := fold.ThenMaybe(fold.Just(n), f), f(n); got != want {
				t.Errorf("left identity: then of %d: got %v, want %v", n, got, want)
			}
		}
		for _, m := range maybes {
			if got := fold.ThenMaybe(m, fold.Just[int]); got != m {
				t.Errorf("right identity: then of %v with the constructor: got %v, want it unchanged", m, got)
			}
			for _, g := range maybeSteps {
				got := fold.ThenMaybe(fold.ThenMaybe(m, f), g)
				want := fold.ThenMaybe(m, func(n int) fold.Maybe[int] { return fold.ThenMaybe(f(n), g) })
				if got != want {
					t.Errorf("associativity: then of %v: got %v, want %v", m, got, want)
				}
			}
		}
	}
}

func TestMaybeEqualsASliceOfAtMostOneValue(t *testing.T) {
	odd := func(n int) bool { return n%2 != 0 }
	for _, m := range maybes {
		model := maybeModel(m)
		check := func(what string, got fold.Maybe[int], want []int) {
			t.Helper()
			if !slices.Equal(maybeModel(got), want) {
				t.Errorf("%s of %v: got %v, want %v", what, m, got, want)
			}
		}

		for _, f := range maybeSteps {
			var want []int
			for _, n := range model {
				want = append(want, maybeModel(f(n))...)
			}
			check("ThenMaybe", fold.ThenMaybe(m, f), want)
		}
		check("Filter", m.Filter(odd), slices.DeleteFunc(slices.Clone(model), func(n int) bool { return !odd(n) }))

		orNine := model
		if len(model) == 0 {
			orNine = []int{9}
		}
		check("Otherwise", m.Otherwise(func() fold.Maybe[int] { return fold.Just(9) }), orNine)
		if got := m.GetOr(9); got != orNine[0] {
			t.Errorf("GetOr of %v: got %d, want %d", m, got, orNine[0])
		}
		if got := fold.MatchMaybe(m, func(n int) int { return n }, func() int { return 9 }); got != orNine[0] {
			t.Errorf("MatchMaybe of %v: got %d, want %d", m, got, orNine[0])
		}
		if got := slices.Collect(m.All()); !slices.Equal(got, model) {
			t.Errorf("All of %v: got %v, want %v", m, got, model)
		}
		if m.IsJust() != (len(model) == 1) {
			t.Errorf("IsJust of %v: got %v", m, m.IsJust())
		}
		check("FromPointer of Pointer", fold.FromPointer(m.Pointer()), model)
		check("Right of RightOr", fold.RightOr(m, "none").Right(), model)
		check("Maybe of Attempt", m.Attempt(errors.New("none")).Maybe(), model)
	}
}

func TestMaybeOfDropsAValueThatIsNotOk(t *testing.T) {
	if got := fold.MaybeOf(7, false); got != fold.Nothing[int]() {
		t.Errorf("got %v, want Nothing", got)
	}
}

func TestMaybePointsToACopy(t *testing.T) {
	m := fold.Just(1)
	*m.Pointer() = 2
	if m != fold.Just(1) {
		t.Errorf("writing to the pointer made the value %v", m)
	}
}

func TestMaybeCallsOnlyTheFunctionsItNeeds(t *testing.T) {
	unwanted := func() fold.Maybe[int] {
		t.Error("Otherwise called its function for a value")
		return fold.Nothing[int]()
	}
	fold.Just(1).Otherwise(unwanted)

	fold.Nothing[int]().Filter(func(int) bool { t.Error("Filter called its function for nothing"); return true })
}
