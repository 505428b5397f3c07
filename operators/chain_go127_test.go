//go:build go1.27

package operators_test

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// seen is all that a run tells, with the times.
func seen[T any](t *testing.T, source stream.Observable[T]) string {
	var all strings.Builder
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		err := source.ForEach(t.Context(), func(v T) { fmt.Fprintln(&all, time.Since(begin), v) })
		fmt.Fprintln(&all, time.Since(begin), err)
	})
	return all.String()
}

// Each method does what its function does. That there is a method for each operator is
// what the test of the generator holds.
func TestChainSaysWhatItsFunctionsSay(t *testing.T) {
	source := paced(3, time.Second, 2*time.Second, 3*time.Second, time.Second)
	other := paced(3, 500*time.Millisecond, 2*time.Second, 2*time.Second)
	begin := operators.From(source)
	logger := slog.New(slog.NewTextHandler(io.Discard, nil))
	divide := func(_ context.Context, n int) (int, error) { return half(n) }
	split := func(n int) (bool, int) { return even(n), n }
	odd := func(error) stream.Observable[int] { return other }
	recovered := func(error) int { return 7 }
	policy := operators.RetryPolicy{Times: 1, Delay: time.Second, Jitter: -1}
	tree := func(n int) stream.Observable[int] { return stream.Range(n+1, max(0, 5-n)) }
	either := func(a, b fold.Maybe[int]) int { return 10*a.GetOr(0) + b.GetOr(0) }
	same := func(a, b int) bool { return a/2 == b/2 }
	sum := fold.Sum[int]()
	const d = 1700 * time.Millisecond // no multiple comes when a value does
	compared := make(map[string]bool)
	agree := func(name, chain, function string) {
		compared[name] = true
		if chain != function {
			t.Errorf("%s:\n%s, want\n%s", name, chain, function)
		}
	}
	ints := func(name string, chain operators.Chain[int], function stream.Observable[int]) {
		agree(name, seen(t, chain.Observable()), seen(t, function))
	}
	bools := func(name string, chain operators.Chain[bool], function stream.Observable[bool]) {
		agree(name, seen(t, chain.Observable()), seen(t, function))
	}
	bools("All", begin.All(even), operators.All(even)(source))
	bools("Any", begin.Any(even), operators.Any(even)(source))
	ints("Audit", begin.Audit(d), operators.Audit[int](d)(source))
	ints("Catch", begin.MapErr(half).Catch(odd), operators.Catch(odd)(operators.MapErr(half)(source)))
	ints("CombineLatest", begin.CombineLatest(other, add), operators.CombineLatest(source, other, add))
	ints("CombineLatest3", begin.CombineLatest3(other, other, add3), operators.CombineLatest3(source, other, other, add3))
	ints("Concat", begin.Concat(other, source), operators.Concat(source, other, source))
	ints("ConcatMap", begin.ConcatMap(twice), operators.ConcatMap(twice)(source))
	ints("ConcatMapEager", begin.ConcatMapEager(twice, operators.Limit(1)), operators.ConcatMapEager(twice, operators.Limit(1))(source))
	ints("Count", begin.Count(), operators.Count[int]()(source))
	ints("Debounce", begin.Debounce(d), operators.Debounce[int](d)(source))
	ints("DefaultIfEmpty", begin.Skip(9).DefaultIfEmpty(5), operators.DefaultIfEmpty(5)(operators.Skip[int](9)(source)))
	ints("Delay", begin.Delay(d, 3), operators.Delay[int](d, 3)(source))
	ints("DistinctBy", begin.DistinctBy(even, 2), operators.DistinctBy(even, 2)(source))
	ints("DistinctUntilChangedFunc", begin.DistinctUntilChangedFunc(same), operators.DistinctUntilChangedFunc(same)(source))
	ints("ElementAt", begin.ElementAt(1), operators.ElementAt[int](1)(source))
	ints("EndWith", begin.EndWith(8, 9), operators.EndWith(8, 9)(source))
	ints("ExhaustMap", begin.ExhaustMap(twice), operators.ExhaustMap(twice)(source))
	ints("Expand", begin.Expand(tree), operators.Expand(tree)(source))
	ints("Filter", begin.Filter(even), operators.Filter(even)(source))
	ints("FilterMap", begin.FilterMap(evenHalf), operators.FilterMap(evenHalf)(source))
	ints("Finally", begin.Finally(func(operators.Ending, error) {}), operators.Finally[int](func(operators.Ending, error) {})(source))
	ints("Find", begin.Find(even), operators.Find(even)(source))
	ints("Fold", begin.Fold(sum), operators.Fold(sum)(source))
	agree("FoldByKey", seen(t, begin.FoldByKey(split, sum).Observable()), seen(t, operators.FoldByKey(split, sum)(source)))
	ints("CountDrops", begin.CountDrops(new(stream.Drops)), operators.CountDrops[int](new(stream.Drops))(source))
	agree("FoldEventTime", seen(t, begin.FoldEventTime(2*ms, ms, clockwise, triple, sum).Observable()),
		seen(t, operators.FoldEventTime(2*ms, ms, clockwise, triple, sum)(source)))
	agree("FoldEventTimeByKey", seen(t, begin.FoldEventTimeByKey(2*ms, ms, clockwise, split, sum).Observable()),
		seen(t, operators.FoldEventTimeByKey(2*ms, ms, clockwise, split, sum)(source)))
	agree("FoldSessions", seen(t, begin.FoldSessions(2*ms, clockwise, split, sum).Observable()),
		seen(t, operators.FoldSessions(2*ms, clockwise, split, sum)(source)))
	ints("FoldSliding", begin.FoldSliding(2, sum), operators.FoldSliding(2, sum)(source))
	ints("FoldTumbling", begin.FoldTumbling(2, sum), operators.FoldTumbling(2, sum)(source))
	ints("IgnoreElements", begin.IgnoreElements(), operators.IgnoreElements[int]()(source))
	ints("Log", begin.Log(logger, slog.LevelInfo, "value"), operators.Log[int](logger, slog.LevelInfo, "value")(source))
	ints("Map", begin.Map(triple), operators.Map(triple)(source))
	ints("MapErr", begin.MapErr(half), operators.MapErr(half)(source))
	ints("MapParallel", begin.MapParallel(2, divide), operators.MapParallel(2, divide)(source))
	ints("MapParallelByKey", begin.MapParallelByKey(2, even, divide), operators.MapParallelByKey(2, even, divide)(source))
	ints("Merge", begin.Merge(other, other), operators.Merge(source, other, other))
	ints("MergeDelayError", begin.MapErr(half).MergeDelayError(other), operators.MergeDelayError(operators.MapErr(half)(source), other))
	ints("MergeMap", begin.MergeMap(twice, operators.Limit(1)), operators.MergeMap(twice, operators.Limit(1))(source))
	ints("Named", begin.MapErr(half).Named("half"), operators.Named[int]("half")(operators.MapErr(half)(source)))
	ints("ObserveOn", begin.ObserveOn(2), operators.ObserveOn[int](2)(source))
	agree("OfType", seen(t, operators.From(stream.Just[any](1, "a", 2)).OfType[string]().Observable()),
		seen(t, operators.OfType[any, string]()(stream.Just[any](1, "a", 2))))
	ints("OnBackpressureBuffer", begin.OnBackpressureBuffer(2, stream.Fail), operators.OnBackpressureBuffer[int](2, stream.Fail)(source))
	ints("OnBackpressureDrop", begin.OnBackpressureDrop(2), operators.OnBackpressureDrop[int](2)(source))
	ints("OnBackpressureLatest", begin.OnBackpressureLatest(), operators.OnBackpressureLatest[int]()(source))
	ints("OnErrorReturn", begin.MapErr(half).OnErrorReturn(recovered), operators.OnErrorReturn(recovered)(operators.MapErr(half)(source)))
	ints("Race", begin.Race(other), operators.Race(source, other))
	ints("RateLimit", begin.RateLimit(1, d), operators.RateLimit[int](1, d)(source))
	ints("Reduce", begin.Reduce(from(5), add), operators.Reduce(from(5), add)(source))
	ints("Retry", begin.MapErr(half).Retry(policy), operators.Retry[int](policy)(operators.MapErr(half)(source)))
	ints("Sample", begin.Sample(other), operators.Sample[int](other)(source))
	ints("Scan", begin.Scan(sum), operators.Scan(sum)(source))
	ints("ScanFrom", begin.ScanFrom(from(5), add), operators.ScanFrom(from(5), add)(source))
	ints("Single", begin.Take(1).Single(), operators.Single[int]()(operators.Take[int](1)(source)))
	ints("Skip", begin.Skip(1), operators.Skip[int](1)(source))
	ints("SkipLast", begin.SkipLast(1), operators.SkipLast[int](1)(source))
	ints("SkipUntil", begin.SkipUntil(other), operators.SkipUntil[int](other)(source))
	ints("SkipWhile", begin.SkipWhile(below(4)), operators.SkipWhile(below(4))(source))
	ints("StartWith", begin.StartWith(8, 9), operators.StartWith(8, 9)(source))
	ints("SwitchMap", begin.SwitchMap(twice), operators.SwitchMap(twice)(source))
	ints("Take", begin.Take(2), operators.Take[int](2)(source))
	ints("TakeLast", begin.TakeLast(2), operators.TakeLast[int](2)(source))
	ints("TakeUntil", begin.TakeUntil(operators.Skip[int](1)(other)), operators.TakeUntil[int](operators.Skip[int](1)(other))(source))
	ints("TakeUntilDone", begin.TakeUntilDone(context.Background()), operators.TakeUntilDone[int](context.Background())(source))
	ints("TakeWhile", begin.TakeWhile(below(4), operators.Inclusive), operators.TakeWhile(below(4), operators.Inclusive)(source))
	ints("Tap", begin.Tap(func(int) {}), operators.Tap(func(int) {})(source))
	ints("ThrottleFirst", begin.ThrottleFirst(d), operators.ThrottleFirst[int](d)(source))
	ints("ThrottleLast", begin.ThrottleLast(d), operators.ThrottleLast[int](d)(source))
	ints("ThrottleLatest", begin.ThrottleLatest(d), operators.ThrottleLatest[int](d)(source))
	ints("ThrowIfEmpty", begin.Skip(9).ThrowIfEmpty(errOdd), operators.ThrowIfEmpty[int](errOdd)(operators.Skip[int](9)(source)))
	ints("Timeout", begin.Timeout(d), operators.Timeout[int](d)(source))
	ints("TimeoutFirst", begin.TimeoutFirst(d), operators.TimeoutFirst[int](d)(source))
	ints("WithLatestFrom", begin.WithLatestFrom(other, add), operators.WithLatestFrom(other, add)(source))
	ints("Zip", begin.Zip(other, add), operators.Zip(source, other, add))
	ints("Zip3", begin.Zip3(other, source, add3), operators.Zip3(source, other, source, add3))
	ints("ZipLatest", begin.ZipLatest(other, add), operators.ZipLatest(source, other, add))
	ints("ZipLongest", begin.ZipLongest(other, either), operators.ZipLongest(source, other, either))
	ints("Pipe", begin.Pipe(operators.BufferCount[int](2)).Pipe(operators.Flatten[int]()),
		operators.Flatten[int]()(operators.BufferCount[int](2)(source)))
	if len(compared) < 79 {
		t.Errorf("compared %d", len(compared))
	}
}

