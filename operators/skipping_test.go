package operators_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/stages"
)

// halfOrSkip fails for odd numbers with an error that skips them.
func halfOrSkip(n int) (int, error) {
	if n%2 != 0 {
		return 0, fmt.Errorf("%d is odd: %w", n, stream.ErrSkip)
	}
	return n / 2, nil
}

// Each operator that skips a value counts it, by the time at which what follows sees the
// next one.
func TestSkippedValuesAreCounted(t *testing.T) {
	parallel := func(_ context.Context, n int) (int, error) { return halfOrSkip(n) }
	backwards := operators.Map(func(n int) int { return 100 * (n - n%2*5) }) // an odd number is late
	add := func(n int) (int, int) { return 0, n }
	const s = time.Second
	for name, op := range map[string]stream.Operator[int, int]{
		"MapErr":           operators.MapErr(halfOrSkip),
		"MapSkipErr":       operators.MapSkipErr(half, nil),
		"MapParallel":      operators.MapParallel(2, parallel),
		"MapParallelByKey": operators.MapParallelByKey(2, even, parallel, operators.Unordered),
		"FoldEventTime": func(source ints) ints {
			return value(operators.FoldEventTime(ms, 0, clockwise, triple, fold.Sum[int]()))(backwards(source))
		},
		"FoldSessions": func(source ints) ints {
			return anyOf(operators.FoldSessions(ms, clockwise, add, fold.Sum[int]())(backwards(source)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var lost, outer stream.Drops
				var when []int
				counted := operators.CountDrops[int](&outer)(operators.CountDrops[int](&lost)(op(paced(2, s, s, s, s, s, s))))
				err := counted.ForEach(t.Context(), func(int) { when = append(when, lost.Skipped()) })
				if err != nil || len(when) != 3 || when[2] < 2 || lost.Skipped() != 3 || outer.Skipped() != 3 || lost.Total() != 0 {
					t.Errorf("of 6 values, 3 of them bad: %d came, %v, when so many were skipped: %d; in the end %d, by the outer counter %d, and %d dropped; want 3 came, 3 skipped, none dropped",
						len(when), err, when, lost.Skipped(), outer.Skipped(), lost.Total())
				}
			})
		})
	}
}

func TestMapSkipErrTellsOfEachError(t *testing.T) {
	var bad []int
	op := operators.MapSkipErr(half, func(n int, err error) {
		if err != errOdd {
			t.Errorf("the error of %d is %v, want %v", n, err, errOdd)
		}
		bad = append(bad, n)
	})
	wantRun(t, op(concat(stream.Just(1, 2, 3, 4, 5), stream.Throw[int](errBroken))), errBroken, 1, 2)
	if want := []int{1, 3, 5}; !slices.Equal(bad, want) {
		t.Errorf("the values that failed are %v, want %v", bad, want)
	}
}

func TestStagesCountWhatWasSkipped(t *testing.T) {
	parse := operators.Named[int]("parse")(operators.MapSkipErr(half, nil)(stream.Just(1, 3, 4)))
	registry := new(stages.Registry)
	err := parse.ForEach(registry.Follow(t.Context()), func(int) {
		s := registry.Snapshot()
		if len(s) != 1 || s[0].Skipped != 2 || s[0].String() != fmt.Sprintf(
			"parse: 1 values since %s, 2 skipped, waits for what follows", s[0].Started.Format(time.TimeOnly)) {
			t.Errorf("after two bad values: got %v, want 2 skipped", s)
		}
	})
	if err != nil {
		t.Errorf("a run with bad values returned %v, want no error", err)
	}
}
