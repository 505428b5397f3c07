package stream_test

import (
	"context"
	"fmt"

	"github.com/rxipc/rxipc/stream"
)

func ExampleOnSubscribed() {
	var news stream.Subject[string]
	ctx := stream.OnSubscribed(context.Background(), func() {
		fmt.Println("observers:", news.Observers())
		news.Next("none is missed")
		news.Complete()
	})
	_ = news.Observe(4, stream.Block).ForEach(ctx, func(s string) { fmt.Println(s) })
	// Output:
	// observers: 1
	// none is missed
}

func ExampleSubscribed() {
	values := make(chan int)
	source := func(ctx context.Context, yield func(int) bool) error {
		stream.Subscribed(ctx) // before it waits
		yield(<-values)
		return nil
	}
	ctx := stream.OnSubscribed(context.Background(), func() { go func() { values <- 42 }() })
	_ = stream.Observable[int](source).ForEach(ctx, func(n int) { fmt.Println(n) })
	// Output: 42
}
