package operators_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
)

// ofBoth is what ZipLongest makes of two ints, of which one may be missing.
func ofBoth(a, b fold.Maybe[int]) int { return a.GetOr(-1)*10 + b.GetOr(-1) }

func init() {
	all := []int{1, 2, 3}
	readAhead := streamtest.ReadAhead(stream.DefaultBuffer + 1)
	beside := []streamtest.Option{streamtest.LosesOnFailure(), readAhead}
	maps.Copy(contracts, map[string]func(*testing.T){
		"ConcatMapEager": func(t *testing.T) {
			t.Run("default", func(t *testing.T) {
				streamtest.CheckOperator(t, operators.ConcatMapEager(twice), all, []int{1, 1, 2, 2, 3, 3}, readAhead)
			})
			t.Run("one at a time", func(t *testing.T) {
				streamtest.CheckOperator(t, operators.ConcatMapEager(twice, operators.Limit(1), operators.Buffer(1)),
					all, []int{1, 1, 2, 2, 3, 3}, streamtest.ReadAhead(1))
			})
			t.Run("failure", func(t *testing.T) {
				odd := func(n int) stream.Observable[int] { return operators.MapErr(half)(stream.Just(n, n+1)) }
				streamtest.Check(t, operators.ConcatMapEager(odd)(stream.Just(2, 4)), []int{1}, streamtest.Fails(errOdd))
			})
		},
		"MergeDelayError": func(t *testing.T) {
			merge := func(s ints) ints { return operators.MergeDelayError(s, stream.Just(7, 8)) }
			streamtest.CheckOperator(t, merge, all, []int{1, 2, 3, 7, 8}, streamtest.Unordered(), readAhead)
			t.Run("failure", func(t *testing.T) {
				failing := operators.MergeDelayError(stream.Throw[int](errOdd), stream.Just(7, 8))
				streamtest.Check(t, failing, []int{7, 8}, streamtest.Fails(errOdd))
			})
		},
		"MergeSorted": func(t *testing.T) {
			t.Run("two", func(t *testing.T) {
				merge := func(s ints) ints { return operators.MergeSorted(cmp.Compare[int], s, stream.Just(0, 2, 9)) }
				streamtest.CheckOperator(t, merge, all, []int{0, 1, 2, 2, 3, 9}, beside...)
			})
			t.Run("none", func(t *testing.T) { streamtest.Check(t, operators.MergeSorted(cmp.Compare[int]), nil) })
		},
		"ZipLongest": func(t *testing.T) {
			zip := func(s ints) ints { return operators.ZipLongest(s, stream.Just(5, 6), ofBoth) }
			streamtest.CheckOperator(t, zip, all, []int{15, 26, 29}, beside...)
		},
		"ZipLatest": func(t *testing.T) {
			zip := func(s ints) ints { return operators.ZipLatest(s, after(time.Hour, 10), add) }
			streamtest.CheckOperator(t, zip, all, []int{13}, beside...)
		},
	})
}

// The answers come in the order of the questions, which are all asked at once.
func ExampleConcatMapEager() {
	answer := func(question string) stream.Observable[string] {
		return stream.Just(question+"?", question+"!")
	}
	show(operators.ConcatMapEager(answer, operators.Limit(4))(stream.Just("who", "why")))
	// Output: [who? who! why? why!] <nil>
}

// What works is done, and then it is said what does not.
func ExampleMergeDelayError() {
	broken := stream.Throw[string](errors.New("no such disk"))
	show(operators.MergeDelayError(broken, stream.Just("a", "b")))
	// Output: [a b] no such disk
}

func ExampleMergeSorted() {
	show(operators.MergeSorted(cmp.Compare[int], stream.Just(1, 4, 9), stream.Just(2, 3), stream.Just(5)))
	// Output: [1 2 3 4 5 9] <nil>
}

func ExampleZipLongest() {
	side := func(left, right fold.Maybe[string]) string { return left.GetOr("-") + right.GetOr("-") }
	show(operators.ZipLongest(stream.Just("a", "b", "c"), stream.Just("x"), side))
	// Output: [ax b- c-] <nil>
}

// A price for each tick: the last one there is, and none twice.
func ExampleZipLatest() {
	prices := operators.Concat(stream.Just(20, 21, 22), stream.Never[int]())
	tick := stream.Timer(100 * time.Millisecond)
	show(operators.ZipLatest(prices, tick, func(price int, _ time.Time) int { return price }))
	// Output: [22] <nil>
}

