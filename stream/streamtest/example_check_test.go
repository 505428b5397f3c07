package streamtest_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
)

// passes runs a test function as go test does, without its log.
func passes(test func(t *testing.T)) bool {
	verbose := flag.Lookup("test.v").Value.String()
	flag.Set("test.v", "false")
	defer flag.Set("test.v", verbose)
	all := func(_, _ string) (bool, error) { return true, nil }
	return testing.RunTests(all, []testing.InternalTest{{Name: "Example", F: test}})
}

// Check tries each rule of the contract with an observable of one's own.
func ExampleCheck() {
	countdown := stream.Observable[int](func(ctx context.Context, yield func(int) bool) error {
		for n := 3; n > 0; n-- {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if !yield(n) {
				return nil
			}
		}
		if ctx.Err() != nil { // it ended with the last value
			return context.Cause(ctx)
		}
		return nil
	})
	fmt.Println(passes(func(t *testing.T) {
		streamtest.Check(t, countdown, []int{3, 2, 1})
	}))
	// Output: true
}

// CheckOperator tries an operator with sources that complete, fail, wait, panic and are cancelled.
func ExampleCheckOperator() {
	pairs := func(source stream.Observable[int]) stream.Observable[[2]int] {
		return func(ctx context.Context, yield func([2]int) bool) error {
			last, begun := 0, false
			return source(ctx, func(n int) bool {
				pair, complete := [2]int{last, n}, begun
				last, begun = n, true
				return !complete || yield(pair)
			})
		}
	}
	fmt.Println(passes(func(t *testing.T) {
		streamtest.CheckOperator(t, pairs, []int{1, 2, 3}, [][2]int{{1, 2}, {2, 3}})
	}))
	// Output: true
}

// An observable that goes on without end: the values are the first of it.
func ExampleEndless() {
	fmt.Println(passes(func(t *testing.T) {
		streamtest.Check(t, stream.Interval(time.Second), []int{0, 1, 2}, streamtest.Endless())
	}))
	// Output: true
}

// An observable that fails after its values.
func ExampleFails() {
	torn := errors.New("torn")
	source := operators.Concat(stream.Just(1, 2), stream.Throw[int](torn))
	fmt.Println(passes(func(t *testing.T) {
		streamtest.Check(t, source, []int{1, 2}, streamtest.Fails(torn))
	}))
	// Output: true
}

// A parallel map whose results come as they are ready.
func ExampleUnordered() {
	double := operators.MapParallel(2, func(_ context.Context, n int) (int, error) { return 2 * n, nil }, operators.Unordered)
	fmt.Println(passes(func(t *testing.T) {
		streamtest.CheckOperator(t, double, []int{1, 2, 3}, []int{2, 4, 6}, streamtest.Unordered(), streamtest.ReadAhead(1000))
	}))
	// Output: true
}

// An operator that goes on after a failure of its source.
func ExampleRecovers() {
	orZero := operators.OnErrorReturn(func(error) int { return 0 })
	fmt.Println(passes(func(t *testing.T) {
		streamtest.CheckOperator(t, orZero, []int{1, 2}, []int{1, 2}, streamtest.Recovers())
	}))
	// Output: true
}

// Watch checks when a source is subscribed and left.
func ExampleWatch() {
	streamtest.Run(t, func(b *streamtest.Bench) {
		source := streamtest.Watch(b, b.Cold("-a-b-c-|"), "^--!")
		b.Expect(operators.Take[string](2)(source), "      -a-(b|)")
	})
	fmt.Println("failed:", t.Failed())
	// Output: failed: false
}
