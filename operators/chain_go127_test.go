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

// chainComparison compares the methods of a chain with the functions of the same names.
type chainComparison struct {
	*testing.T
	source, other stream.Observable[int]
	chain         operators.Chain[int] // of source
	compared      map[string]bool
}

// agree wants the chain to tell what the function's observable tells, at the same times.
func agree[T any](c chainComparison, name string, chain operators.Chain[T], function stream.Observable[T]) {
	c.Helper()
	c.compared[name] = true
	if got, want := seen(c.T, chain.Observable()), seen(c.T, function); got != want {
		c.Errorf("a run of the chain's %s: got\n%s, want what the function's tells:\n%s", name, got, want)
	}
}

// Each method does what its function does. TestChainHasEveryOperator wants a method for
// each operator.
func TestChainSaysWhatItsFunctionsSay(t *testing.T) {
	source := paced(3, time.Second, 2*time.Second, 3*time.Second, time.Second)
	c := chainComparison{
		T: t, source: source, other: paced(3, 500*time.Millisecond, 2*time.Second, 2*time.Second),
		chain: operators.From(source), compared: make(map[string]bool),
	}
	c.filtering()
	c.mapping()
	c.combining()
	c.folding()
	c.timing()
	c.recovering()
	c.deriving()
	c.constraining()
	c.sharing()
	c.foldingInTime()
	for _, name := range operatorsOfThePackage(t) {
		if !c.compared[name] && notMethods[name] == "" {
			t.Errorf("the method %s of Chain is not compared with its function", name)
		}
	}
}

func (c chainComparison) filtering() {
	same := func(a, b int) bool { return a/2 == b/2 }
	agree(c, "All", c.chain.All(even), operators.All(even)(c.source))
	agree(c, "Any", c.chain.Any(even), operators.Any(even)(c.source))
	agree(c, "Count", c.chain.Count(), operators.Count[int]()(c.source))
	agree(c, "DefaultIfEmpty", c.chain.Skip(9).DefaultIfEmpty(5), operators.DefaultIfEmpty(5)(operators.Skip[int](9)(c.source)))
	agree(c, "DistinctBy", c.chain.DistinctBy(even, 2), operators.DistinctBy(even, 2)(c.source))
	agree(c, "DistinctUntilChangedFunc", c.chain.DistinctUntilChangedFunc(same), operators.DistinctUntilChangedFunc(same)(c.source))
	agree(c, "ElementAt", c.chain.ElementAt(1), operators.ElementAt[int](1)(c.source))
	agree(c, "Filter", c.chain.Filter(even), operators.Filter(even)(c.source))
	agree(c, "FilterMap", c.chain.FilterMap(evenHalf), operators.FilterMap(evenHalf)(c.source))
	agree(c, "Find", c.chain.Find(even), operators.Find(even)(c.source))
	agree(c, "IgnoreElements", c.chain.IgnoreElements(), operators.IgnoreElements[int]()(c.source))
	agree(c, "OfType", operators.From(stream.Just[any](1, "a", 2)).OfType[string](),
		operators.OfType[any, string]()(stream.Just[any](1, "a", 2)))
	agree(c, "Single", c.chain.Take(1).Single(), operators.Single[int]()(operators.Take[int](1)(c.source)))
	agree(c, "Skip", c.chain.Skip(1), operators.Skip[int](1)(c.source))
	agree(c, "SkipLast", c.chain.SkipLast(1), operators.SkipLast[int](1)(c.source))
	agree(c, "SkipUntil", c.chain.SkipUntil(c.other), operators.SkipUntil[int](c.other)(c.source))
	agree(c, "SkipWhile", c.chain.SkipWhile(below(4)), operators.SkipWhile(below(4))(c.source))
	agree(c, "Take", c.chain.Take(2), operators.Take[int](2)(c.source))
	agree(c, "TakeLast", c.chain.TakeLast(2), operators.TakeLast[int](2)(c.source))
	agree(c, "TakeUntil", c.chain.TakeUntil(operators.Skip[int](1)(c.other)), operators.TakeUntil[int](operators.Skip[int](1)(c.other))(c.source))
	agree(c, "TakeUntilDone", c.chain.TakeUntilDone(context.Background()), operators.TakeUntilDone[int](context.Background())(c.source))
	agree(c, "TakeWhile", c.chain.TakeWhile(below(4), operators.Inclusive), operators.TakeWhile(below(4), operators.Inclusive)(c.source))
	agree(c, "ThrowIfEmpty", c.chain.Skip(9).ThrowIfEmpty(errOdd), operators.ThrowIfEmpty[int](errOdd)(operators.Skip[int](9)(c.source)))
}

