package operators_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/rxipc/rxipc/operators"
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
