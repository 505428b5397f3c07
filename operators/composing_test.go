package operators_test

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// wantRefused fails the test unless compose panics with a text that begins with the
// operator's name.
func wantRefused(t *testing.T, operator string, compose func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if got := fmt.Sprint(recover()); !strings.HasPrefix(got, "operators: "+operator+" with a") {
			t.Errorf("composing %s of nil panicked with %q, want its name", operator, got)
		}
	}()
	compose()
}

func TestNilFunctionsAreRefusedWhenComposed(t *testing.T) {
	var none stream.Observable[int]
	var noContext context.Context
	var combine func(int, int) int
	var project func(int) stream.Observable[int]
	var match func(int) bool
	one := stream.Just(1)
	for operator, compose := range map[string]func(){
		"Map":                func() { operators.Map[int, int](nil) },
		"MapSkipErr":         func() { operators.MapSkipErr[int, int](nil, nil) },
		"FilterMap":          func() { operators.FilterMap[int, int](nil) },
		"BufferUntilChanged": func() { operators.BufferUntilChanged[int, int](nil, 1) },
		"MaxWeight":          func() { operators.MaxWeight[int](1, nil) },
		"BufferTimeOrCount":  func() { operators.BufferTimeOrCount[int](1, 1, nil) },
		"Filter":             func() { operators.Filter(match) },
		"ScanFrom":           func() { operators.ScanFrom[int, int](nil, add) },
		"Reduce":             func() { operators.Reduce(from(0), combine) },
		"Scan":               func() { operators.Scan[int](nil) },
		"FoldSliding":        func() { operators.FoldSliding[int](3, nil) },
		"FoldParallelFunc":   func() { operators.FoldParallelFunc[int](1, fold.Sum[int](), nil) },
		"MergeMap":           func() { operators.MergeMap(project) },
		"ConcatMap":          func() { operators.ConcatMap(project) },
		"SwitchMap":          func() { operators.SwitchMap(project) },
		"MapParallel":        func() { operators.MapParallel[int, int](1, nil) },
		"GroupBy":            func() { operators.GroupBy[int, int](nil) },
		"Catch":              func() { operators.Catch[int](nil) },
		"Finally":            func() { operators.Finally[int](nil) },
		"TakeUntil":          func() { operators.TakeUntil[int](none) },
		"TakeUntilDone":      func() { operators.TakeUntilDone[int](noContext) },
		"WithLatestFrom":     func() { operators.WithLatestFrom(none, add) },
		"Zip":                func() { operators.Zip(one, none, add) },
		"Merge":              func() { operators.Merge(one, none) },
		"Race":               func() { operators.Race(none, one) },
		"Concat":             func() { operators.Concat(one, none) },
		"ForkJoin":           func() { operators.ForkJoin(none) },
		"SequenceEqual":      func() { operators.SequenceEqual(none, one) },
		"Multicast":          func() { operators.Multicast(none, func() *stream.Subject[int] { return new(stream.Subject[int]) }) },
	} {
		wantRefused(t, operator, compose)
	}
	for _, operator := range []string{"ConcatMap", "SwitchMap", "MergeMap", "ExhaustMap", "Expand"} {
		nothing := func(int) stream.Observable[int] { return nil }
		wantRefused(t, operator, func() {
			over := map[string]stream.Operator[int, int]{
				"ConcatMap": operators.ConcatMap(nothing), "Expand": operators.Expand(nothing),
				"SwitchMap": operators.SwitchMap(nothing), "MergeMap": operators.MergeMap(nothing), "ExhaustMap": operators.ExhaustMap(nothing),
			}[operator]
			defer func() { panic(unwrapped(recover())) }()
			_ = over(one).Run(t.Context())
		})
	}
}

// unwrapped is what was panicked with on the goroutine where that happened.
func unwrapped(thrown any) any {
	if p, ok := thrown.(*stream.PanicError); ok {
		return p.Value
	}
	return thrown
}

