package foldtest_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/fold/foldtest"
)

// t takes the place of the *testing.T of a test. It prints the errors.
var t printer

type printer struct{ testing.TB }

func (printer) Helper() {}

func (printer) Errorf(format string, arguments ...any) { fmt.Printf(format+"\n", arguments...) }

func ExampleLaws() {
	difference := fold.New(
		func() int { return 0 },
		func(a, b int) int { return a - b },
	)
	foldtest.Laws(t, difference, 1, 2, 3)

	type span struct{ from, to float64 }
	cover := fold.New(
		func() span { return span{math.Inf(1), math.Inf(-1)} },
		func(a, b span) span { return span{min(a.from, b.from), max(a.to, b.to)} },
	)
	foldtest.Laws(t, cover, span{1, 2}, span{5, 9}, span{3, 3})
	// Output:
	// left identity: Combine(Identity(), a) is not a
	//    a 1
	//  got -1
}

func ExampleLawsFunc() {
	near := func(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

	foldtest.Laws(t, fold.Sum[float64](), 0.1, 0.2, 0.3)
	foldtest.LawsFunc(t, fold.Sum[float64](), near, 0.1, 0.2, 0.3)
	// Output:
	// associativity: a is 0.1, b is 0.2, c is 0.3
	// (ab)c is 0.6000000000000001
	// a(bc) is 0.6
}
