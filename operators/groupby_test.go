package operators_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
)

type group = operators.Group[int, int]

func itself(n int) int { return n }
func mod3(n int) int   { return n % 3 }

// keyOf looks at the key alone, so that the group has no reader.
func keyOf(g group) int { return g.Key }

// told is a group's key and values, once it has all.
func told(g group) stream.Observable[string] {
	return operators.Map(func(values []int) string { return fmt.Sprint(g.Key, values) })(toSlice(g.Values()))
}

func toSlice(source stream.Observable[int]) stream.Observable[[]int] {
	return operators.Reduce(from[[]int](nil), func(all []int, n int) []int { return append(slices.Clip(all), n) })(source)
}

// readBy makes an operator of one that makes groups and what reads them.
func readBy[B any](op stream.Operator[int, group], read stream.Operator[group, B]) stream.Operator[int, B] {
	return func(source stream.Observable[int]) stream.Observable[B] { return read(op(source)) }
}

func init() {
	loses, unordered := streamtest.LosesOnFailure(), streamtest.Unordered()
	maps.Copy(contracts, map[string]func(*testing.T){
		"GroupBy": func(t *testing.T) {
			t.Run("no readers", func(t *testing.T) {
				streamtest.CheckOperator(t, readBy(operators.GroupBy(mod3), operators.Map(keyOf)),
					[]int{1, 2, 4, 3}, []int{1, 2, 0}, streamtest.ReadAhead(-1))
			})
			t.Run("folds", func(t *testing.T) {
				streamtest.CheckOperator(t, readBy(operators.GroupBy(mod3), operators.MergeMap(told)),
					[]int{1, 2, 4, 3}, []string{"1 [1 4]", "2 [2]", "0 [3]"}, loses, unordered)
			})
			t.Run("values", func(t *testing.T) {
				merge := operators.MergeMap(group.Values, operators.Buffer(1))
				streamtest.CheckOperator(t, readBy(operators.GroupBy(mod3, operators.GroupBuffer(1, stream.Block)), merge),
					[]int{1, 2, 3}, []int{1, 2, 3}, loses, unordered, streamtest.ReadAhead(3*4))
			})
			t.Run("ends by count", func(t *testing.T) {
				streamtest.CheckOperator(t, readBy(operators.GroupBy(mod3, operators.GroupCount(2)), operators.ConcatMap(told)),
					[]int{1, 4, 1, 7}, []string{"1 [1 4]", "1 [1 7]"}, loses, streamtest.ReadAhead(2*(stream.DefaultBuffer+3)))
			})
			t.Run("reopens", func(t *testing.T) {
				streamtest.CheckOperator(t, readBy(operators.GroupBy(mod3, operators.GroupReopens()), operators.MergeMap(told)),
					[]int{1, 2, 4, 3}, []string{"1 [1 4]", "2 [2]", "0 [3]"}, loses, unordered)
			})
			t.Run("idle", func(t *testing.T) {
				streamtest.CheckOperator(t, apart(readBy(operators.GroupBy(mod3, operators.GroupIdle(between)), operators.ConcatMap(told))),
					[]int{1, 4}, []string{"1 [1]", "1 [4]"}, loses, streamtest.ReadAhead(2*(stream.DefaultBuffer+3)))
			})
			t.Run("too many", func(t *testing.T) {
				streamtest.Check(t, operators.Map(keyOf)(operators.GroupBy(itself, operators.GroupLimit(2))(stream.Just(1, 2, 1, 3))),
					[]int{1, 2}, streamtest.Fails(operators.ErrTooManyGroups))
			})
		},
	})
}

// Groups end and begin as in a simple model, and each has its values in their order.
func TestGroupByAgainstModel(t *testing.T) {
	for range 60 {
		values := make([]int, rand.IntN(300))
		for i := range values {
			values[i] = rand.IntN(20)
		}
		limit, count := 1+rand.IntN(20), rand.IntN(5)
		options := []operators.GroupOption{operators.GroupLatest(limit), operators.GroupBuffer(1+rand.IntN(3), stream.Block)}
		if count > 0 {
			options = append(options, operators.GroupCount(count))
		}
		want := modelGroups(values, limit, count)
		got, err := readBy(operators.GroupBy(itself, options...), operators.MergeMap(told))(stream.FromSlice(values)).Collect(t.Context())
		slices.Sort(want)
		slices.Sort(got)
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("limit %d, count %d, %v: got %v, %v; want %v", limit, count, values, got, err, want)
		}
	}
}

