package operators_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
)

// inTurn reads each window to its end before it looks at the next one.
func inTurn(windows stream.Operator[int, group]) stream.Operator[int, string] {
	return readBy(windows, operators.ConcatMap(told))
}

// atOnce reads all windows that are open.
func atOnce(windows stream.Operator[int, group]) stream.Operator[int, string] {
	return readBy(windows, operators.MergeMap(told))
}

func init() {
	loses := streamtest.LosesOnFailure()
	const buffer = stream.DefaultBuffer
	ahead := streamtest.ReadAhead(2 * (buffer + 1) * 2)
	windows := streamtest.ReadAhead(2*(buffer+3) + buffer + 1) // of two values each, and what waits before them
	tick := stream.Interval(between)
	maps.Copy(contracts, map[string]func(*testing.T){
		"Window": func(t *testing.T) {
			t.Run("no boundary", func(t *testing.T) {
				streamtest.CheckOperator(t, inTurn(operators.Window[int](stream.Never[int]())), []int{1, 2}, []string{"0 [1 2]"}, loses, ahead)
			})
			t.Run("boundaries", func(t *testing.T) {
				streamtest.Check(t, inTurn(operators.Window[int](operators.Take[int](2)(tick)))(script(nil, step{500, 1}, step{600, 2}, step{1000, 0})),
					[]string{"0 []", "1 [1 2]", "2 []"})
			})
			t.Run("no readers", func(t *testing.T) {
				streamtest.CheckOperator(t, readBy(operators.Window[int](stream.Never[int]()), operators.Map(keyOf)), []int{1, 2}, []int{0}, loses, streamtest.ReadAhead(-1))
			})
			t.Run("failing boundary", func(t *testing.T) {
				streamtest.Check(t, operators.Map(keyOf)(operators.Window[int](stream.Throw[int](errBroken))(stream.Never[int]())), []int{0}, streamtest.Fails(errBroken))
			})
		},
		"WindowCount": func(t *testing.T) {
			t.Run("read", func(t *testing.T) {
				streamtest.CheckOperator(t, inTurn(operators.WindowCount[int](2)), []int{1, 2, 3}, []string{"0 [1 2]", "1 [3]"}, loses, windows)
			})
			t.Run("no readers", func(t *testing.T) {
				streamtest.CheckOperator(t, readBy(operators.WindowCount[int](2), operators.Map(keyOf)), []int{1, 2, 3}, []int{0, 1}, windows)
			})
		},
		"WindowCountEvery": func(t *testing.T) {
			t.Run("overlap", func(t *testing.T) {
				streamtest.CheckOperator(t, inTurn(operators.WindowCountEvery[int](3, 1)), []int{1, 2, 3, 4},
					[]string{"0 [1 2 3]", "1 [2 3 4]", "2 [3 4]", "3 [4]"}, loses, windows)
			})
			t.Run("gaps", func(t *testing.T) {
				streamtest.CheckOperator(t, inTurn(operators.WindowCountEvery[int](1, 2)), []int{1, 2, 3, 4}, []string{"0 [1]", "1 [3]"}, loses, windows)
			})
		},
		"WindowTime": func(t *testing.T) {
			t.Run("one", func(t *testing.T) {
				streamtest.CheckOperator(t, inTurn(operators.WindowTime[int](time.Hour)), []int{1, 2}, []string{"0 [1 2]"}, loses, ahead)
			})
			t.Run("endless", func(t *testing.T) {
				streamtest.Check(t, inTurn(operators.WindowTime[int](time.Second))(stream.Never[int]()), []string{"0 []", "1 []", "2 []"}, streamtest.Endless())
			})
		},
		"WindowTimeOrCount": func(t *testing.T) {
			t.Run("count", func(t *testing.T) {
				streamtest.CheckOperator(t, inTurn(operators.WindowTimeOrCount[int](time.Hour, 2)), []int{1, 2, 3}, []string{"0 [1 2]", "1 [3]"}, loses, windows)
			})
			t.Run("maxWait", func(t *testing.T) {
				streamtest.CheckOperator(t, apart(inTurn(operators.WindowTimeOrCount[int](between, 2))), []int{1, 2}, []string{"0 [1]", "1 [2]"}, loses, windows)
			})
		},
		"BufferBoundary": func(t *testing.T) {
			t.Run("no boundary", func(t *testing.T) {
				streamtest.CheckOperator(t, operators.BufferBoundary[int](stream.Never[int](), 2), []int{1, 2, 3}, [][]int{{1, 2}, {3}},
					loses, streamtest.ReadAhead(buffer+1))
			})
			t.Run("boundaries", func(t *testing.T) {
				streamtest.Check(t, operators.BufferBoundary[int](tick, 9)(stream.Never[int]()), [][]int{nil, nil, nil}, streamtest.Endless())
			})
			t.Run("failing boundary", func(t *testing.T) {
				streamtest.Check(t, operators.BufferBoundary[int](stream.Throw[int](errBroken), 9)(stream.Never[int]()), nil, streamtest.Fails(errBroken))
			})
		},
		"FoldTumblingTime": func(t *testing.T) {
			t.Run("one", func(t *testing.T) {
				streamtest.CheckOperator(t, operators.FoldTumblingTime(time.Hour, fold.Sum[int]()), []int{1, 2, 3}, []int{6}, loses)
			})
			t.Run("endless", func(t *testing.T) {
				streamtest.Check(t, operators.FoldTumblingTime(time.Second, fold.Product[int]())(stream.Never[int]()), []int{1, 1, 1}, streamtest.Endless())
			})
		},
		"FoldSlidingTime": func(t *testing.T) {
			t.Run("all", func(t *testing.T) {
				streamtest.CheckOperator(t, operators.FoldSlidingTime(time.Hour, 2, fold.Sum[int]()), []int{1, 2, 3, 4}, []int{1, 3, 5, 7})
			})
			t.Run("apart", func(t *testing.T) {
				streamtest.CheckOperator(t, apart(operators.FoldSlidingTime(between, 9, fold.Sum[int]())), []int{1, 2, 3}, []int{1, 2, 3})
			})
			t.Run("slices", func(t *testing.T) {
				streamtest.CheckOperator(t, operators.FoldSlidingTime(time.Hour, 2, fold.ConcatSlices[[]int]()),
					[][]int{{1}, {2, 3}, {4}}, [][]int{{1}, {1, 2, 3}, {2, 3, 4}})
			})
		},
	})
}

