package rx_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/reactivex/rxgo/v2"

	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/rx"
)

// wordLengths is a pipeline of RxGo operators.
func wordLengths(lines rxgo.Observable) rxgo.Observable {
	return lines.
		FlatMap(func(line rxgo.Item) rxgo.Observable {
			if line.Error() {
				return rxgo.Thrown(line.E)
			}
			return rxgo.Just(strings.Fields(line.V.(string)))()
		}).
		Filter(func(word any) bool { return word != "the" }).
		Map(func(_ context.Context, word any) (any, error) { return len(word.(string)), nil })
}

// An RxGo pipeline is used between a source and a sink of package stream.
func Example() {
	lines := stream.Just("the quick brown fox", "jumps over the dog")
	lengths := stream.Pipe1(lines, rx.Through[string, int](wordLengths))
	err := lengths.ForEach(context.Background(), func(n int) { fmt.Print(n, " ") })
	fmt.Println(err)
	// Output: 5 5 3 5 4 3 <nil>
}

func ExampleThrough() {
	evens := rx.Through[int, int](func(o rxgo.Observable) rxgo.Observable {
		return o.Filter(func(v any) bool { return v.(int)%2 == 0 })
	})
	fmt.Println(evens(stream.Range(1, 6)).Collect(context.Background()))
	// Output: [2 4 6] <nil>
}

// The operators of RxGo get the failure of the source, and may recover from it.
func ExampleThrough_failure() {
	source := stream.Observable[int](func(_ context.Context, yield func(int) bool) error {
		yield(1)
		return errors.New("torn")
	})
	asIs := rx.Through[int, int](func(o rxgo.Observable) rxgo.Observable { return o })
	recovers := rx.Through[int, int](func(o rxgo.Observable) rxgo.Observable { return o.OnErrorReturnItem(-1) })
	fmt.Println(asIs(source).Collect(context.Background()))
	fmt.Println(recovers(source).Collect(context.Background()))
	// Output:
	// [1] torn
	// [1 -1] <nil>
}

// An item of an unexpected type is an error with both types.
func ExampleThrough_wrongType() {
	lengths := rx.Through[string, int64](wordLengths) // its items are ints
	fmt.Println(lengths(stream.Just("one two")).Collect(context.Background()))
	// Output: [] rx: got an item of type int, want int64
}

// Each operator buffers 64 values, so the source may be that far ahead.
func ExampleBuffer() {
	total := rx.Through[int, int64](func(o rxgo.Observable) rxgo.OptionalSingle { return o.SumInt64() }, rx.Buffer(64))
	fmt.Println(total(stream.Range(1, 100)).First(context.Background()).Get())
	// Output: 5050 <nil>
}

// Values cross in slices, which are the parameters and results of the functions given to RxGo.
func ExampleThroughBatches() {
	squares := rx.ThroughBatches[int, int](256, func(batches rxgo.Observable) rxgo.Observable {
		return batches.Map(func(_ context.Context, item any) (any, error) {
			batch := item.([]int)
			for i, n := range batch {
				batch[i] = n * n
			}
			return batch, nil
		})
	})
	fmt.Println(squares(stream.Range(1, 5)).Collect(context.Background()))
	// Output: [1 4 9 16 25] <nil>
}

// RxGo observes a source of package stream.
func ExampleToRx() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	o := rx.ToRx(ctx, stream.Range(1, 3)).
		Map(func(_ context.Context, v any) (any, error) { return v.(int) * 10, nil })
	for item := range o.Observe() {
		fmt.Println(item.V, item.E)
	}
	// Output:
	// 10 <nil>
	// 20 <nil>
	// 30 <nil>
}

func ExampleToRxBatches() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	sum := 0
	for item := range rx.ToRxBatches(ctx, stream.Range(1, 100), 16).Observe() {
		for _, n := range item.V.([]int) {
			sum += n
		}
	}
	fmt.Println(sum)
	// Output: 5050
}

func ExampleFromRx() {
	source := rx.FromRx[int](rxgo.Range(1, 3))
	fmt.Println(source.Collect(context.Background()))
	fmt.Println(source.First(context.Background()).Get())
	// Output:
	// [1 2 3] <nil>
	// 1 <nil>
}

// RxGo's Concat starts when it is built, and can be observed only once. FromRxFunc builds it for
// each run.
func ExampleFromRxFunc() {
	source := rx.FromRxFunc[string](func(ctx context.Context) rxgo.Observable {
		return rxgo.Concat([]rxgo.Observable{rxgo.Just("a")(), rxgo.Just("b", "c")()}, rxgo.WithContext(ctx))
	})
	fmt.Println(source.Collect(context.Background()))
	fmt.Println(source.Collect(context.Background()))
	// Output:
	// [a b c] <nil>
	// [a b c] <nil>
}

func ExampleFromRxBatches() {
	pairs := rxgo.Range(1, 6).BufferWithCount(2) // its items are []any
	fmt.Println(rx.FromRxBatches[any](pairs).Collect(context.Background()))
	// Output: [1 2 3 4 5 6] <nil>
}
