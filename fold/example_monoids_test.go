package fold_test

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/rxipc/rxipc/fold"
)

func ExampleNew() {
	type span struct{ from, to int }
	cover := fold.New(
		func() span { return span{fold.Min[int]().Identity(), fold.Max[int]().Identity()} },
		func(a, b span) span { return span{min(a.from, b.from), max(a.to, b.to)} },
	)
	fmt.Println(fold.Slice(cover, []span{{3, 5}, {1, 2}, {4, 9}}))
	// Output: {1 9}
}

func ExampleLift() {
	least := fold.Lift(func(a, b string) string { return min(a, b) })

	fmt.Println(fold.SliceFunc(least, []string{"pear", "apple", "plum"}, fold.Just[string]))
	fmt.Println(fold.Slice(least, nil))
	// Output:
	// Just(apple)
	// Nothing
}

func ExampleCopy() {
	total := fold.ByKey[string](fold.Sum[int]())
	var history []map[string]int

	running := total.Identity()
	for _, word := range []string{"a", "b", "a"} {
		running = total.Combine(running, map[string]int{word: 1})
		history = append(history, fold.Copy(total, running))
	}
	fmt.Println(history)
	// Output: [map[a:1] map[a:1 b:1] map[a:2 b:1]]
}

func ExampleSlice() {
	fmt.Println(fold.Slice(fold.ConcatStrings[string](), []string{"fo", "ld"}))
	// Output: fold
}

func ExampleSliceFunc() {
	words := []string{"one", "two", "three"}

	fmt.Println(fold.SliceFunc(fold.Max[int](), words, utf8.RuneCountInString))
	// Output: 5
}

func ExampleSeq() {
	fmt.Println(fold.Seq(fold.Sum[int](), slices.Values([]int{1, 2, 3})))
	// Output: 6
}

func ExampleSeqFunc() {
	words := strings.FieldsSeq("one two three")

	fmt.Println(fold.SeqFunc(fold.Sum[int](), words, utf8.RuneCountInString))
	// Output: 11
}

func ExampleParallel() {
	numbers := make([]int, 100_000)
	for i := range numbers {
		numbers[i] = i
	}
	fmt.Println(fold.Parallel(fold.Sum[int](), numbers, 0))
	// Output: 4999950000
}

func ExampleParallelFunc() {
	texts := []string{"a b", "b", "b c", "a"}

	count := func(text string) map[string]int {
		counts := map[string]int{}
		for word := range strings.FieldsSeq(text) {
			counts[word]++
		}
		return counts
	}
	fmt.Println(fold.ParallelFunc(fold.ByKey[string](fold.Sum[int]()), texts, 4, count))
	// Output: map[a:2 b:3 c:1]
}

func ExampleSum() {
	fmt.Println(fold.Slice(fold.Sum[int](), []int{20, 22}))
	// Output: 42
}

func ExampleProduct() {
	fmt.Println(fold.Slice(fold.Product[float64](), []float64{0.5, 3, 4}))
	// Output: 6
}

func ExampleMin() {
	fmt.Println(fold.Slice(fold.Min[int](), []int{3, 1, 2}))
	fmt.Println(fold.Slice(fold.Min[uint8](), nil))
	// Output:
	// 1
	// 255
}

func ExampleMax() {
	fmt.Println(fold.Slice(fold.Max[int](), []int{3, 1, 2}))
	fmt.Println(fold.Slice(fold.Max[float64](), nil))
	// Output:
	// 3
	// -Inf
}

func ExampleAll() {
	fmt.Println(fold.Slice(fold.All(), []bool{true, false}), fold.Slice(fold.All(), nil))
	// Output: false true
}

func ExampleAny() {
	fmt.Println(fold.Slice(fold.Any(), []bool{true, false}), fold.Slice(fold.Any(), nil))
	// Output: true false
}

func ExampleFirst() {
	found := []fold.Maybe[string]{fold.Nothing[string](), fold.Just("a"), fold.Just("b")}

	fmt.Println(fold.Slice(fold.First[string](), found))
	// Output: Just(a)
}

func ExampleLast() {
	found := []fold.Maybe[string]{fold.Just("a"), fold.Just("b"), fold.Nothing[string]()}

	fmt.Println(fold.Slice(fold.Last[string](), found))
	// Output: Just(b)
}

func ExampleConcatStrings() {
	type path string

	fmt.Println(fold.Slice(fold.ConcatStrings[path](), []path{"/var", "/run"}))
	// Output: /var/run
}

func ExampleConcatSlices() {
	fmt.Println(fold.Slice(fold.ConcatSlices[[]int](), [][]int{{1, 2}, {3}}))
	// Output: [1 2 3]
}

func ExampleByKey() {
	sales := []map[string]float64{
		{"north": 10, "south": 4},
		{"south": 6},
	}
	fmt.Println(fold.Slice(fold.ByKey[string](fold.Sum[float64]()), sales))
	// Output: map[north:10 south:10]
}

func ExampleBoth() {
	sumAndCount := fold.Both(fold.Sum[float64](), fold.Sum[int]())

	sum, count := fold.SliceFunc(sumAndCount, []float64{1, 2, 6}, func(x float64) fold.Pair[float64, int] {
		return fold.PairOf(x, 1)
	}).Get()
	fmt.Println("mean", sum/float64(count))
	// Output: mean 3
}

func ExamplePairOf() {
	pair := fold.PairOf("port", 80)

	name, number := pair.Get()
	fmt.Println(name, number, pair.First, pair.Second)
	// Output: port 80 port 80
}

func ExampleUnit() {
	fmt.Println(fold.Slice(fold.Unit(), make([]struct{}, 3)))
	// Output: {}
}
