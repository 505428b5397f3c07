package operators_test

import (
	"cmp"
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// grudging emits 0, 1, 2 … without end, one a second, and fails when it is stopped, by
// yield or by its context, as a driver does whose connection is closed under it.
func grudging(ctx context.Context, yield func(int) bool) error {
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return errCleanup
		case <-time.After(time.Second):
		}
		if !yield(n) {
			return errCleanup
		}
	}
}

// anyOf makes ints of what is emitted.
func anyOf[T any](source stream.Observable[T]) ints {
	return operators.Map(func(T) int { return 0 })(source)
}

// stops are runs that end a grudging source on purpose: the only one, the other one, or
// the one that lost.
var stops = map[string]func(source ints) ints{
	"Take":                     func(s ints) ints { return operators.Take[int](2)(s) },
	"First":                    func(s ints) ints { return operators.First[int]()(s) },
	"ElementAt":                func(s ints) ints { return operators.ElementAt[int](2)(s) },
	"Find":                     func(s ints) ints { return operators.Find(even)(s) },
	"TakeWhile":                func(s ints) ints { return operators.TakeWhile(below(3))(s) },
	"TakeWhile inclusive":      func(s ints) ints { return operators.TakeWhile(below(3), operators.Inclusive)(s) },
	"All":                      func(s ints) ints { return anyOf(operators.All(below(3))(s)) },
	"Any":                      func(s ints) ints { return anyOf(operators.Any(even)(s)) },
	"Contains":                 func(s ints) ints { return anyOf(operators.Contains(2)(s)) },
	"TakeUntil":                func(s ints) ints { return operators.TakeUntil[int](stream.Timer(3 * time.Second))(s) },
	"TakeUntil of it":          func(s ints) ints { return operators.TakeUntil[int](s)(stream.Never[int]()) },
	"TakeUntil, source first":  func(s ints) ints { return operators.TakeUntil[int](s)(stream.Just(1)) },
	"SkipUntil of it":          func(s ints) ints { return operators.SkipUntil[int](s)(later(5)) },
	"SkipUntil, source first":  func(s ints) ints { return operators.SkipUntil[int](s)(stream.Just(1)) },
	"WithLatestFrom it":        func(s ints) ints { return operators.WithLatestFrom(s, add)(later(5)) },
	"Sample by it":             func(s ints) ints { return operators.Sample[int](s)(later(5)) },
	"Sample of it":             func(s ints) ints { return operators.Take[int](1)(operators.Sample[int](later(5))(s)) },
	"BufferBoundary by it":     func(s ints) ints { return lengths(operators.BufferBoundary[int](s, 4)(later(5))) },
	"Window by it":             func(s ints) ints { return ungrouped(operators.Window[int](s)(later(5))) },
	"Merge, left":              func(s ints) ints { return operators.Take[int](3)(operators.Merge(s, s)) },
	"MergeMap, left":           func(s ints) ints { return operators.Take[int](3)(operators.MergeMap(into(s))(s)) },
	"MergeMap limited, left":   func(s ints) ints { return operators.Take[int](3)(operators.MergeMap(into(s), operators.Limit(1))(s)) },
	"ExhaustMap, left":         func(s ints) ints { return operators.Take[int](3)(operators.ExhaustMap(into(s))(s)) },
	"SwitchMap to the next":    func(s ints) ints { return operators.SwitchMap(switching(s))(later(2, 5)) },
	"SwitchMap, left":          func(s ints) ints { return operators.Take[int](1)(operators.SwitchMap(into(s))(later(1))) },
	"Concat, left":             func(s ints) ints { return operators.Take[int](3)(operators.Concat(stream.Just(1), s)) },
	"ConcatMap, left":          func(s ints) ints { return operators.Take[int](3)(operators.ConcatMap(into(s))(s)) },
	"Expand, left":             func(s ints) ints { return operators.Take[int](3)(operators.Expand(into(s))(s)) },
	"Race, lost":               func(s ints) ints { return operators.Race(s, stream.Just(1)) },
	"Race, lost in the end":    func(s ints) ints { return operators.Race(s, stream.Empty[int]()) },
	"Race, left":               func(s ints) ints { return operators.Take[int](1)(operators.Race(s, stream.Never[int]())) },
	"Zip":                      func(s ints) ints { return operators.Zip(s, stream.Just(1), add) },
	"Zip3":                     func(s ints) ints { return operators.Zip3(s, stream.Just(1), s, add3) },
	"ZipAll":                   func(s ints) ints { return lengths(operators.ZipAll(s, stream.Just(1))) },
	"SequenceEqual":            func(s ints) ints { return anyOf(operators.SequenceEqual(s, stream.Just(7))) },
	"SequenceEqual of a start": func(s ints) ints { return anyOf(operators.SequenceEqual(s, stream.Just(0))) },
	"CombineLatest":            func(s ints) ints { return operators.CombineLatest(s, stream.Empty[int](), add) },
	"CombineLatest3":           func(s ints) ints { return operators.CombineLatest3(s, stream.Empty[int](), s, add3) },
	"CombineLatestAll":         func(s ints) ints { return lengths(operators.CombineLatestAll(s, stream.Empty[int]())) },
	"ForkJoin":                 func(s ints) ints { return lengths(operators.ForkJoin(s, stream.Empty[int]())) },
	"MapParallel, left": func(s ints) ints {
		return operators.Take[int](2)(operators.MapParallel(2, doubled)(s))
	},
	"MapParallelByKey, left": func(s ints) ints {
		return operators.Take[int](2)(operators.MapParallelByKey(2, modulo3, doubled)(s))
	},
	"ConcatMapEager, left":  func(s ints) ints { return operators.Take[int](2)(operators.ConcatMapEager(into(s))(s)) },
	"MergeDelayError, left": func(s ints) ints { return operators.Take[int](2)(operators.MergeDelayError(s, s)) },
	"MergeSorted, left":     func(s ints) ints { return operators.Take[int](2)(operators.MergeSorted(cmp.Compare[int], s, s)) },
	"ZipLongest, left":      func(s ints) ints { return operators.Take[int](2)(operators.ZipLongest(s, s, ofBoth)) },
	"ZipLatest":             func(s ints) ints { return operators.ZipLatest(s, stream.Just(1), add) },
	"GroupBy, left":         func(s ints) ints { return operators.Take[int](2)(ungrouped(operators.GroupBy(modulo3)(s))) },
	"WindowCount, left":     func(s ints) ints { return operators.Take[int](2)(ones(operators.WindowCount[int](2)(s))) },
	"ObserveOn, left":       func(s ints) ints { return operators.Take[int](2)(operators.ObserveOn[int](2)(s)) },
	"Share, left":           func(s ints) ints { return operators.Take[int](2)(operators.Share[int]()(s)) },
	"Timeout, left":         func(s ints) ints { return operators.Take[int](2)(operators.Timeout[int](time.Minute)(s)) },
	"Retry, left":           func(s ints) ints { return operators.Take[int](2)(operators.Retry[int](operators.RetryPolicy{})(s)) },
	"Named, left":           func(s ints) ints { return operators.Take[int](2)(operators.Named[int]("grudging")(s)) },
	"FoldTumbling, left": func(s ints) ints {
		return operators.Take[int](2)(operators.FoldTumbling(2, fold.Sum[int]())(s))
	},
}

func into(source ints) func(int) ints { return func(int) ints { return source } }

// later emits each number when so many seconds have passed, and a half.
func later(seconds ...int) ints {
	return operators.ConcatMap(func(n int) ints {
		at := stream.Timer(time.Duration(n)*time.Second + time.Second/2)
		return operators.Map(func(time.Time) int { return n })(at)
	})(stream.FromSlice(seconds))
}

// switching is the source for the first value, and one value for the others.
func switching(source ints) func(int) ints {
	return func(n int) ints {
		if n == 2 {
			return source
		}
		return stream.Just(n)
	}
}

func TestStoppedSourcesFailNoRun(t *testing.T) {
	for name, over := range stops {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				if err := over(grudging).Run(ctx); err != nil {
					t.Errorf("%s over a source that fails when it is stopped returned %v, want nil", name, err)
				}
			})
		})
	}
}
