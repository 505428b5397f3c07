package operators_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/quick"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// like checks on random values that the operator does to a stream what the model
// does to a slice, with a context that ends and with one that does not.
func like(t *testing.T, name string, op stream.Operator[int, int], model func([]int) []int) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		agree := func(values []int) bool {
			for i := range values {
				values[i] %= 100
			}
			want := model(values)
			plain, err := op(stream.FromSlice(values)).Collect(context.Background())
			cancellable, err2 := op(stream.FromSlice(values)).Collect(t.Context())
			return err == nil && err2 == nil && slices.Equal(plain, want) && slices.Equal(cancellable, want)
		}
		if err := quick.Check(agree, &quick.Config{MaxCount: 200}); err != nil {
			t.Errorf("an operator over random values: it differs from its model: %v", err)
		}
	})
}

func TestOperatorsAgainstSlices(t *testing.T) {
	keep := func(n int) bool { return n%3 != 0 }
	small := func(n int) bool { return n < 60 }
	like(t, "Map", operators.Map(triple), func(in []int) (out []int) {
		for _, n := range in {
			out = append(out, triple(n))
		}
		return out
	})
	like(t, "Filter", operators.Filter(keep), func(in []int) []int {
		return slices.DeleteFunc(slices.Clone(in), func(n int) bool { return !keep(n) })
	})
	for range 5 {
		count := rand.IntN(12) - 1
		like(t, "Take", operators.Take[int](count), func(in []int) []int {
			return in[:max(0, min(count, len(in)))]
		})
	}
	end := func(in []int) int {
		if i := slices.IndexFunc(in, func(n int) bool { return !small(n) }); i >= 0 {
			return i
		}
		return len(in)
	}
	like(t, "TakeWhile", operators.TakeWhile(small), func(in []int) []int { return in[:end(in)] })
	like(t, "TakeWhile inclusive", operators.TakeWhile(small, operators.Inclusive), func(in []int) []int {
		return in[:min(end(in)+1, len(in))]
	})
}

func TestFoldsAndMapsAgainstSlices(t *testing.T) {
	weigh := func(state, n int) int { return 31*state + n } // order matters
	like(t, "ScanFrom", operators.ScanFrom(from(7), weigh), func(in []int) (out []int) {
		state := 7
		for _, n := range in {
			state = weigh(state, n)
			out = append(out, state)
		}
		return out
	})
	like(t, "Scan", operators.Scan(fold.Sum[int]()), func(in []int) (out []int) {
		for i := range in {
			out = append(out, fold.Slice(fold.Sum[int](), in[:i+1]))
		}
		return out
	})
	like(t, "Fold", operators.Fold(fold.Sum[int]()), func(in []int) []int {
		return []int{fold.Slice(fold.Sum[int](), in)}
	})
	like(t, "Reduce", operators.Reduce(from(7), weigh), func(in []int) []int {
		state := 7
		for _, n := range in {
			state = weigh(state, n)
		}
		return []int{state}
	})
	like(t, "First", operators.First[int](), func(in []int) []int { return in[:min(1, len(in))] })
	like(t, "Last", operators.Last[int](), func(in []int) []int { return in[max(0, len(in)-1):] })
	like(t, "ConcatMap", operators.ConcatMap(twice), func(in []int) (out []int) {
		for _, n := range in {
			out = append(out, n, n)
		}
		return out
	})
	like(t, "MergeMap sorted", func(s stream.Observable[int]) stream.Observable[int] {
		return sorted(operators.MergeMap(twice, operators.Limit(3), operators.Buffer(2))(s))
	}, func(in []int) []int {
		out := slices.Concat(in, in)
		slices.Sort(out)
		return out
	})
}

// sorted emits the values of the source in order, once it has all.
func sorted(source stream.Observable[int]) stream.Observable[int] {
	return func(ctx context.Context, yield func(int) bool) error {
		values, err := source.Collect(ctx)
		if err != nil {
			return err
		}
		slices.Sort(values)
		return stream.FromSlice(values)(ctx, yield)
	}
}
