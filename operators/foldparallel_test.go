package operators_test

import (
	"context"
	"fmt"
	"maps"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
)

func init() {
	loses := streamtest.LosesOnFailure()
	maps.Copy(contracts, map[string]func(*testing.T){
		"FoldParallel": func(t *testing.T) {
			t.Run("few", func(t *testing.T) {
				streamtest.CheckOperator(t, operators.FoldParallel(2, fold.ConcatStrings[string]()), []string{"a", "b", "c"}, []string{"abc"}, loses)
			})
			t.Run("none", func(t *testing.T) {
				streamtest.CheckOperator(t, operators.FoldParallel(0, fold.Product[int]()), nil, []int{1}, loses)
			})
			t.Run("many", func(t *testing.T) {
				streamtest.Check(t, operators.FoldParallel(3, fold.Sum[int]())(stream.Range(0, 10_000)), []int{49_995_000})
			})
		},
		"FoldParallelFunc": func(t *testing.T) {
			streamtest.CheckOperator(t, operators.FoldParallelFunc(2, fold.Sum[int](), triple), []int{1, 2, 3}, []int{18}, loses)
		},
		"SequenceEqualFunc": func(t *testing.T) {
			same := func(n int, s string) bool { return fmt.Sprint(n) == s }
			against := func(texts ...string) stream.Operator[int, bool] {
				return func(s stream.Observable[int]) stream.Observable[bool] {
					return operators.SequenceEqualFunc(s, stream.FromSlice(texts), same)
				}
			}
			ahead := streamtest.ReadAhead(stream.DefaultBuffer + 1)
			streamtest.CheckOperator(t, against("1", "2"), []int{1, 2}, []bool{true}, loses, ahead)
			streamtest.Check(t, against("1", "3")(stream.Just(1, 2)), []bool{false})
			streamtest.Check(t, against("1", "2", "3")(stream.Just(1, 2)), []bool{false})
		},
	})
}

// Concatenation is not commutative: it shows the order.
func TestFoldParallelKeepsOrder(t *testing.T) {
	t.Parallel()
	text := operators.Map(func(n int) string { return fmt.Sprint(n, ";") })
	for _, count := range []int{0, 1, 1023, 1024, 1025, 6000} {
		want, err := operators.Fold(fold.ConcatStrings[string]())(text(stream.Range(0, count))).First(t.Context()).Get()
		if err != nil {
			t.Fatalf("Fold of %d strings: got %v, want no error", count, err)
		}
		for _, workers := range []int{-1, 1, 2, 7} {
			wantRun(t, operators.FoldParallel(workers, fold.ConcatStrings[string]())(text(stream.Range(0, count))), nil, want)
		}
	}
}

func TestFoldParallelOfAFailureEmitsNothing(t *testing.T) {
	wantRun(t, operators.FoldParallel(2, fold.Sum[int]())(concat(stream.Range(0, 5000), stream.Throw[int](errBroken))), errBroken)
}

func TestFoldParallelReadsAheadByItsBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const workers, batch = 3, 1024
		var read atomic.Int64
		release := make(chan struct{})
		held := func(n int) int { <-release; return n }
		source := operators.Tap(func(int) { read.Add(1) })(stream.Range(0, 100*batch))
		done := make(chan error)
		go func() {
			done <- operators.FoldParallelFunc(workers, fold.Sum[int](), held)(source).ForEach(t.Context(), func(n int) { sink = n })
		}()
		synctest.Wait()
		if n := read.Load(); n < (workers+1)*batch || n > (2*workers+1)*batch {
			t.Errorf("%d values were read while all workers were at their first", n)
		}
		close(release)
		if err := <-done; err != nil || sink != 100*batch*(100*batch-1)/2 {
			t.Errorf("sum %d numbers: got %d and the error %v, want %d", 100*batch, sink, err, 100*batch*(100*batch-1)/2)
		}
	})
}

// BenchmarkFoldParallel combines what costs about a microsecond a value. With as many
// cores as workers it takes that part of the time.
func BenchmarkFoldParallel(b *testing.B) {
	work := func(n int) int {
		for range 1000 {
			n = n*6364136223846793005 + 1442695040888963407
		}
		return n & 1
	}
	const count = 20_000
	for name, op := range map[string]stream.Operator[int, int]{
		"Fold": func(s stream.Observable[int]) stream.Observable[int] {
			return operators.Fold(fold.Sum[int]())(operators.Map(work)(s))
		},
		"FoldParallel": operators.FoldParallelFunc(0, fold.Sum[int](), work),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_ = op(stream.Range(0, count)).ForEach(context.Background(), func(n int) { sink = n })
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/count, "ns/value")
		})
	}
}
