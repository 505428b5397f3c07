package operators_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// A burst, whose last value is what it came to.
func ExampleDebounce() {
	show(operators.Debounce[string](time.Minute)(stream.Just("r", "rx", "rxipc")))
	// Output: [rxipc] <nil>
}

func ExampleThrottleFirst() {
	show(operators.ThrottleFirst[string](time.Minute)(stream.Just("knock", "knock", "knock")))
	// Output: [knock] <nil>
}

// What came last when the time was up.
func ExampleThrottleLast() {
	readings := operators.Merge(stream.Just(20, 21, 22), stream.Never[int]())
	show(operators.Take[int](1)(operators.ThrottleLast[int](300 * time.Millisecond)(readings)))
	// Output: [22] <nil>
}

func ExampleAudit() {
	readings := operators.Merge(stream.Just(20, 21, 22), stream.Never[int]())
	show(operators.Take[int](1)(operators.Audit[int](300 * time.Millisecond)(readings)))
	// Output: [22] <nil>
}

func ExampleTimeout() {
	silent := stream.Never[string]()
	greeted := operators.StartWith("hello")(operators.Timeout[string](10 * time.Millisecond)(silent))
	values, err := greeted.Collect(context.Background())
	fmt.Println(values, errors.Is(err, operators.ErrTimeout))
	// Output: [hello] true
}

func ExampleDelay() {
	start := time.Now()
	show(operators.Delay[int](10*time.Millisecond, 8)(stream.Just(1, 2, 3)))
	fmt.Println(time.Since(start) >= 10*time.Millisecond)
	// Output:
	// [1 2 3] <nil>
	// true
}

func ExampleRateLimit() {
	start := time.Now()
	show(operators.RateLimit[int](2, 10*time.Millisecond)(stream.Just(1, 2, 3)))
	fmt.Println(time.Since(start) >= 10*time.Millisecond) // the third waited
	// Output:
	// [1 2 3] <nil>
	// true
}

func ExampleBufferTime() {
	lines := operators.BufferTime[string](time.Minute, 1000)(stream.Just("a", "b", "c"))
	show(lines)
	// Output: [[a b c]] <nil>
}

// Rows go out in pairs, and the odd one does not wait for ever.
func ExampleBufferTimeOrCount() {
	rows := operators.Merge(stream.Just(1, 2, 3), stream.Never[int]())
	batches := operators.BufferTimeOrCount[int](100*time.Millisecond, 2)(rows)
	show(operators.Take[[]int](2)(batches))
	// Output: [[1 2] [3]] <nil>
}

// Numbers are made on one goroutine while another uses them.
func ExampleObserveOn() {
	show(operators.ObserveOn[int](128)(stream.Range(1, 4)))
	// Output: [1 2 3 4] <nil>
}

// hasty gives its values, and ends, while its consumer is at the first of them.
func hasty(values ...int) (source stream.Observable[int], slow func(int)) {
	over, busy := make(chan struct{}), make(chan struct{})
	source = func(ctx context.Context, yield func(int) bool) error {
		defer close(over)
		for i, v := range values {
			if i == 1 {
				<-busy
			}
			if !yield(v) {
				return nil
			}
		}
		return nil
	}
	first := true
	return source, func(v int) {
		if first {
			first = false
			close(busy)
			<-over
		}
		fmt.Println(v)
	}
}

func ExampleOnBackpressureBuffer() {
	source, slow := hasty(1, 2, 3, 4, 5)
	err := operators.OnBackpressureBuffer[int](2, stream.Fail)(source).ForEach(context.Background(), slow)
	fmt.Println(err)
	// Output:
	// 1
	// 2
	// 3
	// stream: buffer full
}

func ExampleOnBackpressureDrop() {
	source, slow := hasty(1, 2, 3, 4, 5)
	err := operators.OnBackpressureDrop[int](2)(source).ForEach(context.Background(), slow)
	fmt.Println(err)
	// Output:
	// 1
	// 2
	// 3
	// <nil>
}

func ExampleOnBackpressureLatest() {
	source, slow := hasty(1, 2, 3, 4, 5)
	err := operators.OnBackpressureLatest[int]()(source).ForEach(context.Background(), slow)
	fmt.Println(err)
	// Output:
	// 1
	// 5
	// <nil>
}

func ExampleBufferTimeEvery() {
	lines := operators.BufferTimeEvery[string](time.Hour, time.Minute, 1000)(stream.Just("a", "b", "c"))
	show(lines) // the source completes within the first window
	// Output: [[a b c]] <nil>
}

// The last hour, every minute.
func ExampleFoldHoppingTime() {
	totals := operators.FoldHoppingTime(time.Hour, time.Minute, fold.Sum[int]())(stream.Just(1, 2, 3))
	show(totals) // the source completes within the first window
	// Output: [6] <nil>
}
