package operators_test

import (
	"context"
	"maps"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
)

// neverBefore never emits for values below last, and twice for it.
func neverBefore(last int) func(int) stream.Observable[int] {
	return func(n int) stream.Observable[int] {
		if n < last {
			return stream.Never[int]()
		}
		return twice(n)
	}
}

func init() {
	maps.Copy(contracts, map[string]func(*testing.T){
		"SwitchMap": func(t *testing.T) {
			t.Run("one", func(t *testing.T) {
				streamtest.CheckOperator(t, operators.SwitchMap(twice), []int{1}, []int{1, 1},
					streamtest.LosesOnFailure(), streamtest.ReadAhead(1))
			})
			t.Run("left", func(t *testing.T) {
				streamtest.CheckOperator(t, operators.SwitchMap(neverBefore(3)), []int{1, 2, 3}, []int{3, 3},
					streamtest.LosesOnFailure(), streamtest.ReadAhead(1))
			})
			t.Run("waiting", func(t *testing.T) {
				later := func(n int) stream.Observable[int] { return after(1500*time.Millisecond, n, n) }
				streamtest.CheckOperator(t, operators.SwitchMap(later), []int{1, 2, 3}, []int{3, 3},
					streamtest.LosesOnFailure(), streamtest.ReadAhead(1))
			})
		},
		"Switch": func(t *testing.T) {
			sources := []stream.Observable[int]{stream.Never[int](), stream.Just(1, 2, 3)}
			streamtest.CheckOperator(t, operators.Switch[int](), sources, []int{1, 2, 3},
				streamtest.LosesOnFailure(), streamtest.ReadAhead(1))
		},
		"ExhaustMap": func(t *testing.T) {
			slow := func(n int) stream.Observable[int] { return after(time.Minute, n, n) }
			streamtest.CheckOperator(t, operators.ExhaustMap(slow), []int{1, 2, 3}, []int{1, 1},
				streamtest.LosesOnFailure(), streamtest.ReadAhead(-1))
		},
		"Expand": func(t *testing.T) {
			down := func(n int) stream.Observable[int] { return stream.Range(0, n) }
			t.Run("tree", func(t *testing.T) {
				streamtest.CheckOperator(t, operators.Expand(down), []int{2, 0, 1}, []int{2, 0, 1, 0, 0, 1, 0})
			})
			t.Run("failure", func(t *testing.T) {
				streamtest.Check(t, operators.Expand(func(n int) stream.Observable[int] {
					if n == 1 {
						return stream.Throw[int](errBroken)
					}
					return down(n)
				})(stream.Just(2, 7)), []int{2, 0, 1}, streamtest.Fails(errBroken))
			})
		},
	})
}

// paced emits n, n+1, n+2, one after each of the pauses.
func paced(n int, pauses ...time.Duration) stream.Observable[int] {
	var steps []stream.Observable[int]
	for i, pause := range pauses {
		steps = append(steps, after(pause, n+i))
	}
	return concat(steps...)
}

func TestSwitchMapLeavesForTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ticks := func(n int) stream.Observable[int] { // 10n, 10n+1, 10n+2, one a second
			return paced(10*n, time.Second, time.Second, time.Second)
		}
		source := paced(1, 0, 2500*time.Millisecond, 500*time.Millisecond)
		wantRun(t, operators.SwitchMap(ticks)(source), nil, 10, 11, 30, 31, 32)
	})
}

// What waits for a slow consumer when the switch comes is dropped.
func TestSwitchMapDropsWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		many := func(n int) stream.Observable[int] { return stream.Range(100*n, 50) }
		source := paced(1, 0, time.Second)
		var got []int
		err := operators.SwitchMap(many)(source).ForEach(t.Context(), func(n int) {
			if got = append(got, n); n == 102 {
				time.Sleep(2 * time.Second) // the switch happens meanwhile
			}
		})
		if err != nil || len(got) != 53 || got[2] != 102 || got[3] != 200 {
			t.Errorf("switch while yield runs: got %v and the error %v, want 53 values with 200 behind 102", got, err)
		}
	})
}

func TestSwitchMapRunsOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running atomic.Int64
		slowToEnd := func(n int) stream.Observable[int] {
			return func(ctx context.Context, yield func(int) bool) error {
				if running.Add(1) > 1 {
					t.Error("two at a time")
				}
				defer running.Add(-1)
				if n == 20 {
					yield(n)
					return nil
				}
				<-ctx.Done()
				time.Sleep(time.Second)
				yield(-n) // too late
				return errBroken
			}
		}
		wantRun(t, operators.SwitchMap(slowToEnd)(stream.Range(1, 20)), nil, 20)
	})
}

func TestSwitchMapFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failing := func(n int) stream.Observable[int] {
			return concat(after(time.Second, n), after[int](time.Second), stream.Throw[int](errBroken))
		}
		wantRun(t, operators.SwitchMap(failing)(concat(stream.Just(1), stream.Never[int]())), errBroken, 1)
		wantRun(t, operators.SwitchMap(failing)(concat(stream.Just(1), after[int](1500*time.Millisecond), stream.Throw[int](errOdd))), errOdd, 1)
		// What has been left may not fail any more.
		wantRun(t, operators.SwitchMap(failing)(paced(1, 0, 1500*time.Millisecond)), errBroken, 1, 2)
		wantRun(t, operators.Take[int](1)(operators.SwitchMap(failing)(stream.Just(1))), nil, 1)
	})
}

func TestSwitchMapHandsPanicsOn(t *testing.T) {
	for name, project := range map[string]func(int) stream.Observable[int]{
		"of project": func(n int) stream.Observable[int] { panic(errBroken) },
		"of what was left": func(n int) stream.Observable[int] {
			return func(ctx context.Context, _ func(int) bool) error { <-ctx.Done(); panic(errBroken) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				wantPanic(t, errBroken, func() { _ = operators.SwitchMap(project)(stream.Just(1, 2)).Run(t.Context()) })
			})
		})
	}
}

// wantPanic fails the test unless f panics with value, be it from another goroutine.
func wantPanic(t *testing.T, value any, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		got := recover()
		if p, ok := got.(*stream.PanicError); ok {
			got = p.Value
		}
		if got != value {
			t.Errorf("panicked with %v, want %v", got, value)
		}
	}()
	f()
}

func TestExhaustMapIgnoresWhatComesMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func(n int) stream.Observable[int] { return after(2500*time.Millisecond, n, n) }
		source := operators.Take[int](7)(stream.Interval(time.Second))
		wantRun(t, operators.ExhaustMap(slow)(source), nil, 0, 0, 3, 3, 6, 6)
	})
}

// An observable whose values wait for the consumer keeps its place.
func TestExhaustMapKeepsNoMoreThanOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []int
		source := operators.Take[int](12)(stream.Interval(time.Second))
		err := operators.ExhaustMap(twice)(source).ForEach(t.Context(), func(n int) {
			got = append(got, n)
			time.Sleep(1700 * time.Millisecond)
		})
		// The first value is taken at one second; its place is free when the second one
		// has been taken and yield is back, 3.4 seconds later.
		if err != nil || len(got) != 6 || got[2] != 4 || got[4] != 8 {
			t.Errorf("values that come while others run: got %v and the error %v, want 6 values, 4 the third and 8 the fifth", got, err)
		}
	})
}

func TestExhaustMapFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failing := func(n int) stream.Observable[int] {
			return concat(after(time.Second, n), stream.Throw[int](errBroken))
		}
		wantRun(t, operators.ExhaustMap(failing)(stream.Just(1, 2)), errBroken, 1)
		wantRun(t, operators.ExhaustMap(twice)(concat(stream.Just(1), after[int](1), stream.Throw[int](errOdd))), errOdd, 1, 1)
	})
}

func TestExpandEndsWhereItIsLeft(t *testing.T) {
	successors := operators.Expand(func(n int) stream.Observable[int] { return stream.Just(n + 1) })
	wantRun(t, operators.Take[int](5)(successors(stream.Just(1, 100))), nil, 1, 2, 3, 4, 5)
}
