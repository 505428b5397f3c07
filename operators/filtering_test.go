package operators_test

import (
	"context"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"testing"
	"testing/quick"
	"testing/synctest"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
)

func init() {
	maps.Copy(contracts, map[string]func(*testing.T){
		"TakeLast": func(t *testing.T) {
			for count, want := range [][]int{{}, {3}, {2, 3}, {1, 2, 3}, {1, 2, 3}} {
				t.Run(fmt.Sprint(count), func(t *testing.T) {
					streamtest.CheckOperator(t, operators.TakeLast[int](count), []int{1, 2, 3}, want, streamtest.LosesOnFailure())
				})
			}
		},
		"Skip": func(t *testing.T) {
			for count, want := range [][]int{{1, 2, 3}, {2, 3}, {3}, {}, {}} {
				t.Run(fmt.Sprint(count), func(t *testing.T) {
					streamtest.CheckOperator(t, operators.Skip[int](count), []int{1, 2, 3}, want)
				})
			}
		},
		"SkipLast": func(t *testing.T) {
			for count, want := range [][]int{{1, 2, 3}, {1, 2}, {1}, {}, {}} {
				t.Run(fmt.Sprint(count), func(t *testing.T) {
					streamtest.CheckOperator(t, operators.SkipLast[int](count), []int{1, 2, 3}, want)
				})
			}
		},
		"SkipWhile": func(t *testing.T) {
			streamtest.CheckOperator(t, operators.SkipWhile(below(3)), []int{1, 2, 3, 1}, []int{3, 1})
		},
		"Single": func(t *testing.T) {
			t.Run("one", func(t *testing.T) {
				streamtest.CheckOperator(t, passing(0, operators.Single[int]()), []int{7}, []int{7}, streamtest.LosesOnFailure())
			})
			t.Run("none", func(t *testing.T) {
				streamtest.Check(t, operators.Single[int]()(stream.Empty[int]()), nil, streamtest.Fails(stream.ErrEmpty))
			})
			t.Run("two", func(t *testing.T) {
				streamtest.Check(t, operators.Single[int]()(stream.Just(1, 2)), nil, streamtest.Fails(stream.ErrMoreThanOne))
			})
		},
		"ElementAt": func(t *testing.T) {
			for index, want := range [][]int{{7}, {8}, {9}, {}} {
				t.Run(fmt.Sprint(index), func(t *testing.T) {
					streamtest.CheckOperator(t, operators.ElementAt[int](index), []int{7, 8, 9}, want)
				})
			}
			t.Run("negative", func(t *testing.T) {
				streamtest.CheckOperator(t, operators.ElementAt[int](-1), []int{7, 8, 9}, nil)
			})
		},
		"Find": func(t *testing.T) {
			streamtest.CheckOperator(t, operators.Find(even), []int{1, 4, 6}, []int{4})
			streamtest.CheckOperator(t, operators.Find(even), []int{1, 3}, nil)
		},
		"Distinct": func(t *testing.T) {
			streamtest.CheckOperator(t, operators.Distinct[int](2), []int{1, 2, 1, 3, 1, 2}, []int{1, 2, 3, 1, 2})
			streamtest.CheckOperator(t, operators.Distinct[int](9), []int{1, 2, 1, 3, 1, 2}, []int{1, 2, 3})
		},
		"DistinctBy": func(t *testing.T) {
			streamtest.CheckOperator(t, operators.DistinctBy(even, 2), []int{1, 2, 3, 4}, []int{1, 2})
		},
		"DistinctUntilChanged": func(t *testing.T) {
			streamtest.CheckOperator(t, operators.DistinctUntilChanged[int](), []int{1, 1, 2, 2, 1}, []int{1, 2, 1})
		},
		"DistinctUntilChangedFunc": func(t *testing.T) {
			near := func(a, b int) bool { return a+2 > b }
			streamtest.CheckOperator(t, operators.DistinctUntilChangedFunc(near), []int{1, 2, 3, 4, 9}, []int{1, 3, 9})
		},
		"IgnoreElements": func(t *testing.T) {
			streamtest.CheckOperator(t, operators.IgnoreElements[int](), []int{1, 2, 3}, nil)
		},
		"OfType": func(t *testing.T) {
			streamtest.CheckOperator(t, operators.OfType[any, int](), []any{1, "two", 3, nil}, []int{1, 3})
		},
		"Pairwise": func(t *testing.T) {
			streamtest.CheckOperator(t, operators.Pairwise[int](), []int{1, 2, 3},
				[]fold.Pair[int, int]{fold.PairOf(1, 2), fold.PairOf(2, 3)})
		},
		"Flatten": func(t *testing.T) {
			streamtest.CheckOperator(t, operators.Flatten[int](), [][]int{{1, 2}, nil, {3}, {4}}, []int{1, 2, 3, 4})
		},
		"Concat": func(t *testing.T) {
			t.Run("none", func(t *testing.T) { streamtest.Check(t, operators.Concat[int](), nil) })
			t.Run("first", func(t *testing.T) {
				first := func(s stream.Observable[int]) stream.Observable[int] { return operators.Concat(s, stream.Just(7, 8)) }
				streamtest.CheckOperator(t, first, []int{1, 2}, []int{1, 2, 7, 8}, streamtest.LosesOnFailure())
			})
			t.Run("last", func(t *testing.T) {
				last := func(s stream.Observable[int]) stream.Observable[int] { return operators.Concat(stream.Just(7, 8), s) }
				streamtest.CheckOperator(t, last, []int{1, 2}, []int{7, 8, 1, 2})
			})
		},
		"StartWith": func(t *testing.T) {
			streamtest.CheckOperator(t, operators.StartWith(7, 8), []int{1, 2}, []int{7, 8, 1, 2})
		},
		"EndWith": func(t *testing.T) {
			streamtest.CheckOperator(t, operators.EndWith(7, 8), []int{1, 2}, []int{1, 2, 7, 8}, streamtest.LosesOnFailure())
		},
	})
}