// modelGroups are the groups of values by themselves, when limit may be open and each
// ends with count values, if that is not zero.
func modelGroups(values []int, limit, count int) (ended []string) {
	var open [][]int // the one without a value for longest first
	end := func(i int) {
		ended = append(ended, fmt.Sprint(open[i][0], open[i]))
		open = slices.Delete(open, i, i+1)
	}
	for _, v := range values {
		var g []int
		if i := slices.IndexFunc(open, func(g []int) bool { return g[0] == v }); i >= 0 {
			g = open[i]
			open = slices.Delete(open, i, i+1)
		} else if len(open) == limit {
			end(0)
		}
		if open = append(open, append(g, v)); count > 0 && len(g)+1 == count {
			end(len(open) - 1)
		}
	}
	for len(open) > 0 {
		end(0)
	}
	return ended
}

func TestGroupByGroupThatNobodyReadsStallsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		odd := operators.Filter(func(g group) bool { return g.Key == 1 })
		count := operators.MergeMap(func(g group) stream.Observable[int] { return operators.Count[int]()(g.Values()) })
		read := func(groups stream.Observable[group]) stream.Observable[int] { return count(odd(groups)) }
		wantRun(t, readBy(operators.GroupBy(mod3), read)(stream.Range(0, 30_000)), nil, 10_000)
	})
}

// A reader that has enough does not stall the others, and its group is not opened again.
func TestGroupByGroupWhoseReaderLeftIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := operators.MergeMap(func(g group) stream.Observable[int] { return operators.Take[int](1)(g.Values()) })
		wantRun(t, sorted(readBy(operators.GroupBy(mod3), first)(stream.Range(0, 30_000))), nil, 0, 1, 2)
		for _, overflow := range []stream.Overflow{stream.DropOldest, stream.DropNewest, stream.Fail} {
			op := operators.GroupBy(mod3, operators.GroupBuffer(30_000, overflow))
			wantRun(t, sorted(readBy(op, first)(stream.Range(0, 30_000))), nil, 0, 1, 2)
		}
	})
}

func TestGroupByReaderThatIsSlowSlowsTheSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made, taken := 0, 0
		source := operators.Tap(func(int) { made++ })(stream.Range(0, 50))
		slow := operators.ConcatMap(func(g group) stream.Observable[int] {
			return operators.Tap(func(int) {
				taken++
				synctest.Wait()
				if ahead := made - taken; ahead > 3+1 {
					t.Errorf("%d values ahead", ahead)
				}
			})(g.Values())
		})
		op := operators.GroupBy(func(int) int { return 0 }, operators.GroupBuffer(3, stream.Block))
		if err := readBy(op, slow)(source).Run(t.Context()); err != nil || taken != 50 {
			t.Errorf("%d values, %v", taken, err)
		}
	})
}

func TestGroupByOverflowOfAGroup(t *testing.T) {
	collect := func(ctx context.Context, overflow stream.Overflow) ([]int, error) {
		slow := operators.ConcatMap(func(g group) stream.Observable[int] {
			synctest.Wait() // until the source has nothing more
			return g.Values()
		})
		op := operators.GroupBy(func(int) int { return 0 }, operators.GroupBuffer(2, overflow))
		return readBy(op, slow)(concat(stream.Range(0, 9), after[int](time.Second))).Collect(ctx)
	}
	for overflow, want := range map[stream.Overflow][]int{
		stream.DropOldest: {7, 8}, stream.DropNewest: {0, 1}, stream.Fail: {0, 1}, stream.Block: {0, 1, 2, 3, 4, 5, 6, 7, 8},
	} {
		synctest.Test(t, func(t *testing.T) {
			got, err := collect(t.Context(), overflow)
			if !slices.Equal(got, want) || errors.Is(err, stream.ErrOverflow) != (overflow == stream.Fail) {
				t.Errorf("overflow %d: got %v, %v, want %v", overflow, got, err, want)
			}
		})
	}
}

func TestGroupByValuesAskedForTooLate(t *testing.T) {
	groups, err := operators.GroupBy(mod3)(stream.Just(1, 4)).Collect(t.Context())
	if err != nil || len(groups) != 1 {
		t.Fatalf("collect the groups of 1 and 4: got %v and the error %v, want one group", groups, err)
	}
	err = groups[0].Values().Run(t.Context())
	if !errors.Is(err, operators.ErrGroupClosed) || !strings.Contains(err.Error(), "values of 1") {
		t.Errorf("run values that were asked for too late: got the error %v, want ErrGroupClosed for the values of 1", err)
	}
}

