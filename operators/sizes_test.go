package operators_test

import (
	"context"
	"errors"
	"go/ast"
	"go/types"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// tried is an operator over twenty values, with a size or a duration of its own, and what
// is to come of it.
type tried struct {
	over   ints
	values int   // how many come, or some
	err    error // how it ends
}

// some says that time decides how many values come.
const some = -1

// endless is how a run ends that waits for longer than anybody does.
var endless = context.DeadlineExceeded

var twenty = stream.Range(0, 20)

// ones says of each group that it is there.
func ones(groups stream.Observable[operators.Group[int, int]]) ints {
	return operators.Map(func(operators.Group[int, int]) int { return 1 })(groups)
}

// ungrouped are the values of all groups.
func ungrouped(groups stream.Observable[operators.Group[int, int]]) ints {
	return operators.MergeMap(func(g operators.Group[int, int]) ints { return g.Values() })(groups)
}

// few is a size within 0 and 20.
func few(size int) int { return min(max(0, size), 20) }

// parts is how many parts of that size make twenty.
func parts(size int) int { return 19/max(1, size) + 1 }

// sizesOf has each parameter of type int of an operator and its options.
var sizesOf = map[string]func(size int) tried{
	"BufferBoundary limit": func(n int) tried {
		return tried{over: lengths(operators.BufferBoundary[int](stream.Never[int](), n)(twenty)), values: parts(n)}
	},
	"Buffer n": func(n int) tried {
		return tried{over: stream.Pipe2(twenty, operators.MergeMap(twice, operators.Buffer(n)), operators.ConcatMapEager(twice, operators.Buffer(n))), values: 80}
	},
	"BufferCount size": func(n int) tried {
		return tried{over: lengths(operators.BufferCount[int](n)(twenty)), values: parts(n)}
	},
	"BufferCountEvery size": func(n int) tried {
		return tried{over: lengths(operators.BufferCountEvery[int](n, 1)(twenty)), values: 20}
	},
	"BufferCountEvery step": func(n int) tried {
		return tried{over: lengths(operators.BufferCountEvery[int](2, n)(twenty)), values: parts(n)}
	},
	"BufferUntilChanged limit": func(n int) tried {
		return tried{over: lengths(operators.BufferUntilChanged(func(int) int { return 0 }, n)(twenty)), values: parts(n)}
	},
	"BufferTime limit": func(n int) tried {
		return tried{over: lengths(operators.BufferTime[int](math.MaxInt64, n)(twenty)), values: parts(n)}
	},
	"BufferTimeOrCount count": func(n int) tried {
		return tried{over: lengths(operators.BufferTimeOrCount[int](math.MaxInt64, n)(twenty)), values: parts(n)}
	},
	"Connectable.Observe capacity": func(n int) tried {
		c := operators.Multicast(twenty, func() *stream.Subject[int] { return new(stream.Subject[int]) })
		return tried{over: stream.Gather(1, func(g *stream.Group[int]) {
			g.Go(c.Observe(n, stream.Block))
			g.Go(func(ctx context.Context, _ func(int) bool) error {
				_ = c.Audience()(ctx, func(observers int) bool { return observers == 0 })
				return c.Connect(ctx)
			})
		}), values: 20}
	},
	"Connectable.RefCount capacity": func(n int) tried {
		c := operators.Multicast(twenty, func() *stream.Subject[int] { return new(stream.Subject[int]) })
		return tried{over: c.RefCount(1, n, stream.Block), values: 20}
	},
	"Connectable.RefCount quorum": func(n int) tried {
		c := operators.Multicast(twenty, func() *stream.Subject[int] { return new(stream.Subject[int]) })
		if n > 1 { // there is one observer
			return tried{over: c.RefCount(n, 4, stream.Block), err: endless}
		}
		return tried{over: c.RefCount(n, 4, stream.Block), values: 20}
	},
	"Delay capacity":   func(n int) tried { return tried{over: operators.Delay[int](time.Second, n)(twenty), values: 20} },
	"Distinct limit":   func(n int) tried { return tried{over: operators.Distinct[int](n)(twenty), values: 20} },
	"DistinctBy limit": func(n int) tried { return tried{over: operators.DistinctBy(triple, n)(twenty), values: 20} },
	"ElementAt index": func(n int) tried {
		if 0 <= n && n < 20 {
			return tried{over: operators.ElementAt[int](n)(twenty), values: 1}
		}
		return tried{over: operators.ElementAt[int](n)(twenty)}
	},
	"FoldParallel workers": func(n int) tried {
		return tried{over: operators.FoldParallel(n, fold.Sum[int]())(twenty), values: 1}
	},
	"FoldParallelFunc workers": func(n int) tried {
		return tried{over: operators.FoldParallelFunc(n, fold.Sum[int](), triple)(twenty), values: 1}
	},
	"FoldSliding size": func(n int) tried { return tried{over: operators.FoldSliding(n, fold.Sum[int]())(twenty), values: 20} },
	"FoldSlidingTime limit": func(n int) tried {
		return tried{over: operators.FoldSlidingTime(math.MaxInt64, n, fold.Sum[int]())(twenty), values: 20}
	},
	"FoldTumbling size": func(n int) tried {
		return tried{over: operators.FoldTumbling(n, fold.Sum[int]())(twenty), values: parts(n)}
	},
	"GroupBuffer capacity": func(n int) tried {
		return tried{over: ungrouped(operators.GroupBy(modulo3, operators.GroupBuffer(n, stream.Block))(twenty)), values: 20}
	},
	"GroupCount n": func(n int) tried {
		one := func(int) int { return 0 }
		return tried{over: ones(operators.GroupBy(one, operators.GroupCount(n))(twenty)), values: parts(n)}
	},
	"GroupLatest n": func(n int) tried {
		return tried{over: ungrouped(operators.GroupBy(modulo3, operators.GroupLatest(n))(twenty)), values: 20}
	},
	"GroupLimit n": func(n int) tried {
		over := ones(operators.GroupBy(modulo3, operators.GroupLimit(n))(twenty))
		if n < 3 {
			return tried{over: over, values: max(1, n), err: operators.ErrTooManyGroups}
		}
		return tried{over: over, values: 3}
	},
	"Limit n": func(n int) tried {
		return tried{over: stream.Pipe2(twenty, operators.MergeMap(twice, operators.Limit(n)), operators.ConcatMapEager(twice, operators.Limit(n))), values: 80}
	},
	"MapParallel limit": func(n int) tried {
		return tried{over: stream.Pipe2(twenty, operators.MapParallel(n, doubled), operators.MapParallel(n, doubled, operators.Unordered)), values: 20}
	},
	"MapParallelByKey limit": func(n int) tried {
		return tried{over: stream.Pipe2(twenty, operators.MapParallelByKey(n, modulo3, doubled), operators.MapParallelByKey(n, modulo3, doubled, operators.Unordered)), values: 20}
	},
	"MaxWeight limit": func(n int) tried {
		weighed := operators.MaxWeight(n, func(int) int { return 1 })
		return tried{over: lengths(operators.BufferTimeOrCount(math.MaxInt64, 40, weighed)(twenty)), values: parts(n)}
	},
	"ObserveOn capacity": func(n int) tried { return tried{over: operators.ObserveOn[int](n)(twenty), values: 20} },
	"OnBackpressureBuffer capacity": func(n int) tried {
		return tried{over: operators.OnBackpressureBuffer[int](n, stream.Block)(twenty), values: 20}
	},
	"OnBackpressureDrop capacity": func(n int) tried { return tried{over: operators.OnBackpressureDrop[int](n)(twenty), values: some} },
	"RateLimit count":             func(n int) tried { return tried{over: operators.RateLimit[int](n, time.Second)(twenty), values: 20} },
	"RetryPolicy Times": func(n int) tried {
		over := operators.Retry[int](operators.RetryPolicy{Times: n, Delay: -1})(failing(3))
		switch {
		case n < 0:
			return tried{over: over, values: 1, err: errBroken}
		case n == 0:
			return tried{over: over, values: 4}
		default:
			return tried{over: over, values: min(n, 3) + 1, err: map[bool]error{true: errBroken}[n < 3]}
		}
	},
	"ShareReplay count": func(n int) tried { return tried{over: operators.ShareReplay[int](n, 0)(twenty), values: 20} },
	"Skip count":        func(n int) tried { return tried{over: operators.Skip[int](n)(twenty), values: 20 - few(n)} },
	"SkipLast count":    func(n int) tried { return tried{over: operators.SkipLast[int](n)(twenty), values: 20 - few(n)} },
	"Take count":        func(n int) tried { return tried{over: operators.Take[int](n)(twenty), values: few(n)} },
	"TakeLast count":    func(n int) tried { return tried{over: operators.TakeLast[int](n)(twenty), values: few(n)} },
	"WindowCount size":  func(n int) tried { return tried{over: ones(operators.WindowCount[int](n)(twenty)), values: parts(n)} },
	"WindowCountEvery size": func(n int) tried {
		return tried{over: ones(operators.WindowCountEvery[int](n, 1)(twenty)), values: 20}
	},
	"WindowCountEvery step": func(n int) tried {
		return tried{over: ones(operators.WindowCountEvery[int](3, n)(twenty)), values: parts(n)}
	},
	"WindowTimeOrCount count": func(n int) tried {
		return tried{over: ones(operators.WindowTimeOrCount[int](math.MaxInt64, n)(twenty)), values: parts(n)}
	},
}

func modulo3(n int) int { return n % 3 }

func doubled(_ context.Context, n int) (int, error) { return 2 * n, nil }

// failing emits one value a run, and fails in its first runs.
func failing(runs int) ints {
	return func(ctx context.Context, yield func(int) bool) error {
		if !yield(1) || runs == 0 {
			return context.Cause(ctx)
		}
		runs--
		return errBroken
	}
}

// durationsOf has each parameter of type time.Duration of an operator and its options.
var durationsOf = map[string]func(d time.Duration) tried{
	"Audit period": func(d time.Duration) tried { return tried{over: operators.Audit[int](d)(twenty), values: some} },
	"BufferTime period": func(d time.Duration) tried {
		return tried{over: lengths(operators.BufferTime[int](d, 40)(twenty)), values: some}
	},
	"BufferTimeOrCount maxWait": func(d time.Duration) tried {
		return tried{over: lengths(operators.BufferTimeOrCount[int](d, 40)(twenty)), values: some}
	},
	"Debounce quiet": func(d time.Duration) tried { return tried{over: operators.Debounce[int](d)(twenty), values: some} },
	"Delay d": func(d time.Duration) tried {
		if d > time.Hour {
			return tried{over: operators.Delay[int](d, 4)(twenty), err: endless}
		}
		return tried{over: operators.Delay[int](d, 4)(twenty), values: 20}
	},
	"FoldSlidingTime span": func(d time.Duration) tried {
		return tried{over: operators.FoldSlidingTime(d, 40, fold.Sum[int]())(twenty), values: 20}
	},
	"FoldTumblingTime period": func(d time.Duration) tried {
		return tried{over: operators.FoldTumblingTime(d, fold.Sum[int]())(twenty), values: some}
	},
	"GroupIdle d": func(d time.Duration) tried {
		return tried{over: ungrouped(operators.GroupBy(modulo3, operators.GroupIdle(d))(twenty)), values: 20}
	},
	"RateLimit period": func(d time.Duration) tried {
		if d > time.Hour {
			return tried{over: operators.RateLimit[int](2, d)(twenty), values: 2, err: endless}
		}
		return tried{over: operators.RateLimit[int](2, d)(twenty), values: 20}
	},
	"RetryPolicy Delay": func(d time.Duration) tried {
		over := operators.Retry[int](operators.RetryPolicy{Delay: d, MaxDelay: d, Jitter: -1})(failing(3))
		if d > time.Hour {
			return tried{over: over, values: 1, err: endless}
		}
		return tried{over: over, values: 4}
	},
	"RetryPolicy MaxDelay": func(d time.Duration) tried {
		return tried{over: operators.Retry[int](operators.RetryPolicy{Delay: time.Millisecond, MaxDelay: d})(failing(3)), values: 4}
	},
	"ShareReplay age": func(d time.Duration) tried { return tried{over: operators.ShareReplay[int](4, d)(twenty), values: 20} },
	"ThrottleFirst period": func(d time.Duration) tried {
		if d > 0 { // no time passes between the values
			return tried{over: operators.ThrottleFirst[int](d)(twenty), values: 1}
		}
		return tried{over: operators.ThrottleFirst[int](d)(twenty), values: 20}
	},
	"ThrottleLast period": func(d time.Duration) tried { return tried{over: operators.ThrottleLast[int](d)(twenty), values: some} },
	"ThrottleLatest period": func(d time.Duration) tried {
		if d > time.Hour { // the first value and, at the end, the last
			return tried{over: operators.ThrottleLatest[int](d)(twenty), values: 2}
		}
		return tried{over: operators.ThrottleLatest[int](d)(twenty), values: some}
	},
	"TimeoutFirst d": func(d time.Duration) tried {
		if d <= 0 {
			return tried{over: operators.TimeoutFirst[int](d)(twenty), err: operators.ErrTimeout}
		}
		return tried{over: operators.TimeoutFirst[int](d)(twenty), values: 20}
	},
	"Timeout d": func(d time.Duration) tried {
		never := operators.Timeout[int](d)(stream.Never[int]())
		if d > time.Hour {
			return tried{over: never, err: endless}
		}
		return tried{over: never, err: operators.ErrTimeout}
	},
	"WindowTime period": func(d time.Duration) tried {
		return tried{over: ungrouped(operators.WindowTime[int](d)(twenty)), values: 20}
	},
	"WindowTimeOrCount maxWait": func(d time.Duration) tried {
		return tried{over: ungrouped(operators.WindowTimeOrCount[int](d, 40)(twenty)), values: 20}
	},
}

// wantTried runs it for longer than anybody waits.
func wantTried(t *testing.T, name string, value any, c tried) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 1000*time.Hour)
		defer cancel()
		var n int
		var err error
		used := allocatedBy(func() { err = c.over(ctx, func(int) bool { n++; return true }) })
		if !errors.Is(err, c.err) || c.values != some && n != c.values {
			t.Errorf("%s of %v over twenty values: got %d and %v, want %d and %v", name, value, n, err, c.values, c.err)
		}
		if used > 1<<20 {
			t.Errorf("%s of %v took %d bytes for twenty values, want less than 1 MiB", name, value, used)
		}
	})
}