// passing is op behind a Filter that keeps what is greater than least: an operator
// that fails on an empty source is checked over one that does not stay empty.
func passing(least int, op stream.Operator[int, int]) stream.Operator[int, int] {
	keep := operators.Filter(func(n int) bool { return n > least })
	return func(s stream.Observable[int]) stream.Observable[int] { return op(keep(s)) }
}

// makes checks on random values, and on none, that the operator makes of a stream
// what the model makes of a slice, with a context that ends and with one that does
// not, and that it hands a failure on.
func makes[B any](t *testing.T, name string, op stream.Operator[int, B], model func([]int) []B) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		agree := func(values []int) bool {
			for i := range values {
				values[i] %= 10
			}
			want := model(slices.Clone(values))
			same := func(got []B, err error) bool {
				return err == nil && (len(got)+len(want) == 0 || reflect.DeepEqual(got, want))
			}
			return same(op(stream.FromSlice(values)).Collect(context.Background())) &&
				same(op(stream.FromSlice(values)).Collect(t.Context()))
		}
		if !agree(nil) {
			t.Error("an operator over no values: it differs from its model")
		}
		if err := quick.Check(agree, &quick.Config{MaxCount: 200}); err != nil {
			t.Errorf("an operator over random values: it differs from its model: %v", err)
		}
		if _, err := op(stream.Throw[int](errBroken)).Collect(t.Context()); err != errBroken {
			t.Errorf("a failing source ends it with %v", err)
		}
	})
}

