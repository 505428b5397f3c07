package stream_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// An observable is a function: calling it runs it.
func Example() {
	err := stream.Range(1, 9)(context.Background(), func(n int) bool {
		fmt.Println(n)
		return n < 3 // false: no more, thank you
	})
	fmt.Println("ended with", err)
	// Output:
	// 1
	// 2
	// 3
	// ended with <nil>
}

// show prints the values of a run, and its error.
func show[T any](source stream.Observable[T]) {
	values, err := source.Collect(context.Background())
	fmt.Println(values, err)
}

func ExampleJust() {
	show(stream.Just("a", "b"))
	// Output: [a b] <nil>
}

func ExampleFromSlice() {
	show(stream.FromSlice([]int{3, 1, 2}))
	// Output: [3 1 2] <nil>
}

func ExampleRange() {
	show(stream.Range(5, 3))
	// Output: [5 6 7] <nil>
}

func ExampleFromSeq() {
	show(stream.FromSeq(slices.Values([]string{"x", "y"})))
	// Output: [x y] <nil>
}

func ExampleFromSeq2() {
	lines := func(yield func(string, error) bool) {
		_ = yield("first", nil) && yield("", errors.New("line 2 is torn"))
	}
	show(stream.FromSeq2(lines))
	// Output: [first] line 2 is torn
}

func ExampleFromChannel() {
	values := make(chan int, 2)
	values <- 1
	values <- 2
	close(values)
	show(stream.FromChannel(values))
	// Output: [1 2] <nil>
}

// Each run counts from one, since each has a counter of its own.
func ExampleDefer() {
	counted := stream.Defer(func() stream.Observable[string] {
		n := 0
		number := func(s string) string { n++; return fmt.Sprint(n, s) }
		return operators.Map(number)(stream.Just("a", "b"))
	})
	show(counted)
	show(counted)
	// Output:
	// [1a 2b] <nil>
	// [1a 2b] <nil>
}

func ExampleEmpty() {
	show(stream.Empty[int]())
	// Output: [] <nil>
}

func ExampleThrow() {
	show(stream.Throw[int](errors.New("no such counter")))
	// Output: [] no such counter
}

func ExampleNever() {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("closing time"))
	fmt.Println(stream.Never[int]().Run(ctx))
	// Output: closing time
}

func ExampleTimer() {
	start := time.Now()
	at, err := stream.Timer(time.Millisecond).First(context.Background()).Get()
	fmt.Println(at.Sub(start) >= time.Millisecond, err)
	// Output: true <nil>
}

func ExampleInterval() {
	show(operators.Take[int](3)(stream.Interval(time.Microsecond)))
	// Output: [0 1 2] <nil>
}

func ExampleGather() {
	source := stream.Gather(16, func(g *stream.Group[int]) {
		g.Go(stream.Range(1, 50))
		g.Go(stream.Range(51, 50))
	})
	total := operators.Fold(fold.Sum[int]())(source)
	fmt.Println(total.First(context.Background()))
	// Output: Success(5050)
}

// A producer adds another.
func ExampleGroup_Go() {
	source := stream.Gather(1, func(g *stream.Group[string]) {
		g.Go(func(ctx context.Context, yield func(string) bool) error {
			yield("parent")
			g.Go(stream.Just("child"))
			return nil
		})
	})
	show(source)
	// Output: [parent child] <nil>
}

func ExampleGroup_GoThen() {
	source := stream.Gather(8, func(g *stream.Group[int]) {
		g.GoThen(stream.Just(1, 2), func() { fmt.Println("both were taken") })
	})
	_ = source.ForEach(context.Background(), func(n int) { fmt.Println(n) })
	// Output:
	// 1
	// 2
	// both were taken
}