// A chain has the verbs of an observable, with the same parameters and results.
func TestChainHasTheVerbsOfAnObservable(t *testing.T) {
	chain, observable := reflect.TypeFor[operators.Chain[int]](), reflect.TypeFor[stream.Observable[int]]()
	for verb := range observable.Methods() {
		method, ok := chain.MethodByName(verb.Name)
		if !ok {
			t.Errorf("it has no %s", verb.Name)
			continue
		}
		shape := func(m reflect.Method) string {
			return strings.ReplaceAll(m.Type.String(), m.Type.In(0).String(), "it")
		}
		if shape(method) != shape(verb) {
			t.Errorf("its %s is a %s, want %s", verb.Name, shape(method), shape(verb))
		}
	}
}

func TestChainVerbs(t *testing.T) {
	ctx, chain := t.Context(), operators.From(stream.Range(1, 3))
	var seen [][]int
	see := func(values ...int) { seen = append(seen, values) }
	var each []int
	_ = chain.ForEach(ctx, func(n int) { each = append(each, n) })
	see(each...)
	all, _ := chain.Collect(ctx)
	see(all...)
	var ranged []int
	for v := range chain.Seq(ctx) {
		ranged = append(ranged, v)
	}
	see(ranged...)
	values, wait := chain.Channel(ctx, 1)
	var received []int
	for v := range values {
		received = append(received, v)
	}
	see(received...)
	var told []int
	subscription := chain.Subscribe(ctx, stream.Observer[int]{Next: func(n int) { told = append(told, n) }})
	if err := cmp.Or(subscription.Wait(), wait(), chain.Run(ctx)); err != nil {
		t.Error(err)
	}
	see(told...)
	for _, values := range seen {
		if !slices.Equal(values, []int{1, 2, 3}) {
			t.Errorf("got %v", seen)
		}
	}
	first, err1 := chain.First(ctx).Get()
	last, err2 := chain.Last(ctx).Get()
	if first != 1 || last != 3 || err1 != nil || err2 != nil {
		t.Errorf("from %d to %d, %v, %v", first, last, err1, err2)
	}
}