// shifted is a script a bit later, so that none of its steps is at the time of another's.
func shifted(steps []step, by int) []step {
	out := slices.Clone(steps)
	for i := range out {
		out[i].at += by
	}
	return out
}

func TestConcatMapEagerAgainstAModel(t *testing.T) {
	t.Parallel()
	wantModel(t, func(random *rand.Rand, steps []step, err error) (func(context.Context) []string, []string) {
		type inner struct {
			steps []step
			err   error
		}
		limit, buffer := 1+random.IntN(4), 1+random.IntN(4)
		values, end := cut(steps)
		var inners []inner
		for i := range values {
			values[i].value = i
			s, err := randomScript(random, 4, 9)
			if random.IntN(5) > 0 {
				err = nil
			}
			inners = append(inners, inner{s, err})
		}
		run := func(ctx context.Context) []string {
			return timeline(ctx, operators.ConcatMapEager(func(n int) ints { return script(inners[n].err, inners[n].steps...) },
				operators.Limit(limit), operators.Buffer(buffer))(script(err, steps...)))
		}
		var told []string
		over := make([]time.Duration, len(inners)) // when the turn of each is
		var begun, now time.Duration
		for i, in := range inners {
			if begun = max(begun, values[i].time()); i >= limit {
				begun = max(begun, over[i-limit])
			}
			now = max(now, begun)
			emitted, last := cut(in.steps)
			for _, s := range emitted {
				now = max(now, begun+s.time())
				told = append(told, seenAt(now, s.value))
			}
			now = max(now, begun+last)
			over[i] = now
			if in.err != nil {
				return run, append(told, seenAt(now, in.err))
			}
		}
		return run, append(told, seenAt(max(now, end), err))
	})
}

func TestMergeSortedAgainstAModel(t *testing.T) {
	wantModel(t, func(random *rand.Rand, _ []step, _ error) (func(context.Context) []string, []string) {
		scripts := make([][]step, random.IntN(5))
		sources := make([]ints, len(scripts))
		for i := range scripts {
			steps, _ := randomScript(random, 8, 20)
			slices.SortFunc(steps[:len(steps)-1], func(a, b step) int { return cmp.Compare(a.at*1000+a.value, b.at*1000+b.value) })
			for j := range steps[:len(steps)-1] { // sorted by value too
				if j > 0 {
					steps[j].value = max(steps[j].value, steps[j-1].value)
				}
			}
			scripts[i], sources[i] = steps, script(nil, steps...)
		}
		run := func(ctx context.Context) []string {
			return timeline(ctx, operators.MergeSorted(cmp.Compare[int], sources...))
		}
		var told []string
		now := time.Duration(0)
		for {
			next := -1
			for i, s := range scripts {
				now = max(now, s[0].time())
				if len(s) > 1 && (next < 0 || s[0].value < scripts[next][0].value) {
					next = i
				}
			}
			if next < 0 {
				return run, append(told, seenAt(now, error(nil)))
			}
			told = append(told, seenAt(now, scripts[next][0].value))
			scripts[next] = scripts[next][1:]
		}
	})
}

func TestMergeSortedKeepsEqualsInTheOrderOfTheirSources(t *testing.T) {
	byTens := func(a, b int) int { return a/10 - b/10 }
	wantRun(t, operators.MergeSorted(byTens, stream.Just(11, 12, 21), stream.Just(13, 22), stream.Just(14)), nil, 11, 12, 13, 14, 21, 22)
}

func TestMergeSortedFailsAfterWhatCameBefore(t *testing.T) {
	failing := script(errBroken, step{10, 2}, step{20, 5}, step{50, 0})
	wantTimeline(t, operators.MergeSorted(cmp.Compare[int], failing, script(nil, step{0, 1}, step{30, 6}, step{40, 7}, step{60, 0})),
		"10 1", "30 2", "30 5", "50 broken")
}

func TestMergeDelayErrorAgainstAModel(t *testing.T) {
	wantModel(t, func(random *rand.Rand, _ []step, _ error) (func(context.Context) []string, []string) {
		var sources []ints
		var all []step
		var failures []error
		var end time.Duration
		for i := range random.IntN(4) {
			steps, err := randomScript(random, 6, 9)
			if err != nil {
				err = fmt.Errorf("source %d: %w", i, err)
				failures = append(failures, err)
			}
			steps = shifted(steps, i)
			sources = append(sources, script(err, steps...))
			values, last := cut(steps)
			all, end = append(all, values...), max(end, last)
		}
		run := func(ctx context.Context) []string { return timeline(ctx, operators.MergeDelayError(sources...)) }
		slices.SortStableFunc(all, func(a, b step) int { return a.at - b.at })
		var told []string
		for _, s := range all {
			told = append(told, seenAt(s.time(), s.value))
		}
		return run, append(told, seenAt(end, errors.Join(failures...)))
	})
}

