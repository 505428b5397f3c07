//go:build go1.27

package operators_test

import (
	"go/ast"
	"reflect"
	"strings"
	"testing"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// notMethods are the operators that Chain has no method for, and why.
var notMethods = map[string]string{
	"First": "it is a verb of the chain; the operator is Take(1)",
	"Last":  "it is a verb of the chain; the operator is TakeLast(1)",
}

// operatorsOfThePackage returns the names of the exported functions that take or return an
// observable or an operator.
func operatorsOfThePackage(t *testing.T) (names []string) {
	t.Helper()
	own := func(path string) bool {
		return !strings.HasSuffix(path, "_test.go") && !strings.HasSuffix(path, "_go127.go")
	}
	eachFile(t, own, func(f *ast.FuncDecl) {
		if f.Recv == nil && f.Name.IsExported() && isOperator(f.Type) {
			names = append(names, f.Name.Name)
		}
	})
	return names
}

func isOperator(f *ast.FuncType) (is bool) {
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && (s.Sel.Name == "Operator" || s.Sel.Name == "Observable") {
			is = true
		}
		return true
	})
	return is
}

// methodsOfChain returns the names of the methods of Chain. Reflection does not know methods
// with type parameters.
func methodsOfChain(t *testing.T) map[string]bool {
	t.Helper()
	names := make(map[string]bool)
	eachFile(t, func(path string) bool { return strings.HasSuffix(path, "_go127.go") }, func(f *ast.FuncDecl) {
		if receiver(f) == "Chain." {
			names[f.Name.Name] = true
		}
	})
	return names
}

func TestChainHasEveryOperator(t *testing.T) {
	methods := methodsOfChain(t)
	names := operatorsOfThePackage(t)
	if len(names) < 100 || len(methods) < 100 {
		t.Fatalf("found %d operators and %d methods of Chain, want at least 100", len(names), len(methods))
	}
	seen := make(map[string]bool)
	for _, name := range names {
		seen[name] = true
		if reason, except := notMethods[name]; !methods[name] && !except {
			t.Errorf("operator %s: Chain has no method of that name; run go generate, or add it to notMethods with the reason", name)
		} else if except && reason == "" {
			t.Errorf("operator %s: notMethods gives no reason", name)
		}
	}
	for name := range notMethods {
		if !seen[name] {
			t.Errorf("notMethods has %s, which is no operator", name)
		}
	}
}

// deriving compares operators that emit something made of the type of their values.
func (c chainComparison) deriving() {
	const d = 1700 * ms
	agree(c, "BufferBoundary", c.chain.BufferBoundary(c.other, 9), operators.BufferBoundary[int](c.other, 9)(c.source))
	agree(c, "BufferCount", c.chain.BufferCount(2), operators.BufferCount[int](2)(c.source))
	agree(c, "BufferCountEvery", c.chain.BufferCountEvery(2, 1), operators.BufferCountEvery[int](2, 1)(c.source))
	agree(c, "BufferEventTime", c.chain.BufferEventTime(2*ms, ms, clockwise), operators.BufferEventTime(2*ms, ms, clockwise)(c.source))
	agree(c, "BufferTime", c.chain.BufferTime(d, 9), operators.BufferTime[int](d, 9)(c.source))
	agree(c, "BufferTimeEvery", c.chain.BufferTimeEvery(d, 1100*ms, 9), operators.BufferTimeEvery[int](d, 1100*ms, 9)(c.source))
	agree(c, "BufferTimeOrCount", c.chain.BufferTimeOrCount(d, 2), operators.BufferTimeOrCount[int](d, 2)(c.source))
	agree(c, "BufferUntilChanged", c.chain.BufferUntilChanged(even, 9), operators.BufferUntilChanged(even, 9)(c.source))
	agree(c, "Materialize", c.chain.Materialize(), operators.Materialize[int]()(c.source))
	agree(c, "Pairwise", c.chain.Pairwise(), operators.Pairwise[int]()(c.source))
	agree(c, "TimeInterval", c.chain.TimeInterval(), operators.TimeInterval[int]()(c.source))
	agree(c, "Timestamp", c.chain.Timestamp(), operators.Timestamp[int]()(c.source))
	agree(c, "CombineLatestAll", c.chain.CombineLatestAll(c.other), operators.CombineLatestAll(c.source, c.other))
	agree(c, "ForkJoin", c.chain.ForkJoin(c.other, c.chain), operators.ForkJoin(c.source, c.other, c.source))
	agree(c, "ZipAll", c.chain.ZipAll(c.other, c.chain), operators.ZipAll(c.source, c.other, c.source))
	c.grouping()
}

// grouping compares operators that emit groups.
func (c chainComparison) grouping() {
	const d = 1700 * ms
	type window = operators.Group[int, int]
	values := func(w window) stream.Observable[[]int] { return operators.BufferCount[int](9)(w.Values()) }
	read := operators.MergeMap(values)
	parities := func(g operators.Group[bool, int]) stream.Observable[int] { return operators.Sum[int]()(g.Values()) }
	agree(c, "GroupBy", c.chain.GroupBy(even, operators.GroupCount(2)).MergeMap(parities),
		operators.MergeMap(parities)(operators.GroupBy(even, operators.GroupCount(2))(c.source)))
	agree(c, "Window", c.chain.Window(c.other).Pipe(read), read(operators.Window[int](c.other)(c.source)))
	agree(c, "WindowCount", c.chain.WindowCount(2).Pipe(read), read(operators.WindowCount[int](2)(c.source)))
	agree(c, "WindowCountEvery", c.chain.WindowCountEvery(2, 1).Pipe(read), read(operators.WindowCountEvery[int](2, 1)(c.source)))
	agree(c, "WindowTime", c.chain.WindowTime(d).Pipe(read), read(operators.WindowTime[int](d)(c.source)))
	agree(c, "WindowTimeEvery", c.chain.WindowTimeEvery(d, 1100*ms).Pipe(read), read(operators.WindowTimeEvery[int](d, 1100*ms)(c.source)))
	agree(c, "WindowTimeOrCount", c.chain.WindowTimeOrCount(d, 2).Pipe(read), read(operators.WindowTimeOrCount[int](d, 2)(c.source)))
}

