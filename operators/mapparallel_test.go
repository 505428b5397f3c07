package operators_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
)

func init() {
	maps.Copy(contracts, map[string]func(*testing.T){
		"MapParallel": func(t *testing.T) {
			tripled := func(_ context.Context, n int) (int, error) { return triple(n), nil }
			halved := func(_ context.Context, n int) (int, error) { return half(n) }
			for _, limit := range []int{1, 2, 8} {
				t.Run("ordered", func(t *testing.T) {
					streamtest.CheckOperator(t, operators.MapParallel(limit, tripled),
						[]int{1, 2, 3, 4, 5}, []int{3, 6, 9, 12, 15}, streamtest.ReadAhead(2*limit))
				})
				t.Run("unordered", func(t *testing.T) {
					streamtest.CheckOperator(t, operators.MapParallel(limit, tripled, operators.Unordered),
						[]int{1, 2, 3, 4, 5}, []int{3, 6, 9, 12, 15}, streamtest.Unordered(), streamtest.ReadAhead(2*limit))
				})
				t.Run("failure", func(t *testing.T) {
					streamtest.Check(t, operators.MapParallel(limit, halved)(stream.Just(2, 4, 5, 6)),
						[]int{1, 2}, streamtest.Fails(errOdd))
				})
			}
			t.Run("slow", func(t *testing.T) {
				slow := func(ctx context.Context, n int) (int, error) { return n, sleep(ctx, time.Duration(7-n)*time.Second) }
				streamtest.CheckOperator(t, operators.MapParallel(3, slow),
					[]int{1, 2, 3, 4, 5}, []int{1, 2, 3, 4, 5}, streamtest.ReadAhead(6))
			})
		},
	})
}

// gauge counts what is in something at the same time.
type gauge struct{ now, most atomic.Int64 }

// enter counts one more until what it returns is called.
func (g *gauge) enter() (leave func()) {
	now := g.now.Add(1)
	for most := g.most.Load(); now > most && !g.most.CompareAndSwap(most, now); most = g.most.Load() {
	}
	return func() { g.now.Add(-1) }
}

// sleep waits, or for the end of ctx.
func sleep(ctx context.Context, d time.Duration) error { return stream.Timer(d).Run(ctx) }

func TestMapParallelKeepsOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slowFirst := func(ctx context.Context, n int) (int, error) { return n, sleep(ctx, time.Duration(10-n)*time.Second) }
		begin := time.Now()
		wantRun(t, operators.MapParallel(10, slowFirst)(stream.Range(0, 10)), nil, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
		if took := time.Since(begin); took != 10*time.Second {
			t.Errorf("it took %v", took)
		}
		wantRun(t, operators.MapParallel(10, slowFirst, operators.Unordered)(stream.Range(0, 10)), nil, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
	})
}

func TestMapParallelLimits(t *testing.T) {
	for _, limit := range []int{0, 1, 3} {
		synctest.Test(t, func(t *testing.T) {
			want := limit
			if limit == 0 {
				want = runtime.GOMAXPROCS(0)
			}
			var working gauge
			var read atomic.Int64
			work := func(ctx context.Context, n int) (int, error) {
				defer working.enter()()
				return n, sleep(ctx, time.Second)
			}
			source := operators.Tap(func(int) { read.Add(1) })(stream.Range(0, 100))
			taken := int64(0)
			err := operators.MapParallel(limit, work)(source).ForEach(t.Context(), func(n int) {
				if n != int(taken) {
					t.Errorf("result number %d: got %d, want them in order", taken, n)
				}
				time.Sleep(10 * time.Second)
				// One more of the source's is waiting.
				if ahead := read.Load() - taken; ahead > int64(2*want+1) {
					t.Errorf("%d are read", ahead)
				}
				taken++
			})
			if most := working.most.Load(); err != nil || taken != 100 || most != int64(min(want, 100)) {
				t.Errorf("MapParallel(%d): %d worked at a time, want %d; %d results came, want 100; %v", limit, most, want, taken, err)
			}
		})
	}
}

func TestMapParallelFailsInItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// The second fails at once, the first is ready in an hour.
		work := func(ctx context.Context, n int) (int, error) {
			if n == 2 {
				return 0, errBroken
			}
			return n, sleep(ctx, time.Hour)
		}
		wantRun(t, operators.MapParallel(4, work)(stream.Just(1, 2, 3)), errBroken, 1)
		wantRun(t, operators.MapParallel(4, work, operators.Unordered)(stream.Just(1, 2, 3)), errBroken)
		// A failure of the source comes after what was read of it.
		wantRun(t, operators.MapParallel(4, work)(concat(stream.Just(1, 3), stream.Throw[int](errOdd))), errOdd, 1, 3)
		wantRun(t, operators.MapParallel(4, work)(concat(stream.Just(1, 2), stream.Throw[int](errOdd))), errBroken, 1)
	})
}

func TestMapParallelSkips(t *testing.T) {
	halves := func(_ context.Context, n int) (int, error) {
		if n%2 != 0 {
			return 7, fmt.Errorf("%d is odd: %w", n, stream.ErrSkip)
		}
		return n / 2, nil
	}
	for name, options := range map[string][]operators.ParallelOption{"ordered": nil, "unordered": {operators.Unordered}} {
		t.Run(name, func(t *testing.T) {
			checks := []streamtest.Option{streamtest.ReadAhead(5), streamtest.LosesOnFailure()}
			if options != nil {
				checks = append(checks, streamtest.Unordered())
			}
			streamtest.CheckOperator(t, operators.MapParallel(2, halves, options...), []int{1, 2, 3, 4, 6}, []int{1, 2, 3}, checks...)
			// A value that was skipped leaves its place to others.
			if n, err := operators.Count[int]()(operators.MapParallel(1, halves, options...)(stream.Range(0, 100))).Last(t.Context()).Get(); n != 50 || err != nil {
				t.Errorf("100 values, of which each other is skipped: got %d and %v, want 50", n, err)
			}
			none := operators.MapParallel(2, halves, options...)
			wantRun(t, none(stream.Just(1, 3, 5)), nil)
			wantRun(t, none(concat(stream.Just(1), stream.Throw[int](errBroken))), errBroken)
		})
	}
}

func TestMapErrSkips(t *testing.T) {
	op := operators.MapErr(func(n int) (int, error) {
		if n%2 != 0 {
			return 7, fmt.Errorf("%d is odd: %w", n, stream.ErrSkip)
		}
		return n / 2, nil
	})
	streamtest.CheckOperator(t, op, []int{1, 2, 3, 4, 6}, []int{1, 2, 3})
	wantRun(t, op(stream.Just(1, 3, 5)), nil)
}

func TestMapParallelLeavesGOMAXPROCSAsItIs(t *testing.T) {
	before := runtime.GOMAXPROCS(3)
	defer runtime.GOMAXPROCS(before)
	wantRun(t, operators.MapParallel(0, doubled)(stream.Just(1)), nil, 2)
	if got := runtime.GOMAXPROCS(0); got != 3 {
		t.Errorf("after MapParallel with a limit of zero GOMAXPROCS is %d, want the 3 that it was", got)
	}
}

func TestMapParallelCancelsItsWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(errOdd) })
		var cancelled atomic.Int64
		stuck := func(ctx context.Context, n int) (int, error) {
			<-ctx.Done()
			cancelled.Add(1)
			return 0, errBroken
		}
		err := operators.MapParallel(3, stuck)(stream.Range(0, 9)).Run(ctx)
		if !errors.Is(err, errOdd) || cancelled.Load() != 3 {
			t.Errorf("%d cancelled, %v", cancelled.Load(), err)
		}
		quick := func(ctx context.Context, n int) (int, error) {
			if n == 0 {
				return n, nil
			}
			return stuck(ctx, n)
		}
		wantRun(t, operators.Take[int](1)(operators.MapParallel(3, quick)(stream.Range(0, 9))), nil, 0)
	})
}

func TestMapParallelHandsPanicsOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		panicking := func(context.Context, int) (int, error) { panic(errBroken) }
		wantPanic(t, errBroken, func() {
			_ = operators.MapParallel(2, panicking)(concat(stream.Range(0, 9), stream.Never[int]())).Run(t.Context())
		})
	})
}

func TestMapParallelGoesThroughMany(t *testing.T) {
	ctx := t.Context()
	same := func(_ context.Context, n int) (int, error) { return n, nil }
	want := slices.Collect(func(yield func(int) bool) { _ = stream.Range(0, 10_000)(ctx, yield) })
	wantRun(t, operators.MapParallel(4, same)(stream.Range(0, 10_000)), nil, want...)
}
