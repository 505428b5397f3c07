package operators_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

var errCleanup = errors.New("the cursor was closed under it")

// spiteful emits the values and, told that no more are wanted, fails.
func spiteful[T any](values ...T) stream.Observable[T] {
	return func(ctx context.Context, yield func(T) bool) error {
		for _, v := range values {
			if !yield(v) {
				return errCleanup
			}
		}
		return nil
	}
}

// oblivious completes when its context ends, as if it had told all.
func oblivious(end func()) stream.Observable[int] {
	return func(ctx context.Context, yield func(int) bool) error {
		yield(1)
		end()
		<-ctx.Done()
		return nil
	}
}

// op is an operator over ints, whatever it makes of them.
type op = func(stream.Observable[int]) stream.Observable[any]

// boxed makes an operator one of any values.
func boxed[B any](over stream.Operator[int, B]) op {
	return func(source stream.Observable[int]) stream.Observable[any] {
		return operators.Map(func(b B) any { return b })(over(source))
	}
}

// totals are the operators that say something when their source has completed.
var totals = map[string]op{
	"Fold":               boxed(operators.Fold(fold.Sum[int]())),
	"Reduce":             boxed(operators.Reduce(from(0), add)),
	"Count":              boxed(operators.Count[int]()),
	"Sum":                boxed(operators.Sum[int]()),
	"Min":                boxed(operators.Min[int]()),
	"Max":                boxed(operators.Max[int]()),
	"Average":            boxed(operators.Average[int]()),
	"All":                boxed(operators.All(func(int) bool { return true })),
	"Any":                boxed(operators.Any(func(int) bool { return false })),
	"Contains":           boxed(operators.Contains(7)),
	"Last":               boxed(operators.Last[int]()),
	"Single":             boxed(operators.Single[int]()),
	"TakeLast":           boxed(operators.TakeLast[int](3)),
	"FoldByKey":          boxed(operators.FoldByKey(func(n int) (int, int) { return n, n }, fold.Sum[int]())),
	"FoldTumbling":       boxed(operators.FoldTumbling(3, fold.Sum[int]())),
	"FoldParallel":       boxed(operators.FoldParallel(2, fold.Sum[int]())),
	"BufferCount":        boxed(operators.BufferCount[int](3)),
	"BufferUntilChanged": boxed(operators.BufferUntilChanged(mod3, 3)),
	"IgnoreElements":     boxed(operators.IgnoreElements[int]()),
	"Materialize":        boxed(operators.Materialize[int]()),
	"EndWith":            boxed(operators.EndWith(9)),
	"DefaultIfEmpty":     boxed(operators.DefaultIfEmpty(9)),
	"ThrowIfEmpty":       boxed(operators.ThrowIfEmpty[int](errOdd)),
	"Expand":             boxed(operators.Expand(func(int) stream.Observable[int] { return stream.Empty[int]() })),
	"Catch":              boxed(operators.Catch(func(error) stream.Observable[int] { return stream.Just(9) })),
	"Retry":              boxed(operators.Retry[int](operators.RetryPolicy{})),
	"MapParallel":        boxed(operators.MapParallel(2, func(_ context.Context, n int) (int, error) { return n, nil })),
}

func TestTotalsNeedACompletion(t *testing.T) {
	why := errors.New("shutting down")
	for name, over := range totals {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			err := over(oblivious(func() { cancel(why) }))(ctx, func(v any) bool {
				if ctx.Err() != nil {
					t.Errorf("%s emitted %v when its context had ended", name, v)
				}
				return true
			})
			if !errors.Is(err, why) {
				t.Errorf("%s over a source that completes when its context ends returned %v, want %v", name, err, why)
			}
		})
	}
}

func TestStoppingASourceIsNoFailure(t *testing.T) {
	odd := func(n int) bool { return n%2 == 1 }
	for name, c := range map[string]struct {
		over op
		want []any
	}{
		"Take":                {boxed(operators.Take[int](2)), []any{1, 2}},
		"TakeWhile":           {boxed(operators.TakeWhile(odd)), []any{1}},
		"TakeWhile inclusive": {boxed(operators.TakeWhile(odd, operators.Inclusive)), []any{1, 2}},
		"First":               {boxed(operators.First[int]()), []any{1}},
		"Find":                {boxed(operators.Find(even)), []any{2}},
		"ElementAt":           {boxed(operators.ElementAt[int](1)), []any{2}},
		"All":                 {boxed(operators.All(odd)), []any{false}},
		"Any":                 {boxed(operators.Any(even)), []any{true}},
		"Contains":            {boxed(operators.Contains(2)), []any{true}},
		"Dematerialize": {func(source stream.Observable[int]) stream.Observable[any] {
			told := operators.Map(func(n int) notification {
				if n == 2 {
					return completed
				}
				return next(n)
			})(source)
			return operators.Map(func(n int) any { return n })(operators.Dematerialize[int]()(told))
		}, []any{1}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.over(spiteful(1, 2, 3)).Collect(t.Context())
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("%s over a source that fails while it cleans up: got %v, %v; want %v, nil", name, got, err, c.want)
			}
			// What it had failed with before is told.
			if _, err := c.over(broken()).Collect(t.Context()); err != errBroken {
				t.Errorf("%s over a source that fails at once returned %v, want %v", name, err, errBroken)
			}
		})
	}
}

func TestSingleTellsItsOwnFailureOfAStoppedSource(t *testing.T) {
	wantRun(t, operators.Single[int]()(spiteful(1, 2)), stream.ErrMoreThanOne)
}

func TestYieldOfFalseEndsTheRun(t *testing.T) {
	started := 0
	more := stream.Defer(func() stream.Observable[int] { started++; return stream.Just(9) })
	for name, over := range map[string]op{
		"Catch":              boxed(operators.Catch(func(error) stream.Observable[int] { return more })),
		"OnErrorReturn":      boxed(operators.OnErrorReturn(func(error) int { started++; return 9 })),
		"Retry":              boxed(operators.Retry[int](operators.RetryPolicy{Delay: -1})),
		"DefaultIfEmpty":     boxed(operators.DefaultIfEmpty(9)),
		"EndWith":            boxed(operators.EndWith(9)),
		"Materialize":        boxed(operators.Materialize[int]()),
		"Expand":             boxed(operators.Expand(func(int) stream.Observable[int] { return more })),
		"Concat":             boxed(func(source stream.Observable[int]) stream.Observable[int] { return operators.Concat(source, more) }),
		"ConcatMap":          boxed(operators.ConcatMap(func(n int) stream.Observable[int] { return spiteful(n, n) })),
		"BufferCount":        boxed(operators.BufferCount[int](1)),
		"FoldTumbling":       boxed(operators.FoldTumbling(1, fold.Sum[int]())),
		"TakeWhileInclusive": boxed(operators.TakeWhile(below(1), operators.Inclusive)),
		"Distinct":           boxed(operators.Distinct[int](4)),
		"Repeat":             boxed(func(source stream.Observable[int]) stream.Observable[int] { return stream.Repeat(source, 3) }),
	} {
		t.Run(name, func(t *testing.T) {
			started = 0
			calls := 0
			_ = over(spiteful(1, 2, 3))(t.Context(), func(any) bool { calls++; return false })
			if calls != 1 || started != 0 {
				t.Errorf("%s called yield %d times, want once; it began %d things more, want none", name, calls, started)
			}
		})
	}
}
