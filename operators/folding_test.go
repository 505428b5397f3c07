package operators_test

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
)

func byParity(n int) (string, int) {
	if even(n) {
		return "even", n
	}
	return "odd", n
}

func init() {
	loses := streamtest.LosesOnFailure()
	maps.Copy(contracts, map[string]func(*testing.T){
		"Count": func(t *testing.T) {
			streamtest.CheckOperator(t, operators.Count[int](), []int{7, 8, 9}, []int{3}, loses)
		},
		"Sum": func(t *testing.T) {
			streamtest.CheckOperator(t, operators.Sum[int](), []int{7, 8, 9}, []int{24}, loses)
		},
		"Min": func(t *testing.T) {
			streamtest.CheckOperator(t, operators.Min[int](), []int{8, 7, 9}, []int{7}, loses)
			streamtest.CheckOperator(t, operators.Min[int](), nil, nil)
		},
		"Max": func(t *testing.T) {
			streamtest.CheckOperator(t, operators.Max[int](), []int{8, 9, 7}, []int{9}, loses)
			streamtest.CheckOperator(t, operators.Max[int](), nil, nil)
		},
		"Average": func(t *testing.T) {
			streamtest.CheckOperator(t, operators.Average[int](), []int{1, 2, 4, 3}, []float64{2.5}, loses)
			streamtest.CheckOperator(t, operators.Average[int](), nil, nil)
		},
		"All": func(t *testing.T) {
			streamtest.CheckOperator(t, operators.All(even), []int{2, 4}, []bool{true}, loses)
			streamtest.CheckOperator(t, operators.All(even), []int{2, 3, 4}, []bool{false}, loses)
		},
		"Any": func(t *testing.T) {
			streamtest.CheckOperator(t, operators.Any(even), []int{1, 3}, []bool{false}, loses)
			streamtest.CheckOperator(t, operators.Any(even), []int{1, 2, 3}, []bool{true}, loses)
		},
		"Contains": func(t *testing.T) {
			streamtest.CheckOperator(t, operators.Contains(2), []int{1, 3}, []bool{false}, loses)
			streamtest.CheckOperator(t, operators.Contains(2), []int{1, 2, 3}, []bool{true}, loses)
		},
		"FoldByKey": func(t *testing.T) {
			streamtest.CheckOperator(t, operators.FoldByKey(byParity, fold.Sum[int]()), []int{1, 2, 3},
				[]map[string]int{{"odd": 4, "even": 2}}, loses)
		},
		"FoldTumbling": func(t *testing.T) {
			streamtest.CheckOperator(t, operators.FoldTumbling(2, fold.Sum[int]()), []int{1, 2, 3, 4}, []int{3, 7})
			streamtest.CheckOperator(t, operators.FoldTumbling(2, fold.Sum[int]()), []int{1, 2, 3, 4, 5}, []int{3, 7, 5}, loses)
		},
		"FoldSliding": func(t *testing.T) {
			t.Run("sum", func(t *testing.T) {
				streamtest.CheckOperator(t, operators.FoldSliding(2, fold.Sum[int]()), []int{1, 2, 3, 4}, []int{1, 3, 5, 7})
			})
			t.Run("slices", func(t *testing.T) {
				streamtest.CheckOperator(t, operators.FoldSliding(2, fold.ConcatSlices[[]int]()),
					[][]int{{1}, {2, 3}, {4}}, [][]int{{1}, {1, 2, 3}, {2, 3, 4}})
			})
		},
		"BufferCount": func(t *testing.T) {
			streamtest.CheckOperator(t, operators.BufferCount[int](2), []int{1, 2, 3, 4}, [][]int{{1, 2}, {3, 4}})
			streamtest.CheckOperator(t, operators.BufferCount[int](2), []int{1, 2, 3}, [][]int{{1, 2}, {3}}, loses)
		},
		"BufferCountEvery": func(t *testing.T) {
			t.Run("overlap", func(t *testing.T) {
				streamtest.CheckOperator(t, operators.BufferCountEvery[int](3, 1), []int{1, 2, 3, 4},
					[][]int{{1, 2, 3}, {2, 3, 4}, {3, 4}, {4}}, loses)
			})
			t.Run("gaps", func(t *testing.T) {
				streamtest.CheckOperator(t, operators.BufferCountEvery[int](1, 2), []int{1, 2, 3, 4}, [][]int{{1}, {3}})
			})
		},
	})
}