// What waits in a group is there after the run that made it, and so is how that ended.
func TestGroupByValuesRunAfterTheRunThatMadeThem(t *testing.T) {
	values := operators.Map(group.Values)
	for name, c := range map[string]struct {
		source stream.Observable[int]
		err    error
	}{
		"completed": {stream.Just(1, 4), nil},
		"failed":    {concat(stream.Just(1, 4), stream.Throw[int](errBroken)), errBroken},
	} {
		t.Run(name, func(t *testing.T) {
			kept, err := values(operators.GroupBy(mod3)(c.source)).Collect(t.Context())
			if !errors.Is(err, c.err) || len(kept) != 1 {
				t.Fatalf("got %d groups, %v", len(kept), err)
			}
			wantRun(t, kept[0], c.err, 1, 4)
			wantRun(t, kept[0], stream.ErrObserved)
		})
	}
	t.Run("left", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			kept := values(operators.GroupBy(mod3)(concat(stream.Just(1, 4), stream.Never[int]()))).First(t.Context()).GetOr(nil)
			err := kept.Run(t.Context())
			if !errors.Is(err, operators.ErrGroupClosed) {
				t.Errorf("run values of a run that was left: got the error %v, want ErrGroupClosed", err)
			}
		})
	})
	t.Run("cancelled", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(time.Second, func() { cancel(errBroken) })
			kept, err := values(operators.GroupBy(mod3)(concat(stream.Just(1, 4), stream.Never[int]()))).Collect(ctx)
			if !errors.Is(err, errBroken) || len(kept) != 1 {
				t.Fatalf("got %d groups, %v", len(kept), err)
			}
			wantRun(t, kept[0], errBroken, 1, 4)
		})
	})
	t.Run("panicked", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var kept stream.Observable[int]
			func() {
				defer func() { _ = recover() }()
				_ = values(operators.GroupBy(mod3)(stream.Defer(func() stream.Observable[int] {
					return operators.Tap(func(n int) {
						if n == 4 {
							synctest.Wait()
							panic(errBroken)
						}
					})(stream.Just(1, 4))
				}))).ForEach(t.Context(), func(v stream.Observable[int]) { kept = v })
			}()
			wantRun(t, kept, operators.ErrGroupClosed, 1)
		})
	})
}

func TestGroupByIdleGroupsEnd(t *testing.T) {
	source := script(nil, step{0, 1}, step{400, 2}, step{900, 1}, step{1800, 5}, step{2100, 2}, step{5000, 0})
	read := operators.MergeMap(told)
	wantTimeline(t, readBy(operators.GroupBy(mod3, operators.GroupIdle(time.Second)), read)(source),
		"1400 2 [2]", "1900 1 [1 1]", "3100 2 [5 2]", "5000 <nil>")
}

// Each value of a key that does not equal itself has a group, and ends it as others end.
func TestGroupsOfNaN(t *testing.T) {
	nan := func(int) float64 { return math.NaN() }
	count := operators.MergeMap(func(g operators.Group[float64, int]) stream.Observable[int] {
		return operators.Count[int]()(g.Values())
	})
	for _, option := range []operators.GroupOption{operators.GroupCount(1), operators.GroupLatest(1), operators.GroupLimit(3)} {
		wantRun(t, count(operators.GroupBy(nan, option)(stream.Range(0, 3))), nil, 1, 1, 1)
	}
}

func TestGroupByTooManyGroupsEndsAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, err := readBy(operators.GroupBy(itself, operators.GroupLimit(2)), operators.MergeMap(told))(stream.Range(0, 3)).Collect(t.Context())
		if !errors.Is(err, operators.ErrTooManyGroups) || !strings.Contains(err.Error(), "2 are open, and there is a value for 2") {
			t.Errorf("group by three keys with a limit of 2: got the error %v, want ErrTooManyGroups that says so", err)
		}
	})
}

// BenchmarkGroupBy compares a fold of each of a hundred groups with the loop a hand would
// write. The goal: at most 5 times the loop.
func BenchmarkGroupBy(b *testing.B) {
	key := func(n int) int { return n % 100 }
	b.Run("loop", func(b *testing.B) {
		for b.Loop() {
			totals := make(map[int]int)
			for i := range million {
				totals[key(i)] += i
			}
			sink = totals[7]
		}
		perValue(b)
	})
	cancellable, cancel := context.WithCancel(context.Background())
	defer cancel()
	sum := operators.Fold(fold.Sum[int]())
	for name, ctx := range map[string]context.Context{"plain": context.Background(), "cancellable": cancellable} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				total := 0
				err := stream.Pipe2(stream.Range(0, million), operators.GroupBy(key),
					operators.MergeMap(func(g group) stream.Observable[int] { return sum(g.Values()) }),
				).ForEach(ctx, func(v int) { total += v })
				if total != million*(million-1)/2 {
					b.Fatalf("sum a million numbers by their groups: got %d and the error %v, want %d", total, err, million*(million-1)/2)
				}
			}
			perValue(b)
		})
	}
}