func TestZipLongestAgainstAModel(t *testing.T) {
	wantModel(t, func(random *rand.Rand, a []step, _ error) (func(context.Context) []string, []string) {
		b, _ := randomScript(random, 14, 9)
		run := func(ctx context.Context) []string {
			return timeline(ctx, operators.ZipLongest(script(nil, a...), script(nil, b...), ofBoth))
		}
		var told []string
		at := func(steps []step, i int) (time.Duration, fold.Maybe[int]) {
			if last := len(steps) - 1; i >= last {
				return steps[last].time(), fold.Nothing[int]()
			}
			return steps[i].time(), fold.Just(steps[i].value)
		}
		for i := range max(len(a), len(b)) - 1 {
			when, left := at(a, i)
			whenB, right := at(b, i)
			told = append(told, seenAt(max(when, whenB), ofBoth(left, right)))
		}
		_, endA := cut(a)
		_, endB := cut(b)
		return run, append(told, seenAt(max(endA, endB), error(nil)))
	})
}

func TestZipLatestAgainstAModel(t *testing.T) {
	wantModel(t, func(random *rand.Rand, a []step, _ error) (func(context.Context) []string, []string) {
		b, _ := randomScript(random, 14, 9)
		b = shifted(b, 5)
		run := func(ctx context.Context) []string {
			return timeline(ctx, operators.ZipLatest(script(nil, a...), script(nil, b...), func(x, y int) int { return 10*x + y }))
		}
		var told []string
		fresh := [2]int{-1, -1}
		sources := [2][]step{a, b}
		ended := [2]bool{}
		for {
			side := 0
			if len(sources[0]) == 0 || len(sources[1]) > 0 && sources[1][0].at < sources[0][0].at {
				side = 1
			}
			s := sources[side][0]
			sources[side] = sources[side][1:]
			if ended[side] = len(sources[side]) == 0; !ended[side] {
				fresh[side] = s.value
				if fresh[0] < 0 || fresh[1] < 0 {
					continue
				}
				told = append(told, seenAt(s.time(), 10*fresh[0]+fresh[1]))
				fresh = [2]int{-1, -1}
			}
			if ended[0] && fresh[0] < 0 || ended[1] && fresh[1] < 0 {
				return run, append(told, seenAt(s.time(), error(nil)))
			}
		}
	})
}

func TestOrderingsRefuseNil(t *testing.T) {
	one, sum := stream.Just(1), func(a, b int) int { return a + b }
	var none ints
	for operator, compose := range map[string]func(){
		"ConcatMapEager":  func() { operators.ConcatMapEager[int, int](nil) },
		"MergeDelayError": func() { operators.MergeDelayError(one, none) },
		"MergeSorted":     func() { operators.MergeSorted(nil, one) },
		"ZipLongest":      func() { operators.ZipLongest(one, none, ofBoth) },
		"ZipLatest":       func() { operators.ZipLatest(none, one, sum) },
	} {
		wantRefused(t, operator, compose)
	}
	wantRefused(t, "MergeSorted", func() { operators.MergeSorted(cmp.Compare[int], one, none) })
}

func TestBufferingOfOrderingsIsTold(t *testing.T) {
	sum := func(a, b int) int { return a + b }
	one := stream.Just(1)
	for want, got := range map[string]string{
		"ConcatMapEager":  stageOf(t, operators.ConcatMapEager(twice)),
		"MergeDelayError": stageOf(t, of(func(s ints) ints { return operators.MergeDelayError(s, one) })),
		"MergeSorted":     stageOf(t, of(func(s ints) ints { return operators.MergeSorted(cmp.Compare[int], s, one) })),
		"ZipLongest":      stageOf(t, of(func(s ints) ints { return operators.ZipLongest(s, one, ofBoth) })),
		"ZipLatest":       stageOf(t, of(func(s ints) ints { return operators.ZipLatest(s, one, sum) })),
	} {
		if got != want {
			t.Errorf("the source of %s was told of the stage %q", want, got)
		}
	}
}
