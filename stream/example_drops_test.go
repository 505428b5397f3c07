package stream_test

import (
	"context"
	"fmt"

	"github.com/rxipc/rxipc/stream"
)

// A reader that is slower than its source loses values, and a program sees how many.
func ExampleDrops_Total() {
	var drops stream.Drops
	u := stream.NewUnicast[string](stream.WithDrops(context.Background(), &drops), 2, stream.DropOldest)
	for _, letter := range []string{"a", "b", "c", "d", "e"} {
		u.Next(letter)
	}
	fmt.Println(drops.Total())
	// Output: 3
}

// One counter for a part of a program, and one for all of it.
func ExampleWithDrops() {
	var all, part stream.Drops
	ctx := stream.WithDrops(context.Background(), &all)
	stream.Dropping(stream.WithDrops(ctx, &part))(2)
	stream.Dropping(ctx)(1)
	fmt.Println(part.Total(), all.Total())
	// Output: 2 3
}

// A stage that drops every other value, and says so.
func ExampleDropping() {
	half := func(source stream.Observable[int]) stream.Observable[int] {
		return func(ctx context.Context, yield func(int) bool) error {
			dropped := stream.Dropping(ctx)
			return source(ctx, func(n int) bool {
				if n%2 == 1 {
					dropped(1)
					return true
				}
				return yield(n)
			})
		}
	}
	var drops stream.Drops
	fmt.Println(half(stream.Range(0, 5)).Collect(stream.WithDrops(context.Background(), &drops)))
	fmt.Println(drops.Total(), "dropped")
	// Output:
	// [0 2 4] <nil>
	// 2 dropped
}

// A stage that skips what it cannot use, and says so.
func ExampleSkipping() {
	positive := func(source stream.Observable[int]) stream.Observable[int] {
		return func(ctx context.Context, yield func(int) bool) error {
			skipped := stream.Skipping(ctx)
			return source(ctx, func(n int) bool {
				if n < 0 {
					skipped(1)
					return true
				}
				return yield(n)
			})
		}
	}
	var lost stream.Drops
	fmt.Println(positive(stream.Just(1, -2, 3)).Collect(stream.WithDrops(context.Background(), &lost)))
	fmt.Println(lost.Skipped(), "skipped")
	// Output:
	// [1 3] <nil>
	// 1 skipped
}

func ExampleUnicast_Dropped() {
	u := letters(2, stream.DropNewest)
	fmt.Println(u.Dropped())
	u.Abandon()
	fmt.Println(u.Dropped())
	// Output:
	// 1
	// 3
}

// What one observer did not want is for the next one.
func ExampleUnicast_Rest() {
	u := stream.NewUnicast[string](context.Background(), 8, stream.Block)
	u.KeepRest()
	for _, letter := range []string{"a", "b", "c"} {
		u.Next(letter)
	}
	_ = u.Observe(context.Background(), func(letter string) bool { return false })
	if !u.Next("d") {
		fmt.Println(append(u.Rest(), "d"))
	}
	// Output: [b c d]
}

func ExampleUnicast_KeepRest() {
	u := stream.NewUnicast[string](context.Background(), 8, stream.Block)
	u.KeepRest()
	u.Next("a")
	u.Abandon()
	fmt.Println(u.Rest(), u.Rest())
	// Output: [a] []
}

// impatient ends a source when its producer would have to wait.
type impatient struct{ *stream.Unicast[string] }

func (i impatient) ProducerWaits(waits bool) {
	if waits {
		fmt.Println("nobody makes room; does the reader wait?", i.Idle())
		i.Complete()
	}
}

func (i impatient) ConsumerWaits(context.Context) {}

func ExampleUnicast_Watch() {
	u := stream.NewUnicast[string](context.Background(), 1, stream.Block)
	u.Watch(impatient{u})
	fmt.Println(u.Next("a"), u.Next("b"))
	observe(u)
	// Output:
	// nobody makes room; does the reader wait? false
	// true false
	// [a] <nil>
}

func ExampleUnicast_Idle() {
	u := letters(8, stream.Block)
	fmt.Println(u.Idle())
	// Output: false
}

// eager makes a reader that would have to wait look again, three times.
type eager struct {
	*stream.Unicast[int]
	looked int
}

func (e *eager) ProducerWaits(bool) {}

func (e *eager) ConsumerWaits(context.Context) {
	if e.looked++; e.looked <= 3 {
		e.Nudge() // and look again
		return
	}
	e.Complete()
}

func ExampleUnicast_Nudge() {
	e := &eager{Unicast: stream.NewUnicast[int](context.Background(), 8, stream.Block)}
	e.Watch(e)
	err := stream.Observable[int](e.Observe).Run(context.Background())
	fmt.Println("it looked", e.looked, "times,", err)
	// Output: it looked 4 times, <nil>
}

// Values that are dropped for want of room, and values that are skipped as they are bad.
func ExampleDrops_Skipped() {
	var lost stream.Drops
	ctx := stream.WithDrops(context.Background(), &lost)
	stream.Dropping(ctx)(1)
	stream.Skipping(ctx)(2)
	fmt.Println(lost.Total(), "dropped,", lost.Skipped(), "skipped")
	// Output: 1 dropped, 2 skipped
}