// Every operator over one source refuses to be given none, under its own name.
func TestNilSourcesAreRefusedWhenComposed(t *testing.T) {
	for operator, over := range map[string]stream.Operator[int, int]{
		"Take": operators.Take[int](1), "First": operators.First[int](), "Last": operators.Last[int](),
		"Count": operators.Count[int](), "Sum": operators.Sum[int](), "Min": operators.Min[int](), "Max": operators.Max[int](),
		"Distinct": operators.Distinct[int](1), "DistinctUntilChanged": operators.DistinctUntilChanged[int](),
		"ElementAt": operators.ElementAt[int](0), "Single": operators.Single[int](), "Skip": operators.Skip[int](1),
		"DefaultIfEmpty": operators.DefaultIfEmpty(1), "ThrowIfEmpty": operators.ThrowIfEmpty[int](nil),
		"OnErrorReturn": operators.OnErrorReturn(func(error) int { return 1 }), "Retry": operators.Retry[int](operators.RetryPolicy{}),
		"ObserveOn": operators.ObserveOn[int](1), "CountDrops": operators.CountDrops[int](new(stream.Drops)), "OnBackpressureDrop": operators.OnBackpressureDrop[int](1),
		"OnBackpressureLatest": operators.OnBackpressureLatest[int](), "Share": operators.Share[int](),
		"ShareReplay": operators.ShareReplay[int](1, 0), "Debounce": operators.Debounce[int](1), "Delay": operators.Delay[int](1, 1),
		"ThrottleLatest": operators.ThrottleLatest[int](1), "TimeoutFirst": operators.TimeoutFirst[int](1),
		"RateLimit": operators.RateLimit[int](1, 1), "Timeout": operators.Timeout[int](1), "Named": operators.Named[int]("n"),
		"StartWith": operators.StartWith(1), "EndWith": operators.EndWith(1), "Tap": operators.Tap(func(int) {}),
		"FoldParallel": operators.FoldParallel(1, fold.Sum[int]()), "IgnoreElements": operators.IgnoreElements[int](),
		"TakeUntilDone": operators.TakeUntilDone[int](context.Background()),
	} {
		wantRefused(t, operator, func() { over(nil) })
	}
	wantRefused(t, "WindowCount", func() { operators.WindowCount[int](1)(nil) })
	wantRefused(t, "BufferCount", func() { operators.BufferCount[int](1)(nil) })
	wantRefused(t, "Contains", func() { operators.Contains(1)(nil) })
	wantRefused(t, "Flatten", func() { operators.Flatten[int]()(nil) })
	wantRefused(t, "Switch", func() { operators.Switch[int]()(nil) })
	wantRefused(t, "Timestamp", func() { operators.Timestamp[int]()(nil) })
}

func TestRetryRefusesAJitterOfNaN(t *testing.T) {
	wantRefused(t, "Retry", func() { operators.Retry[int](operators.RetryPolicy{Jitter: math.NaN()}) })
}

// RateLimit holds the times of a period, not of a limit that is never reached.
func TestRateLimitForgetsWhatIsOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ticks := operators.Take[int](200_000)(stream.Interval(time.Second))
		limited := operators.RateLimit[int](math.MaxInt, 10*time.Second)(ticks)
		if used := allocatedBy(func() { _ = limited.Run(t.Context()) }); used > 1<<20 {
			t.Errorf("RateLimit allocated %d bytes for values of which ten come in a period", used)
		}
	})
}

// A list that is walked with Expand takes the stack of its first levels.
func TestExpandOfALongList(t *testing.T) {
	deepest := 0
	var frames [4096]uintptr
	pages := operators.Expand(func(page int) stream.Observable[int] {
		if page == 5000 {
			return stream.Empty[int]()
		}
		return stream.Just(page + 1)
	})
	n := 0
	err := pages(stream.Just(1)).ForEach(t.Context(), func(page int) {
		if n++; page != n {
			t.Fatalf("got page %d at place %d", page, n)
		}
		deepest = max(deepest, callers(frames[:]))
	})
	if err != nil || n != 5000 || deepest > 1000 {
		t.Errorf("Expand over 5000 pages: %d came, %v; the stack was %d calls deep, want less than 1000", n, err, deepest)
	}
}

// Deep trees are walked in the same order as shallow ones, and fail at the same place.
func TestExpandOfADeepTree(t *testing.T) {
	project := func(broken int) func(int) stream.Observable[int] {
		return func(n int) stream.Observable[int] {
			switch {
			case n == broken:
				return concat(stream.Just(-7000), stream.Throw[int](errBroken)) // whose last child comes before
			case n == -7000:
				return stream.Just(-7001)
			case n <= 0 || n > 100:
				return stream.Empty[int]()
			default:
				return stream.Just(-n, n+1, -1000-n)
			}
		}
	}
	var want []int
	var walk func(n, broken int) bool
	walk = func(n, broken int) bool {
		want = append(want, n)
		switch {
		case n == broken:
			want = append(want, -7000, -7001)
			return false
		case n <= 0 || n > 100:
			return true
		}
		return walk(-n, broken) && walk(n+1, broken) && walk(-1000-n, broken)
	}
	for _, broken := range []int{-5000, 3, 80, 100} {
		want = nil
		var wantErr error
		if !walk(1, broken) {
			wantErr = errBroken
		}
		wantRun(t, operators.Expand(project(broken))(stream.Just(1)), wantErr, want...)
		if len(want) > 150 {
			wantRun(t, operators.Take[int](150)(operators.Expand(project(broken))(stream.Just(1))), nil, want[:150]...)
		}
	}
}

// The group of a NaN, whose key cannot be found again, is forgotten when it ends.
func TestGroupByForgetsGroupsOfNaN(t *testing.T) {
	const values = 50_000
	held := func() uint64 {
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	var before, after uint64
	nan := func(int) float64 { return math.NaN() }
	source := func(ctx context.Context, yield func(int) bool) error {
		before = held()
		err := stream.Range(0, values)(ctx, yield)
		after = held()
		return err
	}
	groups := 0
	err := operators.GroupBy(nan, operators.GroupCount(1))(source).ForEach(t.Context(), func(operators.Group[float64, int]) { groups++ })
	if err != nil || groups != values {
		t.Errorf("GroupBy of NaN opened %d groups for %d values, %v", groups, values, err)
	}
	if after > before+values*16 {
		t.Errorf("GroupBy holds %d bytes of %d groups that have ended", after-before, values)
	}
}