func TestWindowsByCountAgainstSlices(t *testing.T) {
	for range 40 {
		size, step := rand.IntN(9)-1, rand.IntN(9)-1
		values := make([]int, rand.IntN(60))
		for i := range values {
			values[i] = i
		}
		var want []string
		for i := 0; i < len(values); i += max(1, step) {
			want = append(want, fmt.Sprint(len(want), values[i:min(len(values), i+max(1, size))]))
		}
		got, err := inTurn(operators.WindowCountEvery[int](size, step))(stream.FromSlice(values)).Collect(t.Context())
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%d every %d: got %v, %v, want %v", size, step, got, err, want)
		}
		got, err = atOnce(operators.WindowCountEvery[int](size, step))(stream.FromSlice(values)).Collect(t.Context())
		slices.Sort(want)
		slices.Sort(got)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%d every %d: got %v, %v, want %v", size, step, got, err, want)
		}
	}
}

// Windows that overlap hold all that a reader who takes them in turn has not come to yet.
func TestWindowsThatOverlapReadInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size, count = 1000, 3000
		sums := operators.ConcatMap(func(g group) stream.Observable[int] { return operators.Count[int]()(g.Values()) })
		got, err := readBy(operators.WindowCountEvery[int](size, 1), sums)(stream.Range(0, count)).Collect(t.Context())
		if err != nil || len(got) != count || got[0] != size || got[count-size] != size || got[count-1] != 1 {
			t.Errorf("got %d windows, %v", len(got), err)
		}
	})
}

func TestWindowsByTime(t *testing.T) {
	source := func(err error) stream.Observable[int] {
		return script(err, step{100, 1}, step{200, 2}, step{1100, 3}, step{3500, 4}, step{3600, 5}, step{3700, 6}, step{4500, 0})
	}
	wantTimeline(t, inTurn(operators.WindowTime[int](time.Second))(source(nil)),
		"1000 0 [1 2]", "2000 1 [3]", "3000 2 []", "4000 3 [4 5 6]", "4500 4 []", "4500 <nil>")
	wantTimeline(t, inTurn(operators.WindowTime[int](time.Second))(source(errBroken)),
		"1000 0 [1 2]", "2000 1 [3]", "3000 2 []", "4000 3 [4 5 6]", "4500 broken")
	wantTimeline(t, inTurn(operators.WindowTimeOrCount[int](time.Second, 2))(source(nil)),
		"200 0 [1 2]", "2100 1 [3]", "3600 2 [4 5]", "4500 3 [6]", "4500 <nil>")
	boundary := script(nil, step{150, 0}, step{3550, 0}, step{3650, 0}, step{3800, 0})
	wantTimeline(t, inTurn(operators.Window[int](boundary))(source(nil)),
		"150 0 [1]", "3550 1 [2 3 4]", "3650 2 [5]", "4500 3 [6]", "4500 <nil>")
	failing := script(errBroken, step{150, 0}, step{3550, 0})
	wantTimeline(t, inTurn(operators.Window[int](failing))(source(nil)), "150 0 [1]", "3550 broken")
	wantTimeline(t, operators.BufferBoundary[int](boundary, 2)(source(nil)),
		"150 [1]", "1100 [2 3]", "3550 [4]", "3650 [5]", "4500 [6]", "4500 <nil>")
	wantTimeline(t, operators.BufferBoundary[int](boundary, 9)(source(errBroken)),
		"150 [1]", "3550 [2 3 4]", "3650 [5]", "4500 broken")
	wantTimeline(t, operators.Take[[]int](1)(operators.BufferBoundary[int](boundary, 9)(source(nil))), "150 [1]", "150 <nil>")
	wantTimeline(t, operators.FoldTumblingTime(time.Second, fold.Sum[int]())(source(nil)),
		"1000 3", "2000 3", "3000 0", "4000 15", "4500 <nil>")
	late := script(nil, step{100, 1}, step{1200, 2}, step{1500, 0})
	wantTimeline(t, operators.FoldTumblingTime(time.Second, fold.Sum[int]())(late), "1000 1", "1500 2", "1500 <nil>")
	wantTimeline(t, operators.FoldSlidingTime(time.Second, 9, fold.Sum[int]())(source(nil)),
		"100 1", "200 3", "1100 5", "3500 4", "3600 9", "3700 15", "4500 <nil>")
}