func TestFoldingAgainstSlices(t *testing.T) {
	best := func(pick func([]int) int) func([]int) []int {
		return func(in []int) []int {
			if len(in) == 0 {
				return nil
			}
			return []int{pick(in)}
		}
	}
	makes(t, "Count", operators.Count[int](), func(in []int) []int { return []int{len(in)} })
	makes(t, "Sum", operators.Sum[int](), func(in []int) []int { return []int{fold.Slice(fold.Sum[int](), in)} })
	makes(t, "Min", operators.Min[int](), best(slices.Min[[]int]))
	makes(t, "Max", operators.Max[int](), best(slices.Max[[]int]))
	makes(t, "Average", operators.Average[int](), func(in []int) []float64 {
		if len(in) == 0 {
			return nil
		}
		return []float64{float64(fold.Slice(fold.Sum[int](), in)) / float64(len(in))}
	})
	odd := func(n int) bool { return !even(n) }
	makes(t, "All", operators.All(even), func(in []int) []bool { return []bool{!slices.ContainsFunc(in, odd)} })
	makes(t, "Any", operators.Any(even), func(in []int) []bool { return []bool{slices.ContainsFunc(in, even)} })
	makes(t, "Contains", operators.Contains(7), func(in []int) []bool { return []bool{slices.Contains(in, 7)} })
	makes(t, "FoldByKey", operators.FoldByKey(func(n int) (int, fold.Maybe[int]) { return n % 3, fold.Just(n) }, fold.Lift(func(a, b int) int { return max(a, b) })), func(in []int) []map[int]fold.Maybe[int] {
		greatest := map[int]fold.Maybe[int]{}
		for _, n := range in {
			greatest[n%3] = fold.Just(max(n, greatest[n%3].GetOr(n)))
		}
		return []map[int]fold.Maybe[int]{greatest}
	})
	makes(t, "FoldByKey of many keys", operators.FoldByKey(func(n int) (int, int) { return n, 1 }, fold.Sum[int]()), func(in []int) []map[int]int {
		counts := map[int]int{}
		for _, n := range in {
			counts[n]++
		}
		return []map[int]int{counts}
	})
}

func TestBuffersAndWindowsAgainstSlices(t *testing.T) {
	t.Parallel()
	for _, size := range []int{-1, 0, 1, 2, 3, 7, 100} {
		n := max(1, size)
		chunks := func(in []int) [][]int { return slices.Collect(slices.Chunk(in, n)) }
		makes(t, fmt.Sprint("BufferCount ", size), operators.BufferCount[int](size), chunks)
		makes(t, fmt.Sprint("FoldTumbling ", size), digits(operators.FoldTumbling(size, fold.ConcatStrings[string]())), func(in []int) (out []string) {
			for _, chunk := range chunks(in) {
				out = append(out, digitsOf(chunk))
			}
			return out
		})
		makes(t, fmt.Sprint("FoldSliding ", size), digits(operators.FoldSliding(size, fold.ConcatStrings[string]())), func(in []int) (out []string) {
			for i := range in {
				out = append(out, digitsOf(in[max(0, i+1-n):i+1]))
			}
			return out
		})
		for _, step := range []int{-1, 0, 1, 2, 3, 9} {
			makes(t, fmt.Sprint("BufferCountEvery ", size, " ", step), operators.BufferCountEvery[int](size, step), func(in []int) (out [][]int) {
				for i := 0; i < len(in); i += max(1, step) {
					out = append(out, in[i:min(i+n, len(in))])
				}
				return out
			})
		}
	}
}

// digits is an operator of strings as one of numbers, whose order it shows.
func digits(op stream.Operator[string, string]) stream.Operator[int, string] {
	text := operators.Map(func(n int) string { return fmt.Sprint(n) })
	return func(s stream.Observable[int]) stream.Observable[string] { return op(text(s)) }
}

