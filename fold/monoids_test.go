package fold_test

import (
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/fold/foldtest"
)

type celsius float64

type path string

type ports []int

func TestMonoidsKeepTheLaws(t *testing.T) {
	t.Run("Sum", func(t *testing.T) {
		foldtest.Laws(t, fold.Sum[int](), 0, 1, -5, math.MaxInt, math.MinInt)
		foldtest.Laws(t, fold.Sum[uint8](), 0, 1, 200, 255)
		foldtest.Laws(t, fold.Sum[celsius](), 0, 0.5, -3, celsius(math.Inf(1)), celsius(math.NaN()))
	})
	t.Run("Product", func(t *testing.T) {
		foldtest.Laws(t, fold.Product[int](), 0, 1, -5, math.MaxInt, math.MinInt)
		foldtest.Laws(t, fold.Product[float64](), 0, 1, 0.5, -4, math.Inf(-1), math.NaN())
	})
	t.Run("Min", func(t *testing.T) {
		foldtest.Laws(t, fold.Min[int](), 0, 1, -5, math.MaxInt, math.MinInt)
		foldtest.Laws(t, fold.Min[float64](), 0, math.MaxFloat64, math.Inf(1), math.Inf(-1), math.NaN())
	})
	t.Run("Max", func(t *testing.T) {
		foldtest.Laws(t, fold.Max[uint16](), 0, 1, math.MaxUint16)
		foldtest.Laws(t, fold.Max[celsius](), 0, -300, celsius(math.Inf(-1)), celsius(math.Inf(1)), celsius(math.NaN()))
	})
	t.Run("All", func(t *testing.T) { foldtest.Laws(t, fold.All(), true, false) })
	t.Run("Any", func(t *testing.T) { foldtest.Laws(t, fold.Any(), true, false) })
	t.Run("First", func(t *testing.T) {
		foldtest.Laws(t, fold.First[[]int](), fold.Nothing[[]int](), fold.Just([]int{1}), fold.Just([]int{2, 3}))
	})
	t.Run("Last", func(t *testing.T) {
		foldtest.Laws(t, fold.Last[string](), fold.Nothing[string](), fold.Just("a"), fold.Just(""))
	})
	t.Run("ConcatStrings", func(t *testing.T) {
		foldtest.Laws(t, fold.ConcatStrings[path](), "", "/", "var", "/run")
	})
	t.Run("ConcatSlices", func(t *testing.T) {
		array := []int{1, 2, 3, 4, 5}
		foldtest.Laws(t, fold.ConcatSlices[ports](), nil, ports{}, array[:2], array[2:3], array)
	})
	t.Run("ByKey", func(t *testing.T) {
		foldtest.Laws(t, fold.ByKey[string](fold.Sum[int]()),
			nil, map[string]int{}, map[string]int{"a": 1}, map[string]int{"a": 2, "b": 3}, map[string]int{"c": -2})
	})
	t.Run("ByKey of values whose identity is not zero", func(t *testing.T) {
		foldtest.Laws(t, fold.ByKey[string](fold.Product[int]()), map[string]int{}, map[string]int{"a": 2}, map[string]int{"a": 3, "b": 5})
	})
	t.Run("ByKey of values with storage", func(t *testing.T) {
		type hosts = map[string]map[string][]int
		foldtest.Laws(t, fold.ByKey[string](fold.ByKey[string](fold.ConcatSlices[[]int]())),
			hosts{"a": {"x": {1}}}, hosts{"a": {"x": {2}, "y": {3}}}, hosts{"b": nil}, hosts{"b": {"x": {4, 5}}})
	})
	t.Run("Both", func(t *testing.T) {
		foldtest.Laws(t, fold.Both(fold.ConcatSlices[[]int](), fold.Max[int]()),
			fold.PairOf([]int{1}, 3), fold.PairOf([]int(nil), -1), fold.PairOf([]int{2, 3}, 9))
	})
	t.Run("Unit", func(t *testing.T) { foldtest.Laws(t, fold.Unit(), struct{}{}) })
	t.Run("Lift", func(t *testing.T) {
		least := fold.Lift(func(a, b string) string { return min(a, b) })
		foldtest.Laws(t, least, fold.Nothing[string](), fold.Just(""), fold.Just("b"), fold.Just("a"))
	})
}

