package operators_test

import (
	"fmt"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

func ExampleZip() {
	words := stream.Just("one", "two", "three")
	numbers := stream.Range(1, 100)
	show(operators.Zip(words, numbers, func(word string, n int) string { return fmt.Sprint(n, "=", word) }))
	// Output: [1=one 2=two 3=three] <nil>
}

func ExampleZip3() {
	digits := stream.Range(1, 3)
	show(operators.Zip3(digits, digits, digits, func(a, b, c int) int { return 100*a + 10*b + c }))
	// Output: [111 222 333] <nil>
}

func ExampleZipAll() {
	digits := stream.Range(1, 3)
	show(operators.ZipAll(digits, digits, digits, stream.Just(7, 8)))
	// Output: [[1 1 1 7] [2 2 2 8]] <nil>
}

// The width is known from the start; the area follows each new height.
func ExampleCombineLatest() {
	widths, heights, area := sizes()
	show(operators.CombineLatest(widths, heights, area))
	// Output: [10 20 30] <nil>
}

// sizes are a width, and heights that come when it has been seen.
func sizes() (widths, heights stream.Observable[int], area func(width, height int) int) {
	known := make(chan int)
	widths = operators.Finally[int](func(operators.Ending, error) { close(known) })(stream.Just(10))
	heights = operators.Concat(stream.FromChannel(known), stream.Just(1, 2, 3))
	return widths, heights, func(width, height int) int { return width * height }
}

func ExampleCombineLatest3() {
	widths, heights, area := sizes()
	areas := operators.CombineLatest(widths, heights, area)
	// Of the others only the last matters here.
	volumes := operators.CombineLatest3(operators.Last[int]()(areas), stream.Just(2), stream.Just("litres"),
		func(area, depth int, unit string) string { return fmt.Sprint(area*depth, " ", unit) })
	show(volumes)
	// Output: [60 litres] <nil>
}

func ExampleCombineLatestAll() {
	widths, heights, _ := sizes()
	show(operators.CombineLatestAll(widths, heights))
	// Output: [[10 1] [10 2] [10 3]] <nil>
}

func ExampleWithLatestFrom() {
	known := make(chan int)
	rate := operators.Finally[int](func(operators.Ending, error) { close(known) })(stream.Just(3))
	prices := operators.Concat(stream.FromChannel(known), stream.Just(10, 20))
	converted := operators.WithLatestFrom(rate, func(price, rate int) int { return price * rate })
	show(converted(prices))
	// Output: [30 60] <nil>
}

func ExampleForkJoin() {
	show(operators.ForkJoin(stream.Range(1, 3), stream.Just(7), stream.Just(8, 9)))
	// Output: [[3 7 9]] <nil>
}

// The first mirror that answers is listened to.
func ExampleRace() {
	silent := stream.Never[string]()
	show(operators.Race(silent, stream.Just("the", "answer"), silent))
	// Output: [the answer] <nil>
}

func ExampleSequenceEqual() {
	show(operators.SequenceEqual(stream.Range(1, 3), stream.Just(1, 2, 3)))
	show(operators.SequenceEqual(stream.Range(1, 4), stream.Just(1, 2, 3)))
	// Output:
	// [true] <nil>
	// [false] <nil>
}
