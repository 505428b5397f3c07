package operators_test

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
)

func init() {
	loses := streamtest.LosesOnFailure()
	const buffer = stream.DefaultBuffer
	sum := fold.Sum[int]()
	maps.Copy(contracts, map[string]func(*testing.T){
		"BufferTimeEvery": func(t *testing.T) {
			t.Run("one", func(t *testing.T) {
				streamtest.CheckOperator(t, operators.BufferTimeEvery[int](2*time.Hour, time.Hour, 9), []int{1, 2, 3}, [][]int{{1, 2, 3}}, loses)
			})
			t.Run("endless", func(t *testing.T) {
				streamtest.Check(t, lengths(operators.BufferTimeEvery[int](2*time.Second, time.Second, 2)(stream.Never[int]())), []int{0, 0, 0}, streamtest.Endless())
			})
		},
		"FoldHoppingTime": func(t *testing.T) {
			t.Run("one", func(t *testing.T) {
				streamtest.CheckOperator(t, operators.FoldHoppingTime(2*time.Hour, time.Hour, sum), []int{1, 2, 3}, []int{6}, loses)
			})
			t.Run("endless", func(t *testing.T) {
				streamtest.Check(t, operators.FoldHoppingTime(2*time.Second, time.Second, fold.Product[int]())(stream.Never[int]()), []int{1, 1, 1}, streamtest.Endless())
			})
		},
		"WindowTimeEvery": func(t *testing.T) {
			t.Run("one", func(t *testing.T) {
				streamtest.CheckOperator(t, inTurn(operators.WindowTimeEvery[int](2*time.Hour, time.Hour)), []int{1, 2}, []string{"0 [1 2]"}, loses,
					streamtest.ReadAhead(4*(buffer+1)))
			})
			t.Run("endless", func(t *testing.T) {
				streamtest.Check(t, inTurn(operators.WindowTimeEvery[int](2*time.Second, time.Second))(stream.Never[int]()), []string{"0 []", "1 []", "2 []"}, streamtest.Endless())
			})
		},
	})
	maps.Copy(leavings, map[string]func(ints) ints{
		"BufferTimeEvery": func(s ints) ints { return lengths(operators.BufferTimeEvery[int](2*ms, ms, 9)(s)) },
		"FoldHoppingTime": operators.FoldHoppingTime(2*ms, ms, sum),
		"WindowTimeEvery": func(s ints) ints { return ungrouped(operators.WindowTimeEvery[int](2*time.Hour, time.Hour)(s)) },
	})
	sizesOf["BufferTimeEvery limit"] = func(n int) tried {
		return tried{over: lengths(operators.BufferTimeEvery[int](time.Hour, time.Minute, n)(twenty)), values: 1}
	}
	hop := func(name string, over func(size, every time.Duration) ints) {
		durationsOf[name+" size"] = func(d time.Duration) tried { return tried{over: over(d, 3*ms), values: some} }
		durationsOf[name+" every"] = func(d time.Duration) tried { return tried{over: over(3*ms, d), values: some} }
	}
	hop("BufferTimeEvery", func(size, every time.Duration) ints {
		return lengths(operators.BufferTimeEvery[int](size, every, 40)(twenty))
	})
	hop("FoldHoppingTime", func(size, every time.Duration) ints { return operators.FoldHoppingTime(size, every, sum)(twenty) })
	hop("WindowTimeEvery", func(size, every time.Duration) ints {
		return ungrouped(operators.WindowTimeEvery[int](size, every)(twenty))
	})
}

// hopped are the values of each window of a script that ends with err, and when it is emitted:
// at its end, or at the end of the run if that comes first and there is a value. A window
// needs at most limit values.
func hopped(steps []step, err error, size, every time.Duration, limit int) (windows [][]int, at []time.Duration) {
	values, end := cut(steps)
	dropped := make([]time.Duration, len(values))
	for i, s := range values {
		dropped[i] = math.MaxInt64
		needed := 0
		for j := i; j >= 0; j-- { // drop the oldest if windows need more
			if last := values[j].time() / every * every; last+size > s.time() && dropped[j] > s.time() {
				if needed++; needed > limit {
					dropped[j] = s.time()
				}
			}
		}
	}
	for begin := time.Duration(0); begin <= end; begin += every {
		window, shown := []int{}, min(begin+size, end)
		for i, s := range values {
			if begin <= s.time() && s.time() < begin+size && dropped[i] > shown {
				window = append(window, s.value)
			}
		}
		switch {
		case begin+size < end:
			windows, at = append(windows, window), append(at, begin+size)
		case err == nil && len(window) > 0:
			windows, at = append(windows, window), append(at, end)
		}
	}
	return windows, at
}

