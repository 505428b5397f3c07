package stream_test

import (
	"context"
	"fmt"
	"strconv"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

func ExampleRepeat() {
	show(stream.Repeat(stream.Just("tick", "tock"), 2))
	show(operators.Take[int](3)(stream.Repeat(stream.Just(7), stream.Forever)))
	// Output:
	// [tick tock tick tock] <nil>
	// [7 7 7] <nil>
}

func ExampleGenerate() {
	below := func(n int) bool { return n < 100 }
	double := func(n int) int { return 2 * n }
	show(stream.Generate(3, below, double))
	// Output: [3 6 12 24 48 96] <nil>
}

// Each run has a door of its own, and closes it when it ends.
func ExampleUsing() {
	visitors := stream.Using(
		func(context.Context) (string, error) { fmt.Println("open"); return "front door", nil },
		func(door string) stream.Observable[string] {
			return stream.Just("Ada by the "+door, "Bob by the "+door)
		},
		func(door string) { fmt.Println("close the", door) },
	)
	show(visitors)
	show(operators.Take[string](1)(visitors))
	// Output:
	// open
	// close the front door
	// [Ada by the front door Bob by the front door] <nil>
	// open
	// close the front door
	// [Ada by the front door] <nil>
}

func ExampleFuture() {
	answer := stream.Future(func(context.Context) (int, error) { return strconv.Atoi("42") })
	show(answer)
	// Output: [42] <nil>
}
