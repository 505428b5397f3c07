package fold_test

import (
	"errors"
	"strconv"
	"testing"

	"github.com/rxipc/rxipc/fold"
)

type either = fold.Either[string, int]

// eitherModel returns a text that begins with the side of the Either.
func eitherModel(e either) string {
	left, right, isRight := e.Get()
	if isRight {
		return "R" + strconv.Itoa(right) + left
	}
	return "L" + left + strconv.Itoa(right)
}

var eithers = []either{{}, fold.Left[int](""), fold.Left[int]("x"), fold.Right[string](0), fold.Right[string](1), fold.Right[string](2)}

var eitherSteps = []func(int) either{
	fold.Right[string, int],
	func(n int) either { return fold.Left[int]("left " + strconv.Itoa(n)) },
	func(n int) either { return fold.RightOr(fold.MaybeOf(n/2, n%2 == 0), "odd") },
	func(n int) either { return fold.Right[string](n + 1) },
}

func TestEitherKeepsTheFunctorLaws(t *testing.T) {
	same := func(n int) int { return n }
	double := func(n int) int { return n * 2 }
	next := func(n int) int { return n + 1 }
	for _, e := range eithers {
		if got := fold.MapEither(e, same); got != e {
			t.Errorf("map %v with the identity: got %v", e, got)
		}
		if got := fold.MapLeft(e, func(s string) string { return s }); got != e {
			t.Errorf("MapLeft of %v with the identity: got %v", e, got)
		}
		got := fold.MapEither(fold.MapEither(e, double), next)
		want := fold.MapEither(e, func(n int) int { return next(double(n)) })
		if got != want {
			t.Errorf("map %v twice: got %v, want %v as from one map of both functions", e, got, want)
		}
	}
}

func TestEitherKeepsTheMonadLaws(t *testing.T) {
	for _, f := range eitherSteps {
		for n := range 4 {
			if got, want := fold.ThenEither(fold.Right[string](n), f), f(n); got != want {
				t.Errorf("left identity: then of %d: got %v, want %v", n, got, want)
			}
		}
		for _, e := range eithers {
			if got := fold.ThenEither(e, fold.Right[string, int]); got != e {
				t.Errorf("right identity: then of %v with the constructor: got %v, want it unchanged", e, got)
			}
			for _, g := range eitherSteps {
				got := fold.ThenEither(fold.ThenEither(e, f), g)
				want := fold.ThenEither(e, func(n int) either { return fold.ThenEither(f(n), g) })
				if got != want {
					t.Errorf("associativity: then of %v: got %v, want %v", e, got, want)
				}
			}
		}
	}
}

// eitherCases are Eithers with the expected results of functions and methods.
var eitherCases = []struct {
	either                                                       either
	text, mapped, mappedLeft, then, filtered, otherwise, matched string
	left                                                         fold.Maybe[string]
	right                                                        fold.Maybe[int]
	attempt                                                      fold.Attempt[int]
	getOr                                                        int
}{
	{
		either: either{}, text: "Left()",
		mapped: "L0", mappedLeft: "L!0", then: "L0", filtered: "L0", otherwise: "R0", matched: "left ",
		left: fold.Just(""), attempt: fold.Fail[int](errLeft), getOr: 9,
	},
	{
		either: fold.Left[int]("xy"), text: "Left(xy)",
		mapped: "Lxy0", mappedLeft: "Lxy!0", then: "Lxy0", filtered: "Lxy0", otherwise: "R2", matched: "left xy",
		left: fold.Just("xy"), attempt: fold.Fail[int](errLeft), getOr: 9,
	},
	{
		either: fold.Right[string](4), text: "Right(4)",
		mapped: "R5", mappedLeft: "R4", then: "R2", filtered: "L4 is even0", otherwise: "R4", matched: "right 4",
		right: fold.Just(4), attempt: fold.Succeed(4), getOr: 4,
	},
	{
		either: fold.Right[string](5), text: "Right(5)",
		mapped: "R6", mappedLeft: "R5", then: "Lodd0", filtered: "R5", otherwise: "R5", matched: "right 5",
		right: fold.Just(5), attempt: fold.Succeed(5), getOr: 5,
	},
}

var errLeft = errors.New("left")

func TestEitherChanges(t *testing.T) {
	odd := func(n int) bool { return n%2 != 0 }
	even := func(n int) string { return strconv.Itoa(n) + " is even" }
	for _, test := range eitherCases {
		e := test.either
		for _, check := range []struct {
			what, want string
			got        either
		}{
			{"MapEither", test.mapped, fold.MapEither(e, func(n int) int { return n + 1 })},
			{"MapLeft", test.mappedLeft, fold.MapLeft(e, func(s string) string { return s + "!" })},
			{"ThenEither", test.then, fold.ThenEither(e, eitherSteps[2])},
			{"Filter", test.filtered, e.Filter(odd, even)},
			{"Otherwise", test.otherwise, e.Otherwise(func(s string) either { return fold.Right[string](len(s)) })},
		} {
			if got := eitherModel(check.got); got != check.want {
				t.Errorf("%s of %v: got %q, want %q", check.what, e, got, check.want)
			}
		}
	}
}

func TestEitherConversions(t *testing.T) {
	for _, test := range eitherCases {
		e := test.either
		if got := fold.MatchEither(e,
			func(s string) string { return "left " + s },
			func(n int) string { return "right " + strconv.Itoa(n) },
		); got != test.matched {
			t.Errorf("MatchEither of %v: got %q, want %q", e, got, test.matched)
		}
		if got := e.Left(); got != test.left {
			t.Errorf("Left of %v: got %v, want %v", e, got, test.left)
		}
		if got := e.Right(); got != test.right {
			t.Errorf("Right of %v: got %v, want %v", e, got, test.right)
		}
		if got := e.Attempt(func(string) error { return errLeft }); got != test.attempt {
			t.Errorf("Attempt of %v: got %v, want %v", e, got, test.attempt)
		}
		if got := e.GetOr(9); got != test.getOr {
			t.Errorf("GetOr of %v: got %d, want %d", e, got, test.getOr)
		}
		if got := e.String(); got != test.text {
			t.Errorf("String: got %q, want %q", got, test.text)
		}
	}
}