func digitsOf(values []int) string {
	return fold.SliceFunc(fold.ConcatStrings[string](), values, func(n int) string { return fmt.Sprint(n) })
}

func TestFoldingNaN(t *testing.T) {
	values := stream.Just(1, math.NaN(), 2)
	for name, op := range map[string]stream.Operator[float64, float64]{
		"Min": operators.Min[float64](), "Max": operators.Max[float64](), "Average": operators.Average[float64](),
	} {
		if got, err := op(values).First(t.Context()).Get(); err != nil || !math.IsNaN(got) {
			t.Errorf("fold values with NaN by %s: got %v and the error %v, want NaN", name, got, err)
		}
	}
}

func TestFoldingOtherNumbers(t *testing.T) {
	wantRun(t, operators.Sum[uint8]()(stream.Just[uint8](200, 100)), nil, 44)
	wantRun(t, operators.Average[uint8]()(stream.Just[uint8](200, 100)), nil, 150.0)
	wantRun(t, operators.Min[string]()(stream.Just("b", "a")), nil, "a")
}

func TestFoldingOfFailuresEmitsNothing(t *testing.T) {
	source := broken(1, 2, 3)
	wantRun(t, operators.Count[int]()(source), errBroken)
	wantRun(t, operators.Sum[int]()(source), errBroken)
	wantRun(t, operators.Max[int]()(source), errBroken)
	wantRun(t, operators.Average[int]()(source), errBroken)
	wantRun(t, operators.All(below(9))(source), errBroken)
	wantRun(t, operators.Contains(9)(source), errBroken)
	wantRun(t, operators.FoldByKey(byParity, fold.Sum[int]())(source), errBroken)
	wantRun(t, operators.FoldTumbling(2, fold.Sum[int]())(source), errBroken, 3)
	wantRun(t, operators.BufferCount[int](2)(source), errBroken, []int{1, 2})
}

// What was emitted belongs to the receiver, whatever it does to it.
func TestFoldingValuesBelongToTheReceiver(t *testing.T) {
	spoil := func(s []int) []int {
		seen := slices.Clone(s)
		clear(s)
		_ = append(s, -1, -1, -1)
		return seen
	}
	singles := operators.Map(func(n int) []int { return []int{n} })(stream.Range(1, 5))
	concatenate := fold.ConcatSlices[[]int]()
	spoiled := operators.Map(spoil)
	wantRun(t, spoiled(operators.BufferCount[int](2)(stream.Range(1, 5))), nil, []int{1, 2}, []int{3, 4}, []int{5})
	wantRun(t, spoiled(operators.BufferCountEvery[int](3, 2)(stream.Range(1, 5))), nil, []int{1, 2, 3}, []int{3, 4, 5}, []int{5})
	wantRun(t, spoiled(operators.FoldTumbling(2, concatenate)(singles)), nil, []int{1, 2}, []int{3, 4}, []int{5})
	wantRun(t, spoiled(operators.FoldSliding(2, concatenate)(singles)), nil, []int{1}, []int{1, 2}, []int{2, 3}, []int{3, 4}, []int{4, 5})
	wantRun(t, spoiled(operators.FoldSliding(3, concatenate)(singles)), nil, []int{1}, []int{1, 2}, []int{1, 2, 3}, []int{2, 3, 4}, []int{3, 4, 5})
}

// The values of the source stay as they are: it may emit them again.
func TestWindowsLeaveTheirValuesAlone(t *testing.T) {
	roomy := func(n int) []int { return append(make([]int, 0, 8), n) }
	values := [][]int{roomy(1), roomy(2), roomy(3), roomy(4)}
	concatenate := fold.ConcatSlices[[]int]()
	for range 2 {
		wantRun(t, operators.FoldSliding(2, concatenate)(stream.FromSlice(values)), nil,
			[]int{1}, []int{1, 2}, []int{2, 3}, []int{3, 4})
		wantRun(t, operators.FoldTumbling(3, concatenate)(stream.FromSlice(values)), nil, []int{1, 2, 3}, []int{4})
	}
}

