package fold_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strconv"
	"testing"

	"github.com/rxipc/rxipc/fold"
)

type attempt = fold.Attempt[int]

var attempts = []attempt{{}, fold.Succeed(0), fold.Succeed(1), fold.Succeed(2), fold.Fail[int](io.EOF), fold.Fail[int](nil)}

var attemptSteps = []func(int) attempt{
	fold.Succeed[int],
	func(int) attempt { return fold.Fail[int](io.ErrUnexpectedEOF) },
	func(n int) attempt { return fold.MaybeOf(n/2, n%2 == 0).Attempt(io.ErrNoProgress) },
	func(n int) attempt { return fold.Succeed(n + 1) },
}

func TestAttemptKeepsTheFunctorLaws(t *testing.T) {
	same := func(n int) int { return n }
	double := func(n int) int { return n * 2 }
	next := func(n int) int { return n + 1 }
	for _, a := range attempts {
		if got := fold.Map(a, same); got != a {
			t.Errorf("map %v with the identity: got %v", a, got)
		}
		got := fold.Map(fold.Map(a, double), next)
		want := fold.Map(a, func(n int) int { return next(double(n)) })
		if got != want {
			t.Errorf("map %v twice: got %v, want %v as from one map of both functions", a, got, want)
		}
	}
}

func TestAttemptKeepsTheMonadLaws(t *testing.T) {
	for _, f := range attemptSteps {
		for n := range 4 {
			if got, want := fold.Then(fold.Succeed(n), f), f(n); got != want {
				t.Errorf("left identity: then of %d: got %v, want %v", n, got, want)
			}
		}
		for _, a := range attempts {
			if got := fold.Then(a, fold.Succeed[int]); got != a {
				t.Errorf("right identity: then of %v with the constructor: got %v, want it unchanged", a, got)
			}
			for _, g := range attemptSteps {
				got := fold.Then(fold.Then(a, f), g)
				want := fold.Then(a, func(n int) attempt { return fold.Then(f(n), g) })
				if got != want {
					t.Errorf("associativity: then of %v: got %v, want %v", a, got, want)
				}
			}
		}
	}
}

// The model of Then is the plain Go that it stands for.
func TestThenEqualsPlainGo(t *testing.T) {
	plain := func(a attempt, f func(int) attempt) (int, error) {
		value, err := a.Get()
		if err != nil {
			return 0, err
		}
		return f(value).Get()
	}
	for _, a := range attempts {
		for i, f := range attemptSteps {
			wantValue, wantErr := plain(a, f)
			if value, err := fold.Then(a, f).Get(); value != wantValue || err != wantErr {
				t.Errorf("step %d of %v gave %d, %v, want %d, %v", i, a, value, err, wantValue, wantErr)
			}
		}
	}
}

func TestAttemptOfAValueAndOfAnError(t *testing.T) {
	odd := func(n int) bool { return n%2 != 0 }
	even := func(n int) error { return errors.New("even") }
	for _, a := range attempts {
		value, err := a.Get()
		succeeded := err == nil

		if a.Err() != err {
			t.Errorf("Err of %v: got %v, want %v", a, a.Err(), err)
		}
		if got, want := a.Maybe(), fold.MaybeOf(value, succeeded); got != want {
			t.Errorf("Maybe of %v: got %v, want %v", a, got, want)
		}
		if left, right, isRight := a.Either().Get(); left != err || right != value || isRight != succeeded {
			t.Errorf("Either of %v: got %v", a, a.Either())
		}
		if got := a.Either().Attempt(func(err error) error { return err }); got != a {
			t.Errorf("%v became %v by way of Either", a, got)
		}
		if got := fold.Try(value, err); got != a {
			t.Errorf("%v became %v by way of Get and Try", a, got)
		}

		got := a.Filter(odd, even)
		if kept := !succeeded || odd(value); kept != (got == a) || !kept && got.Err().Error() != "even" {
			t.Errorf("Filter of %v: got %v", a, got)
		}

		recovered, orNine := a, value
		if !succeeded {
			recovered, orNine = fold.Succeed(9), 9
		}
		if got := a.Recover(func(error) attempt { return fold.Succeed(9) }); got != recovered {
			t.Errorf("Recover of %v: got %v, want %v", a, got, recovered)
		}
		if got := a.GetOr(9); got != orNine {
			t.Errorf("GetOr of %v: got %d, want %d", a, got, orNine)
		}
		if got := fold.Match(a, strconv.Itoa, error.Error); succeeded != (got == strconv.Itoa(value)) || !succeeded && got != err.Error() {
			t.Errorf("Match of %v: got %q", a, got)
		}
	}
}

func TestAttemptOfAnErrorHoldsNoValue(t *testing.T) {
	if value, err := fold.Try(7, io.EOF).Get(); value != 0 || err != io.EOF {
		t.Errorf("got %d, %v, want 0, %v", value, err, io.EOF)
	}
}

func TestAttemptOfANilErrorIsAFailure(t *testing.T) {
	none := func(error) error { return nil }
	for what, a := range map[string]attempt{
		"Fail":           fold.Fail[int](nil),
		"MapError":       fold.Fail[int](io.EOF).MapError(none),
		"Filter":         fold.Succeed(1).Filter(func(int) bool { return false }, func(int) error { return nil }),
		"Maybe.Attempt":  fold.Nothing[int]().Attempt(nil),
		"Either.Attempt": fold.Left[int](io.EOF).Attempt(none),
	} {
		if !errors.Is(a.Err(), fold.ErrUnexplained) {
			t.Errorf("%s with a nil error gave %v, want a failure with ErrUnexplained", what, a)
		}
	}
}

func TestAttemptPassesErrorsUnchanged(t *testing.T) {
	failed := fold.Try(os.Open("does/not/exist"))
	_, want := failed.Get()

	unwanted := func(int) attempt { t.Error("a step ran after a failure"); return attempt{} }
	size := fold.Then(failed, func(*os.File) attempt { return unwanted(0) })
	for what, got := range map[string]attempt{
		"Then":     size,
		"Map":      fold.Map(failed, func(*os.File) int { unwanted(0); return 0 }),
		"Chain":    fold.Chain9(size, unwanted, unwanted, unwanted, unwanted, unwanted, unwanted, unwanted, unwanted, unwanted),
		"Filter":   size.Filter(func(int) bool { unwanted(0); return false }, func(int) error { return nil }),
		"Recover":  size.Recover(fold.Fail[int]),
		"MapError": size.MapError(func(err error) error { return err }),
	} {
		if got.Err() != want {
			t.Errorf("after %s the error is %v, want %v itself", what, got.Err(), want)
		}
		var path *fs.PathError
		if !errors.Is(got.Err(), fs.ErrNotExist) || !errors.As(got.Err(), &path) {
			t.Errorf("after %s errors.Is or errors.As no longer knows %v", what, got.Err())
		}
	}
}
