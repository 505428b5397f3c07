package operators_test

import (
	"strings"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

func ExampleCount() {
	show(operators.Count[string]()(stream.Just("a", "b", "c")))
	// Output: [3] <nil>
}

func ExampleSum() {
	show(operators.Sum[float64]()(stream.Just(0.5, 1.25)))
	// Output: [1.75] <nil>
}

func ExampleMin() {
	show(operators.Min[string]()(stream.Just("pear", "apple", "plum")))
	show(operators.Min[string]()(stream.Empty[string]()))
	// Output:
	// [apple] <nil>
	// [] <nil>
}

func ExampleMax() {
	show(operators.Max[int]()(stream.Just(3, 9, 4)))
	// Output: [9] <nil>
}

func ExampleAverage() {
	show(operators.Average[int]()(stream.Just(1, 2, 4, 3)))
	// Output: [2.5] <nil>
}

func ExampleAll() {
	show(operators.All(func(n int) bool { return n > 0 })(stream.Just(1, 2, -3)))
	// Output: [false] <nil>
}

func ExampleAny() {
	show(operators.Any(func(n int) bool { return n < 0 })(stream.Just(1, 2, -3)))
	// Output: [true] <nil>
}

func ExampleContains() {
	show(operators.Contains("b")(stream.Just("a", "b")))
	// Output: [true] <nil>
}

// Words are counted by their first letter.
func ExampleFoldByKey() {
	initials := operators.FoldByKey(func(word string) (string, int) {
		return word[:1], 1
	}, fold.Sum[int]())
	show(initials(stream.FromSlice(strings.Fields("anchor apple boat arm"))))
	// Output: [map[a:3 b:1]] <nil>
}

func ExampleFoldTumbling() {
	show(operators.FoldTumbling(3, fold.Sum[int]())(stream.Just(1, 2, 3, 4, 5, 6, 7)))
	// Output: [6 15 7] <nil>
}

// The highest of the last three.
func ExampleFoldSliding() {
	show(operators.FoldSliding(3, fold.Max[int]())(stream.Just(1, 5, 2, 3, 1, 0)))
	// Output: [1 5 5 5 3 3] <nil>
}

func ExampleBufferCount() {
	show(operators.BufferCount[int](2)(stream.Just(1, 2, 3, 4, 5)))
	// Output: [[1 2] [3 4] [5]] <nil>
}

func ExampleBufferCountEvery() {
	show(operators.BufferCountEvery[int](3, 1)(stream.Just(1, 2, 3, 4)))
	show(operators.BufferCountEvery[int](1, 3)(stream.Just(1, 2, 3, 4)))
	// Output:
	// [[1 2 3] [2 3 4] [3 4] [4]] <nil>
	// [[1] [4]] <nil>
}
