package operators_test

import (
	"context"
	"math"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// deaf emits 0, 1, 2 … and looks only at what yield returns, not at its context. Long after
// taken is closed it gives up, and says so.
func deaf(taken <-chan struct{}, gaveUp *atomic.Bool) ints {
	return func(_ context.Context, yield func(int) bool) error {
		var since time.Time
		for n := 0; ; n++ {
			if !yield(n) {
				return nil
			}
			select {
			case <-taken:
				switch {
				case since.IsZero():
					since = time.Now()
				case n%1024 == 0 && time.Since(since) > 20*time.Second:
					gaveUp.Store(true)
					return nil
				}
			default:
			}
		}
	}
}

// leavings are operators that are left by yield. What they run may not know it by its
// context.
var leavings = map[string]func(source ints) ints{
	"Audit":                func(s ints) ints { return operators.Audit[int](0)(s) },
	"BufferBoundary":       func(s ints) ints { return lengths(operators.BufferBoundary[int](stream.Never[int](), 2)(s)) },
	"BufferCount":          func(s ints) ints { return lengths(operators.BufferCount[int](2)(s)) },
	"BufferTime":           func(s ints) ints { return lengths(operators.BufferTime[int](time.Hour, 2)(s)) },
	"BufferTimeOrCount":    func(s ints) ints { return lengths(operators.BufferTimeOrCount[int](time.Hour, 2)(s)) },
	"CombineLatest":        func(s ints) ints { return operators.CombineLatest(s, s, add) },
	"CombineLatestAll":     func(s ints) ints { return lengths(operators.CombineLatestAll(s, s)) },
	"Concat":               func(s ints) ints { return operators.Concat(stream.Just(1), s) },
	"ConcatMap":            func(s ints) ints { return operators.ConcatMap(twice)(s) },
	"Debounce":             func(s ints) ints { return operators.Debounce[int](0)(s) },
	"Delay":                func(s ints) ints { return operators.Delay[int](0, 4)(s) },
	"Distinct":             func(s ints) ints { return operators.Distinct[int](4)(s) },
	"DistinctUntilChanged": func(s ints) ints { return operators.DistinctUntilChanged[int]()(s) },
	"ExhaustMap":           func(s ints) ints { return operators.ExhaustMap(twice)(s) },
	"Expand":               func(s ints) ints { return operators.Expand(nothing)(s) },
	"Flatten":              func(s ints) ints { return operators.Flatten[int]()(operators.BufferCount[int](2)(s)) },
	"FoldSliding":          func(s ints) ints { return operators.FoldSliding(2, fold.Sum[int]())(s) },
	"FoldTumbling":         func(s ints) ints { return operators.FoldTumbling(2, fold.Sum[int]())(s) },
	"GroupBy":              func(s ints) ints { return ones(operators.GroupBy(modulo3, operators.GroupCount(1))(s)) },
	"GroupBy, read":        func(s ints) ints { return ungrouped(operators.GroupBy(modulo3)(s)) },
	"GroupBy, idle":        func(s ints) ints { return ungrouped(operators.GroupBy(modulo3, operators.GroupIdle(time.Hour))(s)) },
	"MapErr":               func(s ints) ints { return operators.MapErr(func(n int) (int, error) { return n, nil })(s) },
	"MapParallel":          func(s ints) ints { return operators.MapParallel(2, doubled)(s) },
	"MapParallel, first":   func(s ints) ints { return operators.MapParallel(2, doubled, operators.Unordered)(s) },
	"Materialize":          func(s ints) ints { return anyOf(operators.Materialize[int]()(s)) },
	"Merge":                func(s ints) ints { return operators.Merge(s, s) },
	"MergeMap":             func(s ints) ints { return operators.MergeMap(twice, operators.Limit(2))(s) },
	"MergeMap to it":       func(s ints) ints { return operators.MergeMap(into(s))(stream.Just(1, 2)) },
	"Named":                func(s ints) ints { return operators.Named[int]("deaf")(s) },
	"ObserveOn":            func(s ints) ints { return operators.ObserveOn[int](2)(s) },
	"OnBackpressureDrop":   func(s ints) ints { return operators.OnBackpressureDrop[int](2)(s) },
	"OnBackpressureLatest": func(s ints) ints { return operators.OnBackpressureLatest[int]()(s) },
	"Pairwise":             func(s ints) ints { return anyOf(operators.Pairwise[int]()(s)) },
	"Race":                 func(s ints) ints { return operators.Race(s, stream.Never[int]()) },
	"RateLimit":            func(s ints) ints { return operators.RateLimit[int](1000, time.Hour)(s) },
	"Retry":                func(s ints) ints { return operators.Retry[int](operators.RetryPolicy{Times: -1})(s) },
	"Sample":               func(s ints) ints { return operators.Sample[int](s)(s) },
	"Scan":                 func(s ints) ints { return operators.Scan(fold.Sum[int]())(s) },
	"Share":                func(s ints) ints { return operators.Share[int]()(s) },
	"SkipLast":             func(s ints) ints { return operators.SkipLast[int](2)(s) },
	"SkipUntil":            func(s ints) ints { return operators.SkipUntil[int](stream.Just(1))(s) },
	"SkipWhile":            func(s ints) ints { return operators.SkipWhile(below(3))(s) },
	"TakeUntil":            func(s ints) ints { return operators.TakeUntil[int](stream.Never[int]())(s) },
	"TakeUntilDone":        func(s ints) ints { return operators.TakeUntilDone[int](context.Background())(s) },
	"ThrottleFirst":        func(s ints) ints { return operators.ThrottleFirst[int](0)(s) },
	"Timeout":              func(s ints) ints { return operators.Timeout[int](time.Hour)(s) },
	"Window":               func(s ints) ints { return ungrouped(operators.Window[int](stream.Never[int]())(s)) },
	"Window by it":         func(s ints) ints { return ones(operators.Window[int](s)(stream.Never[int]())) },
	"WindowCount":          func(s ints) ints { return ones(operators.WindowCount[int](2)(s)) },
	"WindowCountEvery":     func(s ints) ints { return ones(operators.WindowCountEvery[int](4, 2)(s)) },
	"WindowCountEvery 9":   func(s ints) ints { return ungrouped(operators.WindowCountEvery[int](math.MaxInt, 9)(s)) },
	"WindowTime":           func(s ints) ints { return ungrouped(operators.WindowTime[int](time.Hour)(s)) },
	"WindowTimeOrCount":    func(s ints) ints { return ones(operators.WindowTimeOrCount[int](time.Hour, 2)(s)) },
	"WithLatestFrom":       func(s ints) ints { return operators.WithLatestFrom(stream.Just(1), add)(s) },
	"Zip":                  func(s ints) ints { return operators.Zip(s, s, add) },
	"ZipAll":               func(s ints) ints { return lengths(operators.ZipAll(s, s)) },
}

func nothing(int) ints { return stream.Empty[int]() }

func TestLeavingStopsASourceThatLooksOnlyAtYield(t *testing.T) {
	for name, over := range leavings {
		t.Run(name, func(t *testing.T) {
			wantLeft(t, name, func(source ints, _ <-chan struct{}) ints { return over(source) })
		})
	}
}

func TestSwitchMapThatIsLeftStopsASourceThatLooksOnlyAtYield(t *testing.T) {
	wantLeft(t, "SwitchMap", func(source ints, taken <-chan struct{}) ints {
		patient := operators.Tap(func(n int) { // the second value would drop what is made of the first
			if n > 0 {
				<-taken
			}
		})
		return operators.SwitchMap(twice)(patient(source))
	})
}

// wantLeft leaves a run at its first value.
func wantLeft(t *testing.T, name string, over func(source ints, taken <-chan struct{}) ints) {
	t.Helper()
	taken := make(chan struct{})
	var gaveUp atomic.Bool
	got := 0
	err := over(deaf(taken, &gaveUp), taken)(t.Context(), func(int) bool {
		if got++; got == 1 {
			close(taken)
		}
		return false
	})
	if err != nil || got != 1 {
		t.Errorf("%s that is left at its first value: it emitted %d of them and returned %v, want 1 and nil", name, got, err)
	}
	if gaveUp.Load() {
		t.Errorf("%s that is left at its first value: nobody stopped its source", name)
	}
}