// A window that was skipped does not keep the others waiting, and one that was left
// before its end says so.
func TestWindowsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		skip := func(s stream.Observable[group]) stream.Observable[string] {
			return operators.ConcatMap(told)(operators.Skip[group](1)(s))
		}
		wantRun(t, readBy(operators.WindowCount[int](500), skip)(stream.Range(0, 501)), nil, "1 [500]")
		cut := func(s stream.Observable[group]) stream.Observable[string] {
			return operators.MergeMap(told)(operators.Take[group](1)(s))
		}
		err := readBy(operators.WindowTime[int](time.Hour), cut)(stream.Never[int]()).Run(t.Context())
		if !errors.Is(err, operators.ErrGroupClosed) {
			t.Errorf("run a window whose run was left: got the error %v, want ErrGroupClosed", err)
		}
	})
}

// The last values of a random walk through time, combined, against all of them.
func TestSlidingTimeAgainstModel(t *testing.T) {
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			span, limit := time.Duration(1+rand.IntN(50)), 1+rand.IntN(20)
			type timed struct {
				at time.Duration
				v  string
			}
			var all []timed
			var want []string
			start := time.Now()
			source := func(ctx context.Context, yield func(string) bool) error {
				for n := range 200 {
					time.Sleep(time.Duration(rand.IntN(9)))
					all = append(all, timed{time.Since(start), fmt.Sprint(n, ";")})
					text := ""
					for i, past := range all {
						if i >= len(all)-limit && time.Since(start)-past.at < span {
							text += past.v
						}
					}
					want = append(want, text)
					yield(all[n].v)
				}
				return nil
			}
			got, err := operators.FoldSlidingTime(span, limit, fold.ConcatStrings[string]())(source).Collect(t.Context())
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("span %d, limit %d: got %v, %v, want %v", span, limit, got, err, want)
			}
		})
	}
}

func TestSlidingTimeLeavesItsValuesAlone(t *testing.T) {
	roomy := func(n int) []int { return append(make([]int, 0, 8), n) }
	values := [][]int{roomy(1), roomy(2), roomy(3), roomy(4)}
	spoil := operators.Map(func(s []int) []int {
		seen := slices.Clone(s)
		clear(s)
		_ = append(s, -1, -1, -1)
		return seen
	})
	window := operators.FoldSlidingTime(time.Hour, 3, fold.ConcatSlices[[]int]())
	for range 2 {
		wantRun(t, spoil(window(stream.FromSlice(values))), nil, []int{1}, []int{1, 2}, []int{1, 2, 3}, []int{2, 3, 4})
	}
}

func TestSlidingTimeCombinesAConstantNumberOfTimesAValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const count = 20_000
		for _, limit := range []int{1, 2, 10, 1000, 2 * count} {
			combined := 0
			sum := fold.New(func() int { return 0 }, func(a, b int) int { combined++; return a + b })
			paced := operators.Tap(func(n int) {
				if n%100 == 0 {
					time.Sleep(time.Nanosecond)
				}
			})(stream.Range(0, count))
			if err := operators.FoldSlidingTime(50, limit, sum)(paced).Run(t.Context()); err != nil {
				t.Fatalf("FoldSlidingTime of at most %d values: got %v, want no error", limit, err)
			}
			if combined > 3*count {
				t.Errorf("at most %d values combined %d times for %d", limit, combined, count)
			}
		}
	})
}

// BenchmarkWindow shows what a value costs in a window of a hundred, beside a slice of them.
func BenchmarkWindow(b *testing.B) {
	sum := operators.Fold(fold.Sum[int]())
	b.Run("WindowCount", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = stream.Pipe2(stream.Range(0, million), operators.WindowCount[int](100),
				operators.ConcatMap(func(g group) stream.Observable[int] { return sum(g.Values()) }),
			).ForEach(context.Background(), func(v int) { sink = v })
		}
		perValue(b)
	})
	b.Run("FoldSlidingTime", func(b *testing.B) {
		for b.Loop() {
			_ = operators.FoldSlidingTime(time.Millisecond, 1000, fold.Max[int]())(stream.Range(0, million)).
				ForEach(context.Background(), func(v int) { sink = v })
		}
		perValue(b)
	})
}