// What is said of the function form holds for the chain: no allocation where it runs.
func TestInlineChainAllocatesNothing(t *testing.T) {
	allocations := testing.AllocsPerRun(100, func() {
		last := 0
		_ = operators.From(stream.Range(0, 1000)).Map(triple).Filter(even).ScanFrom(zero, add).TakeWhile(bounded).
			ForEach(context.Background(), func(v int) { last = v })
		sink = last
	})
	if allocations != 0 {
		t.Errorf("%v allocations a run, want none", allocations)
	}
}

// BenchmarkChain compares the chain with the function form. The goal: the same.
func BenchmarkChain(b *testing.B) {
	forms := map[string]func(func(int)) error{
		"inline/functions": func(f func(int)) error {
			return stream.Pipe4(stream.Range(0, million),
				operators.Map(triple), operators.Filter(even),
				operators.ScanFrom(zero, add), operators.TakeWhile(bounded),
			).ForEach(context.Background(), f)
		},
		"inline/chain": func(f func(int)) error {
			return operators.From(stream.Range(0, million)).
				Map(triple).Filter(even).ScanFrom(zero, add).TakeWhile(bounded).
				ForEach(context.Background(), f)
		},
		"composed/functions": func(f func(int)) error {
			return composed(stream.Range(0, million)).ForEach(context.Background(), f)
		},
		"composed/chain": func(f func(int)) error {
			return chained(stream.Range(0, million)).ForEach(context.Background(), f)
		},
	}
	for name, run := range forms {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = run(func(v int) { sink = v })
			}
			perValue(b)
		})
	}
}

//go:noinline
func chained(source stream.Observable[int]) operators.Chain[int] {
	return operators.From(source).Map(triple).Filter(even).ScanFrom(zero, add).TakeWhile(bounded)
}