func (c chainComparison) mapping() {
	logger := slog.New(slog.NewTextHandler(io.Discard, nil))
	divide := func(_ context.Context, n int) (int, error) { return half(n) }
	tree := func(n int) stream.Observable[int] { return stream.Range(n+1, max(0, 5-n)) }
	agree(c, "ConcatMap", c.chain.ConcatMap(twice), operators.ConcatMap(twice)(c.source))
	agree(c, "ConcatMapEager", c.chain.ConcatMapEager(twice, operators.Limit(1)), operators.ConcatMapEager(twice, operators.Limit(1))(c.source))
	agree(c, "ExhaustMap", c.chain.ExhaustMap(twice), operators.ExhaustMap(twice)(c.source))
	agree(c, "Expand", c.chain.Expand(tree), operators.Expand(tree)(c.source))
	agree(c, "Finally", c.chain.Finally(func(operators.Ending, error) {}), operators.Finally[int](func(operators.Ending, error) {})(c.source))
	agree(c, "CountDrops", c.chain.CountDrops(new(stream.Drops)), operators.CountDrops[int](new(stream.Drops))(c.source))
	agree(c, "Log", c.chain.Log(logger, slog.LevelInfo, "value"), operators.Log[int](logger, slog.LevelInfo, "value")(c.source))
	agree(c, "Map", c.chain.Map(triple), operators.Map(triple)(c.source))
	agree(c, "MapErr", c.chain.MapErr(half), operators.MapErr(half)(c.source))
	agree(c, "MapSkipErr", c.chain.MapSkipErr(half, nil), operators.MapSkipErr(half, nil)(c.source))
	agree(c, "MapParallel", c.chain.MapParallel(2, divide), operators.MapParallel(2, divide)(c.source))
	agree(c, "MapParallelByKey", c.chain.MapParallelByKey(2, even, divide), operators.MapParallelByKey(2, even, divide)(c.source))
	agree(c, "MergeMap", c.chain.MergeMap(twice, operators.Limit(1)), operators.MergeMap(twice, operators.Limit(1))(c.source))
	agree(c, "Named", c.chain.MapErr(half).Named("half"), operators.Named[int]("half")(operators.MapErr(half)(c.source)))
	agree(c, "SwitchMap", c.chain.SwitchMap(twice), operators.SwitchMap(twice)(c.source))
	agree(c, "Tap", c.chain.Tap(func(int) {}), operators.Tap(func(int) {})(c.source))
	agree(c, "Pipe", c.chain.Pipe(operators.BufferCount[int](2)).Pipe(operators.Flatten[int]()),
		operators.Flatten[int]()(operators.BufferCount[int](2)(c.source)))
}

func (c chainComparison) combining() {
	either := func(a, b fold.Maybe[int]) int { return 10*a.GetOr(0) + b.GetOr(0) }
	agree(c, "CombineLatest", c.chain.CombineLatest(c.other, add), operators.CombineLatest(c.source, c.other, add))
	agree(c, "CombineLatest3", c.chain.CombineLatest3(c.other, c.other, add3), operators.CombineLatest3(c.source, c.other, c.other, add3))
	agree(c, "Concat", c.chain.Concat(c.other, c.source), operators.Concat(c.source, c.other, c.source))
	agree(c, "EndWith", c.chain.EndWith(8, 9), operators.EndWith(8, 9)(c.source))
	agree(c, "Merge", c.chain.Merge(c.other, c.other), operators.Merge(c.source, c.other, c.other))
	agree(c, "MergeDelayError", c.chain.MapErr(half).MergeDelayError(c.other), operators.MergeDelayError(operators.MapErr(half)(c.source), c.other))
	agree(c, "Race", c.chain.Race(c.other), operators.Race(c.source, c.other))
	agree(c, "Sample", c.chain.Sample(c.other), operators.Sample[int](c.other)(c.source))
	agree(c, "StartWith", c.chain.StartWith(8, 9), operators.StartWith(8, 9)(c.source))
	agree(c, "WithLatestFrom", c.chain.WithLatestFrom(c.other, add), operators.WithLatestFrom(c.other, add)(c.source))
	agree(c, "Zip", c.chain.Zip(c.other, add), operators.Zip(c.source, c.other, add))
	agree(c, "Zip3", c.chain.Zip3(c.other, c.source, add3), operators.Zip3(c.source, c.other, c.source, add3))
	agree(c, "ZipLatest", c.chain.ZipLatest(c.other, add), operators.ZipLatest(c.source, c.other, add))
	agree(c, "ZipLongest", c.chain.ZipLongest(c.other, either), operators.ZipLongest(c.source, c.other, either))
}

