package operators_test

import (
	"context"
	"fmt"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// asked is a source that says when it is run.
func asked(values ...int) stream.Observable[int] {
	return stream.Defer(func() stream.Observable[int] {
		fmt.Println("run")
		return stream.FromSlice(values)
	})
}

// Three who observe at the same time share one run of the source. Who must not miss its
// beginning is counted.
func ExampleMulticast() {
	shared := operators.Multicast(asked(1, 2, 3), func() *stream.Subject[int] { return new(stream.Subject[int]) }).
		RefCount(3, stream.DefaultBuffer, stream.Block)
	show(operators.Sum[int]()(operators.Merge(shared, shared, shared)))
	// Output:
	// run
	// [18] <nil>
}

func ExampleConnectable_Connect() {
	c := operators.Multicast(asked(1, 2, 3), func() *stream.Subject[int] { return stream.NewReplaySubject[int](2, 0) })
	fmt.Println(c.Connect(context.Background()))
	show(c.Observe(1, stream.Block))
	// Output:
	// run
	// <nil>
	// [2 3] <nil>
}

func ExampleConnectable_Observe() {
	c := operators.Multicast(asked(1, 2, 3), func() *stream.Subject[int] { return stream.NewAsyncSubject[int]() })
	last := c.Observe(1, stream.Block).Subscribe(context.Background(), stream.Observer[int]{
		Next: func(n int) { fmt.Println(n) },
	})
	_ = c.Connect(context.Background())
	_ = last.Wait()
	// Output:
	// run
	// 3
}

func ExampleConnectable_Audience() {
	c := operators.Multicast(asked(1, 2, 3), func() *stream.Subject[int] { return new(stream.Subject[int]) })
	observer := c.Observe(8, stream.Block).Subscribe(context.Background(), stream.Observer[int]{
		Next: func(n int) { fmt.Println(n) },
	})
	_ = c.Audience()(context.Background(), func(n int) bool { return n == 0 })
	_ = c.Connect(context.Background())
	_ = observer.Wait()
	// Output:
	// run
	// 1
	// 2
	// 3
}

func ExampleConnectable_RefCount() {
	c := operators.Multicast(asked(1, 2, 3), func() *stream.Subject[int] { return new(stream.Subject[int]) })
	show(c.RefCount(1, 1, stream.Block))
	show(c.RefCount(1, 1, stream.Block)) // the first run is over
	// Output:
	// run
	// [1 2 3] <nil>
	// run
	// [1 2 3] <nil>
}

// The one who comes first begins the run, the last to leave ends it.
func ExampleShare() {
	released := operators.Finally[int](func(operators.Ending, error) { fmt.Println("released") })
	shared := operators.Share[int]()(released(operators.Concat(stream.Just(1, 2), stream.Never[int]())))
	fmt.Println(shared.First(context.Background()))
	fmt.Println("left")
	// Output:
	// released
	// Success(1)
	// left
}

// An answer that is asked for once and good for a minute.
func ExampleShareReplay() {
	answer := operators.ShareReplay[int](1, time.Minute)(asked(42))
	show(answer)
	show(answer)
	// Output:
	// run
	// [42] <nil>
	// [42] <nil>
}