func TestFilteringAgainstSlices(t *testing.T) {
	t.Parallel()
	for count := -1; count < 12; count++ {
		n := max(0, count)
		makes(t, fmt.Sprint("TakeLast ", count), operators.TakeLast[int](count), func(in []int) []int {
			return in[max(0, len(in)-n):]
		})
		makes(t, fmt.Sprint("Skip ", count), operators.Skip[int](count), func(in []int) []int {
			return in[min(n, len(in)):]
		})
		makes(t, fmt.Sprint("SkipLast ", count), operators.SkipLast[int](count), func(in []int) []int {
			return in[:max(0, len(in)-n)]
		})
		makes(t, fmt.Sprint("Distinct ", count), operators.Distinct[int](count), func(in []int) (out []int) {
			for _, v := range in {
				if !slices.Contains(out[max(0, len(out)-max(1, count)):], v) {
					out = append(out, v)
				}
			}
			return out
		})
	}
	makes(t, "SkipWhile", operators.SkipWhile(below(5)), func(in []int) []int {
		if i := slices.IndexFunc(in, func(n int) bool { return n >= 5 }); i >= 0 {
			return in[i:]
		}
		return nil
	})
	makes(t, "ElementAt", operators.ElementAt[int](3), func(in []int) []int {
		return in[min(3, len(in)):min(4, len(in))]
	})
	makes(t, "Find", operators.Find(even), func(in []int) []int {
		if i := slices.IndexFunc(in, even); i >= 0 {
			return in[i : i+1]
		}
		return nil
	})
	makes(t, "DistinctUntilChanged", operators.DistinctUntilChanged[int](), slices.Compact[[]int])
	makes(t, "DistinctUntilChangedFunc", operators.DistinctUntilChangedFunc(func(a, b int) bool { return even(a) == even(b) }),
		func(in []int) []int { return slices.CompactFunc(in, func(a, b int) bool { return even(a) == even(b) }) })
	makes(t, "IgnoreElements", operators.IgnoreElements[int](), func([]int) []int { return nil })
	makes(t, "Pairwise", operators.Pairwise[int](), func(in []int) (out []fold.Pair[int, int]) {
		for i := 1; i < len(in); i++ {
			out = append(out, fold.PairOf(in[i-1], in[i]))
		}
		return out
	})
}

func TestConcatAgainstSlices(t *testing.T) {
	all := func(in []int) []int { return in }
	makes(t, "Flatten of BufferCount", func(s stream.Observable[int]) stream.Observable[int] {
		return operators.Flatten[int]()(operators.BufferCount[int](3)(s))
	}, all)
	makes(t, "StartWith", operators.StartWith(7, 8), func(in []int) []int { return slices.Concat([]int{7, 8}, in) })
	makes(t, "EndWith", operators.EndWith(7, 8), func(in []int) []int { return slices.Concat(in, []int{7, 8}) })
	makes(t, "Concat", func(s stream.Observable[int]) stream.Observable[int] { return operators.Concat(s, s, s) },
		func(in []int) []int { return slices.Concat(in, in, in) })
	for n := range 5 {
		makes(t, fmt.Sprint("SkipLast then what TakeLast keeps ", n), func(s stream.Observable[int]) stream.Observable[int] {
			return operators.Concat(operators.SkipLast[int](n)(s), operators.TakeLast[int](n)(s))
		}, all)
		makes(t, fmt.Sprint("Take then what Skip leaves ", n), func(s stream.Observable[int]) stream.Observable[int] {
			return operators.Concat(operators.Take[int](n)(s), operators.Skip[int](n)(s))
		}, func(in []int) []int { return in })
	}
}

func TestSingle(t *testing.T) {
	single := operators.Single[int]()
	wantRun(t, single(stream.Just(7)), nil, 7)
	wantRun(t, single(stream.Empty[int]()), stream.ErrEmpty)
	wantRun(t, single(stream.Throw[int](errBroken)), errBroken)
	wantRun(t, single(concat(stream.Just(7), stream.Throw[int](errBroken))), errBroken)
	synctest.Test(t, func(t *testing.T) { // it does not wait for more
		wantRun(t, single(concat(stream.Just(7, 8), stream.Never[int]())), stream.ErrMoreThanOne)
	})
}