// randomHops are a size and a distance of windows.
func randomHops(random *rand.Rand) (size, every time.Duration) {
	return time.Duration(1+random.IntN(120))*ms + odd, time.Duration(4+random.IntN(90))*ms + 3*odd
}

func TestBufferTimeEveryAgainstAModel(t *testing.T) {
	wantModel(t, func(random *rand.Rand, steps []step, err error) (func(context.Context) []string, []string) {
		size, every := randomHops(random)
		limit := 1 + random.IntN(8)
		windows, at := hopped(steps, err, size, every, limit)
		var told []string
		for i, window := range windows {
			told = append(told, seenAt(at[i], window))
		}
		_, end := cut(steps)
		return func(ctx context.Context) []string {
			return timeline(ctx, operators.BufferTimeEvery[int](size, every, limit)(script(err, steps...)))
		}, append(told, seenAt(end, err))
	})
}

func TestFoldHoppingTimeAgainstAModel(t *testing.T) {
	join := fold.ConcatStrings[string]() // order matters
	wantModel(t, func(random *rand.Rand, steps []step, err error) (func(context.Context) []string, []string) {
		size, every := randomHops(random)
		windows, at := hopped(steps, err, size, every, len(steps))
		var told []string
		for i, window := range windows {
			told = append(told, seenAt(at[i], fold.SliceFunc(join, window, func(n int) string { return fmt.Sprint(n) })))
		}
		_, end := cut(steps)
		return func(ctx context.Context) []string {
			letters := operators.Map(func(n int) string { return fmt.Sprint(n) })(script(err, steps...))
			return timeline(ctx, operators.FoldHoppingTime(size, every, join)(letters))
		}, append(told, seenAt(end, err))
	})
}

// toldByGroups is all that the groups tell, each with its name, as it comes.
func toldByGroups[K comparable](op stream.Operator[int, operators.Group[K, int]], name func(K) string) stream.Operator[int, string] {
	return func(source ints) stream.Observable[string] {
		return operators.MergeMap(func(g operators.Group[K, int]) stream.Observable[string] {
			return operators.Map(func(n operators.Notification[int]) string { return fmt.Sprint(name(g.Key), " ", n) })(operators.Materialize[int]()(g.Values()))
		})(op(source))
	}
}

func TestWindowTimeEveryAgainstAModel(t *testing.T) {
	t.Parallel()
	wantModel(t, func(random *rand.Rand, steps []step, err error) (func(context.Context) []string, []string) {
		size, every := randomHops(random)
		windows := operators.WindowTimeEvery[int](size, every)
		if random.IntN(4) == 0 {
			every, windows = size, operators.WindowTime[int](size)
		}
		values, end := cut(steps)
		type happened struct {
			at   time.Duration
			what string
		}
		var all []happened
		for number, begin := 0, time.Duration(0); begin < end || begin == 0; number, begin = number+1, begin+every {
			for _, s := range values {
				if begin <= s.time() && s.time() < begin+size {
					all = append(all, happened{s.time(), fmt.Sprintf("%d Next(%d)", number, s.value)})
				}
			}
			switch {
			case begin+size < end:
				all = append(all, happened{begin + size, fmt.Sprint(number, " Complete")})
			case err != nil:
				all = append(all, happened{end, fmt.Sprintf("%d Error(%v)", number, err)})
			default:
				all = append(all, happened{end, fmt.Sprint(number, " Complete")})
			}
		}
		var want []string
		for _, h := range all {
			if err == nil || h.at < end { // the run is over when it fails, whatever its groups have to tell
				want = append(want, seenAt(h.at, h.what))
			}
		}
		slices.Sort(want)
		op := toldByGroups(windows, func(n int) string { return fmt.Sprint(n) })
		return func(ctx context.Context) []string {
			got := timeline(ctx, op(script(err, steps...)))
			got = slices.DeleteFunc(got, func(line string) bool {
				return line == seenAt(end, err) || err != nil && strings.HasPrefix(line, seenAt(end, ""))
			})
			slices.Sort(got)
			return got
		}, want
	})
}
