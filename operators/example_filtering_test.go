package operators_test

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

func ExampleTakeLast() {
	show(operators.TakeLast[int](2)(stream.Just(7, 8, 9)))
	// Output: [8 9] <nil>
}

func ExampleSkip() {
	show(operators.Skip[string](1)(stream.Just("header", "a", "b")))
	// Output: [a b] <nil>
}

func ExampleSkipLast() {
	show(operators.SkipLast[string](1)(stream.Just("a", "b", "footer")))
	// Output: [a b] <nil>
}

func ExampleSkipWhile() {
	comment := func(line string) bool { return strings.HasPrefix(line, "#") }
	show(operators.SkipWhile(comment)(stream.Just("# title", "#", "text", "# 1")))
	// Output: [text # 1] <nil>
}

func ExampleSingle() {
	show(operators.Single[int]()(stream.Just(7)))
	show(operators.Single[int]()(stream.Empty[int]()))
	show(operators.Single[int]()(stream.Just(7, 8)))
	// Output:
	// [7] <nil>
	// [] stream: completed without a value
	// [] stream: more than one value
}

func ExampleElementAt() {
	show(operators.ElementAt[string](1)(stream.Just("gold", "silver", "bronze")))
	// Output: [silver] <nil>
}

func ExampleFind() {
	long := func(word string) bool { return len(word) > 3 }
	show(operators.Find(long)(stream.Just("one", "two", "three", "four")))
	// Output: [three] <nil>
}

// The first 1 is forgotten when 3 comes, since only two values are kept.
func ExampleDistinct() {
	numbers := stream.Just(1, 2, 1, 3, 1)
	show(operators.Distinct[int](100)(numbers))
	show(operators.Distinct[int](2)(numbers))
	// Output:
	// [1 2 3] <nil>
	// [1 2 3 1] <nil>
}

func ExampleDistinctBy() {
	show(operators.DistinctBy(strings.ToLower, 100)(stream.Just("Go", "go", "Rx", "GO")))
	// Output: [Go Rx] <nil>
}

func ExampleDistinctUntilChanged() {
	show(operators.DistinctUntilChanged[string]()(stream.Just("up", "up", "down", "down", "up")))
	// Output: [up down up] <nil>
}

func ExampleDistinctUntilChangedFunc() {
	near := func(emitted, n float64) bool { return n-emitted < 1 && emitted-n < 1 }
	show(operators.DistinctUntilChangedFunc(near)(stream.Just(20.0, 20.4, 20.9, 21.3, 21.0)))
	// Output: [20 21.3] <nil>
}

func ExampleIgnoreElements() {
	noise := operators.Concat(stream.Just(1, 2), stream.Throw[int](errors.New("out of paper")))
	show(operators.IgnoreElements[int]()(noise))
	// Output: [] out of paper
}

func ExampleOfType() {
	show(operators.OfType[any, string]()(stream.Just[any]("a", 1, "b")))
	// Output: [a b] <nil>
}

func ExamplePairwise() {
	steps := stream.Pipe2(
		stream.Just(3, 5, 4),
		operators.Pairwise[int](),
		operators.Map(func(p fold.Pair[int, int]) string { return fmt.Sprintf("%+d", p.Second-p.First) }),
	)
	show(steps)
	// Output: [+2 -1] <nil>
}

func ExampleFlatten() {
	show(operators.Flatten[string]()(operators.Map(strings.Fields)(stream.Just("to be", "or not"))))
	// Output: [to be or not] <nil>
}

func ExampleConcat() {
	show(operators.Concat(stream.Just("one", "two"), stream.Just("three")))
	// Output: [one two three] <nil>
}

func ExampleStartWith() {
	show(operators.StartWith("unknown")(stream.Just("up", "down")))
	// Output: [unknown up down] <nil>
}

func ExampleEndWith() {
	show(operators.EndWith("bye")(stream.Just("hello", "world")))
	// Output: [hello world bye] <nil>
}