func TestSlidingWindowsCombineAConstantNumberOfTimesAValue(t *testing.T) {
	const count = 20_000
	for _, size := range []int{1, 2, 10, 1000, count, 2 * count} {
		combined := 0
		sum := fold.New(func() int { return 0 }, func(a, b int) int { combined++; return a + b })
		if err := operators.FoldSliding(size, sum)(stream.Range(0, count)).Run(t.Context()); err != nil {
			t.Fatalf("a window of %d values slides over %d: got %v, want no error", size, count, err)
		}
		if combined > 3*count {
			t.Errorf("a window of %d combined %d times for %d values", size, combined, count)
		}
	}
}

// Each growth of the table doubles it, so growing too often is seen by the memory.
func TestFoldByKeyGrowsAsItIsUsed(t *testing.T) {
	op := operators.FoldByKey(func(n int) (int, int) { return n, 1 }, fold.Sum[int]())
	var got map[int]int
	var err error
	used := allocatedBy(func() { got, err = op(stream.Range(0, 16)).Last(t.Context()).Get() })
	if err != nil || len(got) != 16 || used > 1<<14 {
		t.Errorf("FoldByKey of 16 keys: got %d of them and %v, for %d bytes, want 16 for less than 16 KiB", len(got), err, used)
	}
}

func TestFoldSlidingTimeOfNoValuesIsOfOne(t *testing.T) {
	for _, limit := range []int{-1, 0, 1} {
		wantRun(t, operators.FoldSlidingTime(time.Hour, limit, fold.Sum[int]())(stream.Just(1, 2, 3)), nil, 1, 2, 3)
	}
}

// BenchmarkFoldByKey compares sums of a hundred keys with the loop a hand would
// write. The goal: at most 1.5 times the loop.
func BenchmarkFoldByKey(b *testing.B) {
	split := func(n int) (int, int) { return n % 100, n }
	b.Run("loop", func(b *testing.B) {
		for b.Loop() {
			totals := make(map[int]int)
			for i := range million {
				key, part := split(i)
				totals[key] += part
			}
			sink = totals[7]
		}
		perValue(b)
	})
	b.Run("fold", func(b *testing.B) {
		ctx := context.Background()
		for b.Loop() {
			_ = operators.FoldByKey(split, fold.Sum[int]())(stream.Range(0, million)).
				ForEach(ctx, func(totals map[int]int) { sink = totals[7] })
		}
		perValue(b)
	})
	b.Run("fold/composed", func(b *testing.B) {
		ctx := context.Background()
		op := operators.FoldByKey(split, fold.Sum[int]())
		for b.Loop() {
			_ = piped(op)(stream.Range(0, million)).ForEach(ctx, func(totals map[int]int) { sink = totals[7] })
		}
		perValue(b)
	})
}

// piped hides from the compiler which operator it is.
//
//go:noinline
func piped[A, B any](op stream.Operator[A, B]) stream.Operator[A, B] { return op }

// BenchmarkBuffer compares slices of a hundred values with the loop a hand would
// write. The goal: at most 1.5 times the loop.
func BenchmarkBuffer(b *testing.B) {
	b.Run("loop", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			buffer := make([]int, 0, 100)
			for i := range million {
				if buffer = append(buffer, i); len(buffer) == cap(buffer) {
					sink = len(buffer)
					buffer = make([]int, 0, 100)
				}
			}
		}
		perValue(b)
	})
	b.Run("operator", func(b *testing.B) {
		b.ReportAllocs()
		ctx := context.Background()
		for b.Loop() {
			_ = operators.BufferCount[int](100)(stream.Range(0, million)).ForEach(ctx, func(s []int) { sink = len(s) })
		}
		perValue(b)
	})
}

// BenchmarkSliding shows that the size of a window does not matter.
func BenchmarkSliding(b *testing.B) {
	for _, size := range []int{10, 1000, 100_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			ctx := context.Background()
			for b.Loop() {
				last := 0
				_ = operators.FoldSliding(size, fold.Max[int]())(stream.Range(0, million)).ForEach(ctx, func(v int) { last = v })
				sink = last
			}
			perValue(b)
		})
	}
}
