package stream_test

import (
	"context"
	"fmt"

	"github.com/rxipc/rxipc/stream"
)

func ExampleWithBuffering() {
	source := stream.Observable[int](func(ctx context.Context, yield func(int) bool) error {
		fmt.Printf("what follows buffers: %q\n", stream.Buffering(ctx))
		yield(1)
		return nil
	})
	// late keeps each value until the source has ended.
	late := func(ctx context.Context, yield func(int) bool) error {
		var kept []int
		err := source(stream.WithBuffering(ctx, "late"), func(n int) bool {
			kept = append(kept, n)
			return true
		})
		for _, n := range kept {
			if !yield(n) {
				break
			}
		}
		return err
	}
	fmt.Println(stream.Observable[int](late).Collect(context.Background()))
	// Output:
	// what follows buffers: "late"
	// [1] <nil>
}

func ExampleBuffering() {
	source := stream.Observable[int](func(ctx context.Context, yield func(int) bool) error {
		fmt.Printf("%q\n", stream.Buffering(ctx))
		yield(1)
		return nil
	})
	ctx := context.Background()
	source.Run(ctx) // what follows has handled each value when yield returns
	stream.Gather(1, func(g *stream.Group[int]) { g.Go(source) }).Run(ctx)
	// Output:
	// ""
	// "Gather"
}
