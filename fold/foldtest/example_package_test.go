package foldtest_test

import (
	"fmt"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/fold/foldtest"
)

// A monoid of one's own is checked in a test, with a few values of different kinds. The mean of two
// numbers is no monoid: it depends on the grouping.
func Example() {
	longest := fold.New(
		func() string { return "" },
		func(a, b string) string {
			if len(b) > len(a) {
				return b
			}
			return a
		},
	)
	foldtest.Laws(t, longest, "a", "bb", "cc", "") // reports nothing
	mean := fold.New(func() float64 { return 0 }, func(a, b float64) float64 { return (a + b) / 2 })
	foldtest.Laws(t, mean, 1, 3)
	fmt.Println("checked")
	// Output:
	// left identity: Combine(Identity(), a) is not a
	//    a 1
	//  got 0.5
	// checked
}
