package operators_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// The sum of the squares of the even ones.
func Example() {
	total := stream.Pipe3(
		stream.Range(1, 10),
		operators.Filter(func(n int) bool { return n%2 == 0 }),
		operators.Map(func(n int) int { return n * n }),
		operators.Fold(fold.Sum[int]()),
	)
	fmt.Println(total.First(context.Background()))
	// Output: Success(220)
}

// show prints the values of a run, and its error.
func show[T any](source stream.Observable[T]) {
	values, err := source.Collect(context.Background())
	fmt.Println(values, err)
}

func ExampleMap() {
	show(operators.Map(strconv.Itoa)(stream.Just(1, 2, 3)))
	// Output: [1 2 3] <nil>
}

func ExampleMapErr() {
	show(operators.MapErr(strconv.Atoi)(stream.Just("1", "2", "three", "4")))
	// Output: [1 2] strconv.Atoi: parsing "three": invalid syntax
}

// Values and errors apart, and a count of the errors that may be read while it runs.
func ExampleMapSkipErr() {
	var lost stream.Drops
	numbers := stream.Pipe2(stream.Just("1", "two", "3"),
		operators.MapSkipErr(strconv.Atoi, func(line string, err error) { fmt.Printf("%q: %v\n", line, err) }),
		operators.CountDrops[int](&lost),
	)
	show(numbers)
	fmt.Println(lost.Skipped(), "skipped")
	// Output:
	// "two": strconv.Atoi: parsing "two": invalid syntax
	// [1 3] <nil>
	// 1 skipped
}

// A stream of values and errors.
func ExampleMapSkipErr_attempts() {
	show(operators.Map(fold.Trying(strconv.Atoi))(stream.Just("1", "two", "3")))
	// Output: [Success(1) Failure(strconv.Atoi: parsing "two": invalid syntax) Success(3)] <nil>
}

func ExampleConcatMap() {
	countdown := func(n int) stream.Observable[int] {
		return operators.Map(func(i int) int { return n - i })(stream.Range(0, n))
	}
	show(operators.ConcatMap(countdown)(stream.Just(3, 2)))
	// Output: [3 2 1 2 1] <nil>
}

func ExampleFilter() {
	show(operators.Filter(func(s string) bool { return s != "" })(stream.Just("a", "", "b")))
	// Output: [a b] <nil>
}

func ExampleTake() {
	show(operators.Take[int](3)(stream.Interval(time.Microsecond)))
	// Output: [0 1 2] <nil>
}

func ExampleTakeWhile() {
	small := func(n int) bool { return n < 10 }
	numbers := stream.Just(1, 5, 12, 3)

	show(operators.TakeWhile(small)(numbers))
	show(operators.TakeWhile(small, operators.Inclusive)(numbers))
	// Output:
	// [1 5] <nil>
	// [1 5 12] <nil>
}

func ExampleFirst() {
	show(operators.First[int]()(stream.Just(7, 8, 9)))
	show(operators.First[int]()(stream.Empty[int]()))
	// Output:
	// [7] <nil>
	// [] <nil>
}

func ExampleLast() {
	show(operators.Last[int]()(stream.Just(7, 8, 9)))
	// Output: [9] <nil>
}

func ExampleScan() {
	show(operators.Scan(fold.Sum[int]())(stream.Just(1, 2, 3, 4)))
	// Output: [1 3 6 10] <nil>
}

func ExampleScanFrom() {
	balance := operators.ScanFrom(func() int { return 100 }, func(balance, change int) int { return balance + change })
	show(balance(stream.Just(-30, 5, -10)))
	// Output: [70 75 65] <nil>
}

func ExampleFold() {
	show(operators.Fold(fold.ConcatStrings[string]())(stream.Just("re", "act", "ive")))
	// Output: [reactive] <nil>
}

func ExampleReduce() {
	longest := operators.Reduce(func() string { return "" }, func(longest, word string) string {
		if len(word) > len(longest) {
			return word
		}
		return longest
	})
	show(longest(stream.Just("one", "three", "two")))
	// Output: [three] <nil>
}

func ExampleTap() {
	source := operators.Tap(func(n int) { fmt.Println("saw", n) })(stream.Just(1, 2))
	show(source)
	// Output:
	// saw 1
	// saw 2
	// [1 2] <nil>
}

func ExampleCatch() {
	offline := errors.New("offline")
	remote := func(ctx context.Context, yield func(string) bool) error {
		yield("fresh")
		return offline
	}
	fromCache := operators.Catch(func(err error) stream.Observable[string] {
		if errors.Is(err, offline) {
			return stream.Just("cached")
		}
		return stream.Throw[string](err)
	})
	show(fromCache(remote))
	// Output: [fresh cached] <nil>
}

func ExampleTakeUntilDone() {
	ctx := context.Background()
	stop, finish := context.WithCancel(ctx)
	defer finish()
	ticks := stream.Pipe2(
		stream.Interval(time.Microsecond),
		operators.TakeUntilDone[int](stop),
		operators.Tap(func(n int) {
			if n == 3 {
				finish() // enough, and not a failure
			}
		}),
	)
	fmt.Println(ticks.Run(ctx))
	// Output: <nil>
}

func ExampleMerge() {
	over := make(chan string)
	first := operators.Finally[string](func(operators.Ending, error) { close(over) })(stream.Just("first", "second"))
	later := operators.Concat(stream.FromChannel(over), stream.Just("later"))
	show(operators.Merge(later, first))
	// Output: [first second later] <nil>
}

// Lengths are measured at the same time, and come as they are ready.
func ExampleMergeMap() {
	measure := operators.MergeMap(func(word string) stream.Observable[int] {
		return stream.Just(len(word))
	})
	lengths, err := measure(stream.Just("one", "three", "fifteen")).Collect(context.Background())
	slices.Sort(lengths)
	fmt.Println(lengths, err)
	// Output: [3 5 7] <nil>
}

func ExampleLimit() {
	oneByOne := operators.MergeMap(func(n int) stream.Observable[int] {
		return stream.Just(n, n*n)
	}, operators.Limit(1))
	show(oneByOne(stream.Just(2, 3)))
	// Output: [2 4 3 9] <nil>
}

func ExampleBuffer() {
	tight := operators.MergeMap(func(n int) stream.Observable[int] {
		return stream.Range(n, 3)
	}, operators.Limit(1), operators.Buffer(1)) // one value made while another is in use
	show(tight(stream.Just(10, 20)))
	// Output: [10 11 12 20 21 22] <nil>
}
