package operators_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

func ExampleNamed() {
	show(operators.Named[int]("halves")(halves(2, 3)))
	// Output: [1] halves: 3 is odd
}

// A supervisor that knows the parts of its pipeline by name.
func ExampleStageError() {
	pipeline := operators.Named[int]("store")(operators.Named[int]("parse")(halves(3)))
	err := pipeline.Run(context.Background())
	for {
		failed, ok := errors.AsType[*operators.StageError](err)
		if !ok {
			break
		}
		fmt.Println(failed.Stage)
		err = failed.Err
	}
	fmt.Println(err)
	// Output:
	// store
	// parse
	// 3 is odd
}

// What a program may print when it is asked what it does: at a signal, at an address for
// its operators, or as expvar.Func(func() any { return operators.Stages() }).
func ExampleStages() {
	pipeline := stream.Pipe3(stream.Range(1, 9),
		operators.Named[int]("read"),
		operators.Filter(func(n int) bool { return n%3 == 0 }),
		operators.Named[int]("store"),
	)
	err := pipeline.ForEach(context.Background(), func(n int) {
		if n != 6 {
			return
		}
		for _, s := range operators.Stages() {
			fmt.Println(s.Path, s.Values, s.Passing)
		}
	})
	fmt.Println(err)
	// Output:
	// store 2 true
	// store/read 6 true
	// <nil>
}
