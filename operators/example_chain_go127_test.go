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

// The compiler knows that GroupBy of strings makes groups of strings, and that there is a Sum
// of the numbers.
func ExampleChain_GroupBy() {
	initial := func(word string) string { return word[:1] }
	longest := func(g operators.Group[string, string]) operators.Chain[int] {
		return operators.From(g.Values()).Map(func(word string) int { return len(word) }).Max()
	}
	total, err := operators.From(stream.Just("apple", "pear", "apricot", "plum")).
		GroupBy(initial).
		MergeMap(longest).
		Sum().
		Collect(context.Background())
	fmt.Println(total, err)
	// Output: [11] <nil>
}

func ExampleChain_BufferCount() {
	batches := operators.From(stream.Range(1, 7)).BufferCount(3)
	sizes, _ := batches.Map(func(batch []int) int { return len(batch) }).Collect(context.Background())
	numbers, _ := batches.Flatten().Count().Collect(context.Background())
	fmt.Println(sizes, numbers)
	// Output: [3 3 1] [7]
}

// A chain passes as an observable where a method takes one.
func ExampleChain_Zip() {
	numbers := operators.From(stream.Range(1, 4))
	products, err := numbers.Zip(numbers.Skip(1), func(a, b int) int { return a * b }).Collect(context.Background())
	fmt.Println(products, err)
	// Output: [2 6 12] <nil>
}

// Pipe continues with an operator of your own.
func ExampleChain_Pipe() {
	everySecond := func(source stream.Observable[int]) stream.Observable[int] {
		return operators.From(source).BufferCountEvery(1, 2).Flatten().Observable()
	}
	odd, err := operators.From(stream.Range(1, 7)).Pipe(everySecond).Collect(context.Background())
	fmt.Println(odd, err)
	// Output: [1 3 5 7] <nil>
}

func ExampleFrom() {
	greeting := operators.From(stream.Just("hello")).Concat(stream.Just("world")).Last(context.Background())
	fmt.Println(greeting.Get())
	// Output: world <nil>
}
