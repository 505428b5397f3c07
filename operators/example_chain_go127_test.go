//go:build go1.27

package operators_test

import (
	"context"
	"fmt"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

func ExampleChain() {
	lines, err := operators.From(stream.Range(1, 10)).
		Filter(func(n int) bool { return n%2 == 0 }).
		Scan(fold.Sum[int]()).
		Map(func(total int) string { return fmt.Sprint("up to here: ", total) }).
		TakeLast(2).
		Collect(context.Background())
	fmt.Println(lines, err)
	// Output: [up to here: 20 up to here: 30] <nil>
}

// Operators that are no methods are in the chain all the same.
func ExampleChain_Pipe() {
	sums, err := operators.From(stream.Range(1, 7)).
		Pipe(operators.BufferCount[int](3)).
		Map(func(batch []int) int { return len(batch) }).
		Pipe(operators.Sum[int]()).
		Collect(context.Background())
	fmt.Println(sums, err)
	// Output: [7] <nil>
}

func ExampleFrom() {
	greeting := operators.From(stream.Just("hello")).Concat(stream.Just("world")).Last(context.Background())
	fmt.Println(greeting.Get())
	// Output: world <nil>
}
