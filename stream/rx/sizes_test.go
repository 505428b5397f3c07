package rx_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reactivex/rxgo/v2"

	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/internal/parameters"
	"github.com/rxipc/rxipc/stream/rx"
)

func unchanged(o rxgo.Observable) rxgo.Observable { return o.Map(same) }

// bridged runs 1, 2, 3 through RxGo, for each parameter of type int.
var bridged = map[string]func(size int) stream.Observable[int]{
	"Buffer n": func(n int) stream.Observable[int] {
		return stream.Pipe2(stream.Range(1, 3),
			rx.Through[int, int](unchanged, rx.Buffer(n)),
			rx.ThroughBatches[int, int](4, unchanged, rx.Buffer(n)))
	},
	"ThroughBatches size": func(size int) stream.Observable[int] {
		return rx.ThroughBatches[int, int](size, unchanged)(stream.Range(1, 3))
	},
	"ToRxBatches size": func(size int) stream.Observable[int] {
		return func(ctx context.Context, yield func(int) bool) error {
			return rx.FromRxBatches[int](rx.ToRxBatches(ctx, stream.Range(1, 3), size))(ctx, yield)
		}
	},
}

func TestSizesOfAllKindsWorkAndCostLittle(t *testing.T) {
	for name, source := range bridged {
		for _, size := range []int{math.MinInt, -1, 0, 1, 2, 100, 1 << 20, 1 << 40, math.MaxInt - 1, math.MaxInt} {
			t.Run(fmt.Sprint(name, " ", size), func(t *testing.T) {
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				values, err := source(size).Collect(t.Context())
				runtime.ReadMemStats(&after)
				if !slices.Equal(values, []int{1, 2, 3}) || err != nil {
					t.Errorf("1, 2, 3 through %s of size %d: got %v, %v", name, size, values, err)
				}
				if used := after.TotalAlloc - before.TotalAlloc; used > 1<<18 {
					t.Errorf("%s of size %d took %d bytes for three values, want less than 256 KiB", name, size, used)
				}
			})
		}
	}
}

// The test fails when a new parameter of type int is missing in bridged.
func TestSizesIncludeEveryParameter(t *testing.T) { parameters.WantInts(t, bridged) }

// TestSizesOfALongRunOfBatches sends very many values without a bound. Many values may wait, but
// no slice keeps the memory of more than a few.
func TestSizesOfALongRunOfBatches(t *testing.T) {
	largest, total := 0, 0
	batches := rx.ThroughBatches[int, int](math.MaxInt, func(o rxgo.Observable) rxgo.Observable {
		return o.Map(func(_ context.Context, item any) (any, error) {
			largest = max(largest, len(item.([]int)))
			total += len(item.([]int))
			return item, nil
		})
	})
	if err := batches(stream.Range(0, 1<<17)).Run(t.Context()); err != nil || total != 1<<17 || largest > 1024 {
		t.Errorf("%d values in batches of any size: got %d, at most %d in one, %v; want at most 1024 in one", 1<<17, total, largest, err)
	}
}

// crossings run a source to RxGo, from RxGo, and both.
var crossings = map[string]func(ctx context.Context, source stream.Observable[int]) stream.Observable[int]{
	"Through": func(_ context.Context, source stream.Observable[int]) stream.Observable[int] {
		return rx.Through[int, int](unchanged)(source)
	},
	"Through and Count": func(_ context.Context, source stream.Observable[int]) stream.Observable[int] {
		return rx.Through[int, int](func(o rxgo.Observable) rxgo.Single {
			return o.Count().Map(func(_ context.Context, v any) (any, error) { return int(v.(int64)), nil })
		})(source)
	},
	"ThroughBatches": func(_ context.Context, source stream.Observable[int]) stream.Observable[int] {
		return rx.ThroughBatches[int, int](4, unchanged)(source)
	},
	"ToRx, FromRxFunc": func(_ context.Context, source stream.Observable[int]) stream.Observable[int] {
		return rx.FromRxFunc[int](func(ctx context.Context) rxgo.Observable { return rx.ToRx(ctx, source) })
	},
	"ToRx, FromRx": func(ctx context.Context, source stream.Observable[int]) stream.Observable[int] {
		return rx.FromRx[int](rx.ToRx(ctx, source))
	},
	"ToRxBatches, FromRxBatches": func(ctx context.Context, source stream.Observable[int]) stream.Observable[int] {
		return rx.FromRxBatches[int](rx.ToRxBatches(ctx, source, 4))
	},
	"FromRx of Empty": func(context.Context, stream.Observable[int]) stream.Observable[int] {
		return rx.FromRx[int](rxgo.Empty())
	},
	"FromRxBatches of Empty": func(context.Context, stream.Observable[int]) stream.Observable[int] {
		return rx.FromRxBatches[int](rxgo.Empty())
	},
}

// A run whose context is done fails with the cause, whatever its source does, and emits nothing
// more.
func TestCrossingsFailWithTheCauseOfTheirContext(t *testing.T) {
	quits := func(ctx context.Context, _ func(int) bool) error { <-ctx.Done(); return nil }
	for name, crossing := range crossings {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				done, cancel := context.WithCancelCause(t.Context())
				cancel(errEnough)
				for from, source := range map[string]stream.Observable[int]{"none": stream.Empty[int](), "two": stream.Just(1, 2)} {
					err := crossing(done, source)(done, func(n int) bool { t.Errorf("%s values of a cancelled run: got %d", from, n); return true })
					if err != errEnough {
						t.Errorf("%s values in a cancelled run: got %v, want %v", from, err, errEnough)
					}
				}
			})
			if name == "FromRx of Empty" || name == "FromRxBatches of Empty" {
				return
			}
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errEnough)
				defer cancel()
				err := crossing(ctx, quits)(ctx, func(n int) bool { t.Errorf("a source that ends with its context: got value %d", n); return true })
				if err != errEnough {
					t.Errorf("a source that ends with its context: got %v, want %v", err, errEnough)
				}
				ctx, end := context.WithCancelCause(t.Context())
				got := 0
				err = crossing(ctx, stream.Just(1))(ctx, func(int) bool { got++; end(errEnough); return true })
				if !errors.Is(err, errEnough) || got != 1 {
					t.Errorf("cancelled in the last value: got %v after %d values, want %v after 1", err, got, errEnough)
				}
			})
		})
	}
}