// What waits for the source's end must not take the end of its context for one.
func TestFilteringCancelledIsNoCompletion(t *testing.T) {
	forever := concat(stream.Just(2), stream.Never[int]())
	for name, source := range map[string]func(context.Context) error{
		"Single":       operators.Single[int]()(forever).Run,
		"TakeLast":     operators.TakeLast[int](1)(forever).Run,
		"ElementAt":    operators.ElementAt[int](1)(forever).Run,
		"EndWith":      operators.EndWith(1)(forever).Run,
		"ThrowIfEmpty": operators.ThrowIfEmpty[int](errOdd)(stream.Never[int]()).Run,
		"Default":      operators.DefaultIfEmpty(1)(stream.Never[int]()).Run,
		"Materialize":  operators.Materialize[int]()(forever).Run,
		"OnError":      operators.OnErrorReturn(func(error) int { return 1 })(forever).Run,
		"Retry":        operators.Retry[int](operators.RetryPolicy{})(forever).Run,
		"Max":          operators.Max[int]()(forever).Run,
		"All":          operators.All(even)(forever).Run,
		"Contains":     operators.Contains(1)(forever).Run,
		"FoldByKey":    operators.FoldByKey(byParity, fold.Sum[int]())(forever).Run,
		"FoldTumbling": operators.FoldTumbling(2, fold.Sum[int]())(forever).Run,
		"BufferCount":  operators.BufferCount[int](2)(forever).Run,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				go func() { synctest.Wait(); cancel(errBroken) }()
				if err := source(ctx); err != errBroken {
					t.Errorf("run with a context that is cancelled: got the error %v, want its cause", err)
				}
			})
		})
	}
}

func TestElementBeforeTheFirstDoesNotRunTheSource(t *testing.T) {
	wantRun(t, operators.ElementAt[int](-1)(mustNotRun(t)), nil)
}

func TestTakeLastOfNoneWaitsForTheSource(t *testing.T) {
	wantRun(t, operators.TakeLast[int](0)(stream.Throw[int](errBroken)), errBroken)
}

func TestFilteringIsDoneOnceItFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := concat(stream.Just(1, 2), stream.Never[int]())
		wantRun(t, operators.ElementAt[int](1)(source), nil, 2)
		wantRun(t, operators.Find(even)(source), nil, 2)
		wantRun(t, operators.Any(even)(source), nil, true)
		wantRun(t, operators.All(even)(source), nil, false)
		wantRun(t, operators.Contains(2)(source), nil, true)
	})
}

func TestDistinctKeepsNothingThatDoesNotEqualItself(t *testing.T) {
	nan := math.NaN()
	got, err := operators.Distinct[float64](2)(stream.Just(1, nan, nan, nan, 1, 2, 1)).Collect(t.Context())
	if want := "[1 NaN NaN NaN 2]"; err != nil || fmt.Sprint(got) != want {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

func TestOfTypeOfInterfaces(t *testing.T) {
	source := stream.Just[any](fold.Just(1), 2, errOdd, nil)
	stringers := operators.OfType[any, fmt.Stringer]()(source)
	wantRun(t, operators.Map(fmt.Stringer.String)(stringers), nil, "Just(1)")
	wantRun(t, operators.Map(error.Error)(operators.OfType[any, error]()(source)), nil, "odd")
}

func TestConcatRunsNothingTooEarly(t *testing.T) {
	wantRun(t, operators.Concat(stream.Throw[int](errBroken), mustNotRun(t)), errBroken)
	wantRun(t, operators.Take[int](2)(operators.Concat(stream.Just(1, 2), mustNotRun(t))), nil, 1, 2)
	wantRun(t, operators.Take[int](1)(operators.StartWith(7)(mustNotRun(t))), nil, 7)
	wantRun(t, operators.EndWith(7)(concat(stream.Just(1), stream.Throw[int](errBroken))), errBroken, 1)
}

// TestFilteringInlineAllocatesNothing is about a pipeline written where it runs.
func TestFilteringInlineAllocatesNothing(t *testing.T) {
	ctx := context.Background()
	allocations := testing.AllocsPerRun(100, func() {
		last := 0
		_ = stream.Pipe3(stream.Range(0, 1000),
			operators.Skip[int](10), operators.SkipWhile(even),
			operators.DistinctUntilChangedFunc(equal),
		).ForEach(ctx, func(n int) { last = n })
		sink = last
	})
	if allocations != 0 {
		t.Errorf("%v allocations a run, want none", allocations)
	}
}

func equal(a, b int) bool { return a == b }
