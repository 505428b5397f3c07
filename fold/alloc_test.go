package fold_test

import (
	"io"
	"testing"

	"github.com/rxipc/rxipc/fold"
)

// The results of the measured operations, so that the compiler does not remove the operations.
var (
	keptInt     int
	keptMaybe   fold.Maybe[int]
	keptEither  fold.Either[string, int]
	keptAttempt fold.Attempt[int]
	keptBool    bool
)

func TestFoldAllocatesNothing(t *testing.T) {
	double := func(n int) int { return n * 2 }
	positive := func(n int) bool { return n > 0 }
	same := func(err error) error { return err }
	numbers := []int{1, 2, 3, 4, 5}
	sum := fold.Sum[int]()
	lowest := fold.Both(fold.Min[int](), fold.First[int]())
	pairs := []fold.Pair[int, fold.Maybe[int]]{fold.PairOf(1, fold.Just(1)), fold.PairOf(2, fold.Nothing[int]())}

	for name, f := range map[string]func(){
		"Slice":          func() { keptInt = fold.Slice(sum, numbers) },
		"Slice of pairs": func() { keptInt = fold.Slice(lowest, pairs).First },
		"Maybe": func() {
			for _, m := range maybes {
				keptMaybe = fold.ThenMaybe(fold.MapMaybe(m, double), maybeSteps[2]).
					Filter(positive).
					Otherwise(fold.Nothing[int])
				keptInt, keptBool = keptMaybe.Get()
				keptInt = fold.MatchMaybe(m, double, sum.Identity)
				for n := range m.All() {
					keptInt = n
				}
			}
		},
		"Either": func() {
			for _, e := range eithers {
				keptEither = fold.ThenEither(fold.MapEither(e, double), fold.Right[string, int]).
					Filter(positive, func(int) string { return "not positive" }).
					Otherwise(fold.Left[int, string])
				_, keptInt, keptBool = keptEither.Get()
				keptInt = fold.MatchEither(e, func(s string) int { return len(s) }, double)
			}
		},
		"Attempt": func() {
			for _, a := range attempts {
				keptAttempt = fold.Then(fold.Map(a, double), attemptSteps[2]).
					Filter(positive, func(int) error { return io.EOF }).
					Recover(fold.Fail[int]).
					MapError(same)
				keptInt, _ = keptAttempt.Get()
				keptInt = fold.Match(a, double, func(error) int { return 0 })
				keptAttempt = fold.Chain9(a, attemptSteps[3], attemptSteps[3], attemptSteps[3], attemptSteps[3],
					attemptSteps[3], attemptSteps[3], attemptSteps[3], attemptSteps[3], attemptSteps[3])
			}
		},
		"conversions": func() {
			for _, a := range attempts {
				keptAttempt = a.Either().Attempt(same)
				keptEither = fold.RightOr(keptAttempt.Maybe(), "none")
				keptAttempt = keptEither.Right().Attempt(io.EOF)
				keptMaybe = fold.FromPointer(&keptInt)
			}
		},
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: got %v allocations, want 0", name, n)
		}
	}
}
