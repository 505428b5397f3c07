package operators_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// A search as one types: the answers to what has been typed over are not waited for.
func ExampleSwitchMap() {
	typed := stream.Just("g", "go", "gopher")
	search := func(word string) stream.Observable[string] {
		if word != "gopher" {
			return stream.Never[string]() // a slow one
		}
		return stream.Just("gopher tortoise", "pocket gopher")
	}
	show(operators.SwitchMap(search)(typed))
	// Output: [gopher tortoise pocket gopher] <nil>
}

func ExampleSwitch() {
	sources := stream.Just(stream.Never[int](), stream.Range(1, 3))
	show(operators.Switch[int]()(sources))
	// Output: [1 2 3] <nil>
}

// Who presses the button again while the order is under way orders nothing.
func ExampleExhaustMap() {
	pressed := make(chan string)
	presses := operators.Finally[int](func(operators.Ending, error) { close(pressed) })(stream.Just(1, 2, 3))
	order := func(press int) stream.Observable[string] {
		underway := stream.FromChannel(pressed) // until nobody presses any more
		return operators.EndWith(fmt.Sprintf("order of press %d", press))(underway)
	}
	show(operators.ExhaustMap(order)(presses))
	// Output: [order of press 1] <nil>
}

func ExampleMapParallel() {
	fetch := func(_ context.Context, page string) (string, error) {
		if page == "" {
			return "", fmt.Errorf("no such page")
		}
		return strings.ToUpper(page), nil
	}
	show(operators.MapParallel(8, fetch)(stream.Just("a", "b", "c", "d")))
	show(operators.MapParallel(8, fetch)(stream.Just("a", "b", "", "d")))
	// Output:
	// [A B C D] <nil>
	// [A B] no such page
}

// A tree of numbers, depth first.
func ExampleExpand() {
	children := func(n int) stream.Observable[int] {
		if n > 3 {
			return stream.Empty[int]()
		}
		return stream.Just(2*n, 2*n+1)
	}
	show(operators.Expand(children)(stream.Just(1)))
	// Output: [1 2 4 5 3 6 7] <nil>
}