func TestMinAndMaxOfNoValuesAreTheBoundsOfTheType(t *testing.T) {
	bounds(t, math.MinInt, math.MaxInt)
	bounds[int8](t, math.MinInt8, math.MaxInt8)
	bounds[int16](t, math.MinInt16, math.MaxInt16)
	bounds[int32](t, math.MinInt32, math.MaxInt32)
	bounds[int64](t, math.MinInt64, math.MaxInt64)
	bounds[uint](t, 0, math.MaxUint)
	bounds[uint8](t, 0, math.MaxUint8)
	bounds[uint16](t, 0, math.MaxUint16)
	bounds[uint32](t, 0, math.MaxUint32)
	bounds[uint64](t, 0, math.MaxUint64)
	bounds(t, 0, ^uintptr(0))
	bounds(t, float32(math.Inf(-1)), float32(math.Inf(1)))
	bounds(t, math.Inf(-1), math.Inf(1))
	bounds(t, celsius(math.Inf(-1)), celsius(math.Inf(1)))
}

func bounds[T fold.Number](t *testing.T, least, greatest T) {
	t.Helper()
	if got := fold.Max[T]().Identity(); got != least {
		t.Errorf("Max[%T] of nothing: got %v, want %v", got, got, least)
	}
	if got := fold.Min[T]().Identity(); got != greatest {
		t.Errorf("Min[%T] of nothing: got %v, want %v", got, got, greatest)
	}
}

func TestMinAndMaxPassNaN(t *testing.T) {
	for _, values := range [][]float64{{math.NaN()}, {1, math.NaN()}, {math.NaN(), math.Inf(-1)}, {math.Inf(1), math.NaN(), 2}} {
		if got := fold.Slice(fold.Min[float64](), values); !math.IsNaN(got) {
			t.Errorf("Min of %v: got %v, want NaN", values, got)
		}
		if got := fold.Slice(fold.Max[float64](), values); !math.IsNaN(got) {
			t.Errorf("Max of %v: got %v, want NaN", values, got)
		}
	}
}

func TestByKeyReusesItsLeftArgument(t *testing.T) {
	m := fold.ByKey[string](fold.Sum[int]())
	left := map[string]int{"a": 1}
	result := m.Combine(left, map[string]int{"b": 2})
	if !maps.Equal(left, result) {
		t.Errorf("Combine: got %v and the left argument %v, want the left argument reused", result, left)
	}
}

func TestByKeyAcceptsANilMapOnEitherSide(t *testing.T) {
	m := fold.ByKey[string](fold.Sum[int]())
	right := map[string]int{"a": 1}
	result := m.Combine(nil, right)
	result["a"]++
	if got := m.Combine(result, nil); got["a"] != 2 || right["a"] != 1 {
		t.Errorf("got %v and left the right argument %v, want a at 2 and 1", got, right)
	}
}

func TestByKeyIdentityIsAWritableMap(t *testing.T) {
	nothing := fold.ByKey[string](fold.Sum[int]()).Identity()
	if nothing == nil || len(nothing) != 0 {
		t.Errorf("the identity of ByKey is %#v, want an empty map that is not nil", nothing)
	}
}

func TestCopyIsIndependentOfTheOriginal(t *testing.T) {
	m := fold.ByKey[string](fold.ConcatSlices[[]int]())
	original := map[string][]int{"a": append(make([]int, 0, 8), 1)}

	first := m.Combine(fold.Copy(m, original), map[string][]int{"a": {2}})
	second := m.Combine(fold.Copy(m, original), map[string][]int{"a": {3}})

	for _, check := range []struct {
		name      string
		got, want []int
	}{
		{"original", original["a"], []int{1}},
		{"first", first["a"], []int{1, 2}},
		{"second", second["a"], []int{1, 3}},
	} {
		if !slices.Equal(check.got, check.want) {
			t.Errorf("%s is %v, want %v", check.name, check.got, check.want)
		}
	}
}

// longest is a monoid written as a type of its own.
type longest struct{}

func (longest) Identity() string { return "" }

func (longest) Combine(a, b string) string {
	if len(b) > len(a) {
		return b
	}
	return a
}

func TestMonoidOfAUserDefinedType(t *testing.T) {
	foldtest.Laws(t, longest{}, "", "a", "b", "ccc")
	if got := fold.Slice(longest{}, []string{"a", "ccc", "bb"}); got != "ccc" {
		t.Errorf("got %q, want %q", got, "ccc")
	}
}

// carry stands for a function that learns its type from the monoid it is given.
func carry[C any](_ string, m fold.Monoid[C]) C { return m.Identity() }

func TestMonoidDeterminesTheTypeOfAFunction(t *testing.T) {
	var (
		_ int                           = carry("", fold.Sum[int]())
		_ fold.Maybe[string]            = carry("", fold.First[string]())
		_ []int                         = carry("", fold.ConcatSlices[[]int]())
		_ map[string]float64            = carry("", fold.ByKey[string](fold.Max[float64]()))
		_ fold.Pair[bool, struct{}]     = carry("", fold.Both(fold.All(), fold.Unit()))
		_ fold.Maybe[fold.Maybe[error]] = carry("", fold.Lift(func(a, b fold.Maybe[error]) fold.Maybe[error] { return a }))
	)
}