func (c chainComparison) folding() {
	sum := fold.Sum[int]()
	split := func(n int) (bool, int) { return even(n), n }
	agree(c, "Fold", c.chain.Fold(sum), operators.Fold(sum)(c.source))
	agree(c, "FoldByKey", c.chain.FoldByKey(split, sum), operators.FoldByKey(split, sum)(c.source))
	agree(c, "FoldEventTime", c.chain.FoldEventTime(2*ms, ms, clockwise, triple, sum),
		operators.FoldEventTime(2*ms, ms, clockwise, triple, sum)(c.source))
	agree(c, "FoldEventTimeByKey", c.chain.FoldEventTimeByKey(2*ms, ms, clockwise, split, sum),
		operators.FoldEventTimeByKey(2*ms, ms, clockwise, split, sum)(c.source))
	agree(c, "FoldSessions", c.chain.FoldSessions(2*ms, clockwise, split, sum),
		operators.FoldSessions(2*ms, clockwise, split, sum)(c.source))
	agree(c, "FoldHoppingTime", c.chain.FoldHoppingTime(3*time.Second+ms, time.Second+ms, sum),
		operators.FoldHoppingTime(3*time.Second+ms, time.Second+ms, sum)(c.source))
	agree(c, "FoldSliding", c.chain.FoldSliding(2, sum), operators.FoldSliding(2, sum)(c.source))
	agree(c, "FoldTumbling", c.chain.FoldTumbling(2, sum), operators.FoldTumbling(2, sum)(c.source))
	agree(c, "Reduce", c.chain.Reduce(from(5), add), operators.Reduce(from(5), add)(c.source))
	agree(c, "Scan", c.chain.Scan(sum), operators.Scan(sum)(c.source))
	agree(c, "ScanFrom", c.chain.ScanFrom(from(5), add), operators.ScanFrom(from(5), add)(c.source))
}

func (c chainComparison) timing() {
	const d = 1700 * time.Millisecond // no multiple comes when a value does
	agree(c, "Audit", c.chain.Audit(d), operators.Audit[int](d)(c.source))
	agree(c, "Debounce", c.chain.Debounce(d), operators.Debounce[int](d)(c.source))
	agree(c, "Delay", c.chain.Delay(d, 3), operators.Delay[int](d, 3)(c.source))
	agree(c, "ObserveOn", c.chain.ObserveOn(2), operators.ObserveOn[int](2)(c.source))
	agree(c, "OnBackpressureBuffer", c.chain.OnBackpressureBuffer(2, stream.Fail), operators.OnBackpressureBuffer[int](2, stream.Fail)(c.source))
	agree(c, "OnBackpressureDrop", c.chain.OnBackpressureDrop(2), operators.OnBackpressureDrop[int](2)(c.source))
	agree(c, "OnBackpressureLatest", c.chain.OnBackpressureLatest(), operators.OnBackpressureLatest[int]()(c.source))
	agree(c, "RateLimit", c.chain.RateLimit(1, d), operators.RateLimit[int](1, d)(c.source))
	agree(c, "ThrottleFirst", c.chain.ThrottleFirst(d), operators.ThrottleFirst[int](d)(c.source))
	agree(c, "ThrottleLast", c.chain.ThrottleLast(d), operators.ThrottleLast[int](d)(c.source))
	agree(c, "ThrottleLatest", c.chain.ThrottleLatest(d), operators.ThrottleLatest[int](d)(c.source))
	agree(c, "Timeout", c.chain.Timeout(d), operators.Timeout[int](d)(c.source))
	agree(c, "TimeoutFirst", c.chain.TimeoutFirst(d), operators.TimeoutFirst[int](d)(c.source))
}

func (c chainComparison) recovering() {
	instead := func(error) stream.Observable[int] { return c.other }
	recovered := func(error) int { return 7 }
	policy := operators.RetryPolicy{Times: 1, Delay: time.Second, Jitter: -1}
	agree(c, "Catch", c.chain.MapErr(half).Catch(instead), operators.Catch(instead)(operators.MapErr(half)(c.source)))
	agree(c, "OnErrorReturn", c.chain.MapErr(half).OnErrorReturn(recovered), operators.OnErrorReturn(recovered)(operators.MapErr(half)(c.source)))
	agree(c, "Retry", c.chain.MapErr(half).Retry(policy), operators.Retry[int](policy)(operators.MapErr(half)(c.source)))
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
		t.Errorf("the verbs of a chain that completes: got %v, want no error", err)
	}
	see(told...)
	for _, values := range seen {
		if !slices.Equal(values, []int{1, 2, 3}) {
			t.Errorf("the verbs of a chain of 1 to 3: got the values %v, want 1, 2 and 3 from each", seen)
		}
	}
	first, err1 := chain.First(ctx).Get()
	last, err2 := chain.Last(ctx).Get()
	if first != 1 || last != 3 || err1 != nil || err2 != nil {
		t.Errorf("from %d to %d, %v, %v", first, last, err1, err2)
	}
}

// What is said of the function form holds for the chain: no allocation where it runs.
func TestChainInlineAllocatesNothing(t *testing.T) {
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
