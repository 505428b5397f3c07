package fold_test

import (
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/rxipc/rxipc/fold"
)

// foldings are the ways to fold the digits of some numbers into one string.
var foldings = map[string]func(values []int) string{
	"Slice": func(values []int) string {
		return fold.Slice(fold.ConcatStrings[string](), texts(values))
	},
	"SliceFunc": func(values []int) string {
		return fold.SliceFunc(fold.ConcatStrings[string](), values, strconv.Itoa)
	},
	"Seq": func(values []int) string {
		return fold.Seq(fold.ConcatStrings[string](), slices.Values(texts(values)))
	},
	"SeqFunc": func(values []int) string {
		return fold.SeqFunc(fold.ConcatStrings[string](), slices.Values(values), strconv.Itoa)
	},
	"Parallel": func(values []int) string {
		return fold.Parallel(fold.ConcatStrings[string](), texts(values), 3)
	},
	"ParallelFunc": func(values []int) string {
		return fold.ParallelFunc(fold.ConcatStrings[string](), values, 3, strconv.Itoa)
	},
}

func texts(values []int) []string {
	var texts []string
	for _, value := range values {
		texts = append(texts, strconv.Itoa(value))
	}
	return texts
}

func TestFoldingKeepsTheOrder(t *testing.T) {
	for name, folding := range foldings {
		for _, test := range []struct {
			values []int
			want   string
		}{
			{nil, ""},
			{[]int{}, ""},
			{[]int{7}, "7"},
			{[]int{1, 2}, "12"},
			{[]int{1, 2, 3, 4, 5, 6, 7, 8}, "12345678"},
		} {
			if got := folding(test.values); got != test.want {
				t.Errorf("%s of %v: got %q, want %q", name, test.values, got, test.want)
			}
		}
	}
}

func TestFoldingLeavesTheValuesAsTheyAre(t *testing.T) {
	type counts = map[string]int
	m := fold.ByKey[string](fold.Sum[int]())
	identity := func(c counts) counts { return c }

	for name, folding := range map[string]func([]counts) counts{
		"Slice":        func(values []counts) counts { return fold.Slice(m, values) },
		"SliceFunc":    func(values []counts) counts { return fold.SliceFunc(m, values, identity) },
		"Seq":          func(values []counts) counts { return fold.Seq(m, slices.Values(values)) },
		"SeqFunc":      func(values []counts) counts { return fold.SeqFunc(m, slices.Values(values), identity) },
		"Parallel":     func(values []counts) counts { return fold.Parallel(m, values, 3) },
		"ParallelFunc": func(values []counts) counts { return fold.ParallelFunc(m, values, 3, identity) },
	} {
		values := []counts{{"a": 1}, {"b": 1}, {"a": 1, "c": 1}}

		total := folding(values)
		if want := (counts{"a": 2, "b": 1, "c": 1}); !maps.Equal(total, want) {
			t.Errorf("%s gave %v, want %v", name, total, want)
		}
		clear(total)
		if want := []counts{{"a": 1}, {"b": 1}, {"a": 1, "c": 1}}; !slices.EqualFunc(values, want, maps.Equal) {
			t.Errorf("%s made the values %v, want %v", name, values, want)
		}
	}
}