// constraining compares operators that take values of some types only.
func (c chainComparison) constraining() {
	agree(c, "Average", c.chain.Average(), operators.Average[int]()(c.source))
	agree(c, "Contains", c.chain.Contains(2), operators.Contains(2)(c.source))
	agree(c, "Distinct", c.chain.Map(half2).Distinct(2), operators.Distinct[int](2)(operators.Map(half2)(c.source)))
	agree(c, "DistinctUntilChanged", c.chain.Map(half2).DistinctUntilChanged(), operators.DistinctUntilChanged[int]()(operators.Map(half2)(c.source)))
	agree(c, "Max", c.chain.Max(), operators.Max[int]()(c.source))
	agree(c, "Min", c.chain.Min(), operators.Min[int]()(c.source))
	agree(c, "Sum", c.chain.Sum(), operators.Sum[int]()(c.source))
	agree(c, "SequenceEqual", c.chain.SequenceEqual(c.chain), operators.SequenceEqual(c.source, c.source))
	agree(c, "SequenceEqualFunc", c.chain.SequenceEqualFunc(c.other, func(a, b int) bool { return a > b }),
		operators.SequenceEqualFunc(c.source, c.other, func(a, b int) bool { return a > b }))
	agree(c, "Flatten", c.chain.BufferCount(2).Flatten(), operators.Flatten[int]()(operators.BufferCount[int](2)(c.source)))
	agree(c, "Dematerialize", c.chain.Materialize().Dematerialize(), operators.Dematerialize[int]()(operators.Materialize[int]()(c.source)))
	agree(c, "Switch", c.chain.Map(twice).Switch(), operators.Switch[int]()(operators.Map(twice)(c.source)))
}

// half2 makes neighbours equal.
func half2(n int) int { return n / 2 }

// sharing compares operators that run their source once for many.
func (c chainComparison) sharing() {
	subject := func() *stream.Subject[int] { return new(stream.Subject[int]) }
	agree(c, "Multicast", operators.From(c.chain.Multicast(subject).RefCount(1, 8, stream.Block)), operators.Multicast(c.source, subject).RefCount(1, 8, stream.Block))
	agree(c, "Share", c.chain.Share(), operators.Share[int]()(c.source))
	agree(c, "ShareReplay", c.chain.ShareReplay(2, 0), operators.ShareReplay[int](2, 0)(c.source))
	agree(c, "MergeSorted", c.chain.MergeSorted(compareInts, c.other), operators.MergeSorted(compareInts, c.source, c.other))
}

// foldingInTime compares the folds that have workers, or look at the clock.
func (c chainComparison) foldingInTime() {
	const d = 1700 * ms
	sum := fold.Sum[int]()
	agree(c, "FoldParallel", c.chain.FoldParallel(2, sum), operators.FoldParallel(2, sum)(c.source))
	agree(c, "FoldParallelFunc", c.chain.FoldParallelFunc(2, sum, triple), operators.FoldParallelFunc(2, sum, triple)(c.source))
	agree(c, "FoldTumblingTime", c.chain.FoldTumblingTime(d, sum), operators.FoldTumblingTime(d, sum)(c.source))
	agree(c, "FoldHoppingTime", c.chain.FoldHoppingTime(d, 1100*ms, sum), operators.FoldHoppingTime(d, 1100*ms, sum)(c.source))
	agree(c, "FoldSlidingTime", c.chain.FoldSlidingTime(d, 9, sum), operators.FoldSlidingTime(d, 9, sum)(c.source))
}

func compareInts(a, b int) int { return a - b }

// A chain passes where a method takes an observable, and so does an observable. The
// functions given to a method return either.
func TestChainPassesAsAnObservable(t *testing.T) {
	chain := operators.From(stream.Range(1, 3))
	tripled := func(n int) operators.Chain[int] { return operators.From(stream.Just(n)).Map(triple) }
	instead := func(error) operators.Chain[int] { return chain }
	for name, c := range map[string]struct {
		of   operators.Chain[int]
		want []int
	}{
		"From":      {operators.From(chain), []int{1, 2, 3}},
		"Concat":    {chain.Concat(chain, stream.Just(4)), []int{1, 2, 3, 1, 2, 3, 4}},
		"Zip":       {chain.Zip(chain.Skip(1), add), []int{3, 5}},
		"TakeUntil": {chain.TakeUntil(chain), nil},
		"ConcatMap": {chain.ConcatMap(tripled), []int{3, 6, 9}},
		"Expand":    {chain.Expand(func(n int) operators.Chain[int] { return chain.Take(0) }), []int{1, 2, 3}},
		"Catch":     {chain.MapErr(half).Catch(instead), []int{1, 2, 3}},
	} {
		got, err := c.of.Collect(t.Context())
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s with a chain: got %v, %v, want %v", name, got, err, c.want)
		}
	}
}

// The wrapper of a function that returns chains must not hide that there is none.
func TestChainPanicsWithoutAFunction(t *testing.T) {
	defer func() {
		if got, want := recover(), "operators: ConcatMap with a nil function"; got != want {
			t.Errorf("ConcatMap of a chain with a nil function: got panic %v, want %s", got, want)
		}
	}()
	var none func(int) operators.Chain[int]
	operators.From(stream.Just(1)).ConcatMap(none)
}
