package stages_test

import (
	"context"
	"fmt"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/stages"
)

// What a program may print when it is asked what it does: at a signal, at an address for its
// operators, or as expvar.Func(func() any { return registry.Snapshot() }).
func ExampleRegistry() {
	registry := new(stages.Registry)
	pipeline := stream.Pipe3(stream.Range(1, 9),
		operators.Named[int]("read"),
		operators.Filter(func(n int) bool { return n%3 == 0 }),
		operators.Named[int]("store"),
	)
	err := pipeline.ForEach(registry.Follow(context.Background()), func(n int) {
		if n != 6 {
			return
		}
		for _, s := range registry.Snapshot() {
			fmt.Println(s.Path, s.Values, s.Passing)
		}
	})
	fmt.Println(err)
	for _, s := range registry.Snapshot() {
		fmt.Println(s)
	}
	// Output:
	// store 2 1
	// store/read 6 1
	// <nil>
	// store: 3 values, ended
	// store/read: 9 values, ended
}