func TestSizesOfAllKindsWorkAndCostWhatIsUsed(t *testing.T) {
	for name, operator := range sizesOf {
		for _, size := range []int{math.MinInt, -1, 0, 1, 2, 3, 19, 20, 21, 1 << 30, math.MaxInt/2 + 1, math.MaxInt - 1, math.MaxInt} {
			wantTried(t, name, size, operator(size))
		}
	}
}

func TestDurationsOfAnyLength(t *testing.T) {
	for name, operator := range durationsOf {
		for _, d := range []time.Duration{math.MinInt64, math.MinInt64 + 1, -1, 0, 1, math.MaxInt64 - 1, math.MaxInt64} {
			wantTried(t, name, d, operator(d))
		}
	}
}

// A new size or duration is tried with all kinds of values, or this fails.
func TestEverySizeAndDurationIsTried(t *testing.T) {
	there := make(map[string]bool)
	want := func(of string, fields []*ast.Field) {
		for _, field := range fields {
			kind := types.ExprString(field.Type)
			for _, name := range field.Names {
				what := of + " " + name.Name
				there[what] = true
				if kind == "int" && sizesOf[what] == nil {
					t.Errorf("%s is an int that is not in sizesOf", what)
				}
				if kind == "time.Duration" && durationsOf[what] == nil {
					t.Errorf("%s is a time.Duration that is not in durationsOf", what)
				}
			}
		}
	}
	source := func(path string) bool { return !strings.HasSuffix(path, "_test.go") }
	configs := make(map[string]bool) // types of parameters
	eachFile(t, source, func(f *ast.FuncDecl) {
		name := f.Name.Name
		if f.Recv != nil {
			name = baseOf(f.Recv.List[0].Type) + "." + name
		}
		if !f.Name.IsExported() || !ast.IsExported(name) || !resultNames(f, "Observable", "Operator") && !isOption(f) {
			return
		}
		want(name, f.Type.Params.List)
		for _, parameter := range f.Type.Params.List {
			configs[baseOf(parameter.Type)] = true
		}
	})
	for _, file := range filesOf(t, source) {
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok && configs[spec.Name.Name] {
				if of, ok := spec.Type.(*ast.StructType); ok {
					want(spec.Name.Name, of.Fields.List)
				}
			}
			return true
		})
	}
	for what := range sizesOf {
		if !there[what] {
			t.Errorf("%s is in sizesOf, and no operator has it", what)
		}
	}
	for what := range durationsOf {
		if !there[what] {
			t.Errorf("%s is in durationsOf, and no operator has it", what)
		}
	}
}

// baseOf is the name of a type without its parameters and whether there are several, or a
// pointer.
func baseOf(expression ast.Expr) string {
	return strings.TrimLeft(strings.Split(types.ExprString(expression), "[")[0], "*.")
}

// isOption reports whether f makes an option of an operator.
func isOption(f *ast.FuncDecl) bool {
	return f.Type.Results != nil && strings.HasSuffix(baseOf(f.Type.Results.List[0].Type), "Option")
}
