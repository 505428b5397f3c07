package operators_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// wantStalled runs what reads groups and wants the error that says why it stalled.
func wantStalled(t *testing.T, source stream.Observable[string], words ...string) {
	t.Helper()
	got, err := source.Collect(t.Context())
	if !errors.Is(err, operators.ErrGroupsStalled) {
		t.Fatalf("reading groups that wait for each other: got %v, %v; want ErrGroupsStalled", got, err)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("the error of groups that wait for each other: got %q, want %q in it", err, word)
		}
	}
}

func TestGroupByStalledIsNoticed(t *testing.T) {
	nested := func(g group) stream.Observable[string] {
		return func(ctx context.Context, yield func(string) bool) error {
			return g.Values().ForEach(context.Background(), func(n int) { yield(fmt.Sprint(n)) })
		}
	}
	blocked := operators.GroupBuffer(2, stream.Block)
	many := operators.GroupLimit(1000)
	for name, c := range map[string]struct {
		read   stream.Operator[int, string]
		values int
		words  []string
	}{
		"one at a time": {readBy(operators.GroupBy(mod3), operators.ConcatMap(told)), 1000,
			[]string{"the group of 1, which is full", "reader of the group of 0 waits"}},
		"one at a time, small": {readBy(operators.GroupBy(mod3, blocked), operators.ConcatMap(told)), 100, []string{"the group of 1"}},
		"context of its own":   {readBy(operators.GroupBy(mod3, blocked), operators.ConcatMap(nested)), 100, []string{"the group of 1"}},
		"too few slots": {readBy(operators.GroupBy(mod3), operators.MergeMap(told, operators.Limit(2))), 1000,
			[]string{"the group of 2, which is full", "2 readers of others wait"}},
		"one slot": {readBy(operators.GroupBy(mod3, blocked), operators.MergeMap(told, operators.Limit(1))), 1000,
			[]string{"has a value for the group of", "the reader of the group of 0 waits"}},
		"many groups, one at a time": {readBy(operators.GroupBy(itself, many), operators.ConcatMap(told)), 1000,
			[]string{"announces a group while 128 others"}},
		"many groups, few slots": {readBy(operators.GroupBy(itself, many), operators.MergeMap(told, operators.Limit(7))), 1000,
			[]string{"announces a group while 128 others", "7 readers"}},
		"dropping, many groups": {readBy(operators.GroupBy(itself, many, operators.GroupBuffer(1, stream.DropOldest)), operators.ConcatMap(told)), 1000,
			[]string{"announces a group"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { wantStalled(t, c.read(stream.Range(0, c.values)), c.words...) })
			wantStalled(t, c.read(stream.Range(0, c.values)), c.words...)
		})
	}
}

// wantGoesOn runs what seems stalled for a while, in virtual time.
func wantGoesOn(t *testing.T, source stream.Observable[int], values ...int) {
	t.Helper()
	slices.Sort(values)
	wantRun(t, sorted(source), nil, values...)
}

// forAnHour is a function for ConcatMap and MergeMap that reads a group on a goroutine of
// its own, with the same context, and is done an hour later, whatever that does.
func forAnHour(readers *sync.WaitGroup) func(group) stream.Observable[int] {
	return func(g group) stream.Observable[int] {
		values := g.Values()
		return func(ctx context.Context, yield func(int) bool) error {
			readers.Go(func() { _ = values.Run(ctx) })
			time.Sleep(time.Hour)
			yield(g.Key)
			return nil
		}
	}
}

// A run that waits now is not stalled if something may end the wait later.
func TestGroupByStalledIsNoFalseAlarm(t *testing.T) {
	groups := operators.GroupBy(itself, operators.GroupBuffer(2, stream.Block))
	source := stream.Just(0, 1, 1, 1, 1, 2, 2, 2, 2, 2)
	forASecond := func(g group) stream.Observable[int] {
		return operators.TakeUntil[int](stream.Timer(time.Second))(g.Values())
	}
	inTime := func(g group) stream.Observable[int] {
		return operators.Catch(func(error) stream.Observable[int] { return stream.Empty[int]() })(operators.Timeout[int](time.Second)(g.Values()))
	}
	one := operators.Limit(1)
	for name, read := range map[string]stream.Operator[group, int]{
		"readers with a deadline, one at a time":      operators.ConcatMap(forASecond),
		"readers with a deadline, with one slot":      operators.MergeMap(forASecond, one),
		"readers that are timed out, one at a time":   operators.ConcatMap(inTime),
		"readers that are timed out, with one slot":   operators.MergeMap(inTime, one),
		"slots enough, and a consumer that is slow":   slowly(operators.MergeMap(group.Values, operators.Buffer(1))),
		"slots just enough, and a slow consumer":      slowly(operators.MergeMap(group.Values, operators.Limit(3), operators.Buffer(1))),
		"readers that wait before they read anything": operators.MergeMap(func(g group) stream.Observable[int] { return concat(after[int](time.Hour), g.Values()) }),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				wantGoesOn(t, readBy(groups, read)(source), 0, 1, 1, 1, 1, 2, 2, 2, 2, 2)
			})
		})
	}
	for name, read := range map[string]func(func(group) stream.Observable[int]) stream.Operator[group, int]{
		"one at a time": func(f func(group) stream.Observable[int]) stream.Operator[group, int] { return operators.ConcatMap(f) },
		"with one slot": func(f func(group) stream.Observable[int]) stream.Operator[group, int] {
			return operators.MergeMap(f, one)
		},
	} {
		t.Run("readers beside, "+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var readers sync.WaitGroup
				wantGoesOn(t, readBy(groups, read(forAnHour(&readers)))(source), 0, 1, 2)
				readers.Wait()
			})
		})
		t.Run("readers that have enough and work, "+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				wantGoesOn(t, readBy(groups, read(func(g group) stream.Observable[int] {
					return concat(operators.Take[int](1)(g.Values()), after[int](time.Hour))
				}))(source), 0, 1, 2)
			})
		})
	}
}

// A goroutine that the projecting function starts is none of MergeMap's, though both are
// started on the goroutine that takes the groups.
func TestGroupByStalledKnowsItsReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var readers sync.WaitGroup
		beside := operators.MergeMap(func(g group) stream.Observable[int] {
			values := g.Values()
			readers.Go(func() { _ = values.Run(context.Background()) })
			return after(time.Hour, g.Key)
		}, operators.Limit(1))
		op := operators.GroupBy(itself, operators.GroupBuffer(2, stream.Block))
		wantGoesOn(t, readBy(op, beside)(stream.Just(0, 1, 1, 1, 1, 2, 2, 2, 2, 2)), 0, 1, 2)
		readers.Wait()
	})
}

// slowly lets a minute pass with each value.
func slowly(read stream.Operator[group, int]) stream.Operator[group, int] {
	return func(source stream.Observable[group]) stream.Observable[int] {
		return operators.Tap(func(int) { time.Sleep(time.Minute) })(read(source))
	}
}

// Groups that were handed out may be read by anybody, at any time.
func TestGroupByReadLaterGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var readers sync.WaitGroup
		total := 0
		groups := operators.GroupBy(func(int) int { return 0 }, operators.GroupBuffer(2, stream.Block))(stream.Range(0, 9))
		err := groups.ForEach(t.Context(), func(g group) {
			values := g.Values()
			readers.Go(func() {
				time.Sleep(time.Hour)
				_ = values.ForEach(t.Context(), func(int) { total++ })
			})
		})
		readers.Wait()
		if err != nil || total != 9 {
			t.Errorf("a group read an hour later: got %d values, %v; want 9", total, err)
		}
	})
}

// A stall that a reader overlooks ends the run all the same, and what waits in the
// groups is there.
func TestGroupByStalledEndsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		overlook := operators.ConcatMap(func(g group) stream.Observable[int] {
			return operators.Catch(func(error) stream.Observable[int] { return stream.Just(-1) })(g.Values())
		})
		op := operators.GroupBy(mod3, operators.GroupBuffer(2, stream.Block))
		got, err := readBy(op, overlook)(stream.Range(0, 100)).Collect(t.Context())
		if want := []int{0, 3, 6, -1, 1, 4, -1, 2, 5, -1}; !errors.Is(err, operators.ErrGroupsStalled) || !slices.Equal(got, want) {
			t.Errorf("readers that catch ErrGroupsStalled: got %v, %v; want %v and that error", got, err, want)
		}
	})
}

// groupScript is a random way to read groups. All of them wait now and then, all differently.
type groupScript struct {
	keys, values []int
	limit        int // 0 is ConcatMap
	buffer       int
	slow         [3]int // the source, the readers, the consumer: one value of so many comes with a pause
}

func randomGroupScript(random *rand.Rand) groupScript {
	r := groupScript{limit: random.IntN(4), buffer: 1 + random.IntN(4)}
	for i := range r.slow {
		r.slow[i] = 1 + random.IntN(6)
	}
	keys := 1 + random.IntN(5)
	if random.IntN(20) == 0 {
		keys = 120 + random.IntN(30)
	}
	for range random.IntN(40) + keys {
		r.values = append(r.values, random.IntN(keys))
	}
	for _, v := range r.values {
		if !slices.Contains(r.keys, v) {
			r.keys = append(r.keys, v)
		}
	}
	return r
}

// stalls is whether the source has more for a group that is not read, or more of such
// groups, than may wait.
func (r groupScript) stalls() bool {
	read := min(max(1, r.limit), len(r.keys))
	waiting := len(r.keys) - read
	if r.limit > 0 {
		waiting-- // MergeMap has the next one
	}
	if waiting > stream.DefaultBuffer {
		return true
	}
	for _, key := range r.keys[read:] {
		if r.count(key) > r.buffer {
			return true
		}
	}
	return false
}

func (r groupScript) count(key int) (n int) {
	for _, v := range r.values {
		if v == key {
			n++
		}
	}
	return n
}

// pause is a function that sleeps at one value of n.
func (r groupScript) pause(i int) func(int) {
	at := 0
	return func(int) {
		if at++; at%r.slow[i] == 0 {
			time.Sleep(time.Duration(at) * time.Millisecond)
		}
	}
}

func (r groupScript) run(ctx context.Context) ([]int, error) {
	read := func(g group) stream.Observable[int] { return operators.Tap(r.pause(1))(g.Values()) }
	all := operators.ConcatMap(read)
	if r.limit > 0 {
		all = operators.MergeMap(read, operators.Limit(r.limit), operators.Buffer(1))
	}
	source := operators.Tap(r.pause(0))(stream.FromSlice(r.values))
	groups := operators.GroupBy(itself, operators.GroupBuffer(r.buffer, stream.Block))
	return operators.Tap(r.pause(2))(readBy(groups, all)(source)).Collect(ctx)
}

func TestGroupByStalledAgainstModel(t *testing.T) {
	for range 400 {
		seed := rand.Uint64()
		r := randomGroupScript(rand.New(rand.NewPCG(seed, 1)))
		synctest.Test(t, func(t *testing.T) {
			got, err := r.run(t.Context())
			slices.Sort(got)
			want := slices.Sorted(slices.Values(r.values))
			switch {
			case r.stalls() != errors.Is(err, operators.ErrGroupsStalled), err != nil && !r.stalls():
				t.Fatalf("seed %d, %+v: got %v, want a stall: %v", seed, r, err, r.stalls())
			case err == nil && !slices.Equal(got, want):
				t.Fatalf("seed %d, %+v: got %v, want %v", seed, r, got, want)
			}
		})
	}
}

// The same on a real clock, where nothing waits for the others to come to rest.
func TestGroupByStalledUnderLoad(t *testing.T) {
	for range 300 {
		r := randomGroupScript(rand.New(rand.NewPCG(rand.Uint64(), 1)))
		r.slow = [3]int{1000, 1000, 1000}
		got, err := r.run(t.Context())
		if r.stalls() != errors.Is(err, operators.ErrGroupsStalled) || err == nil && len(got) != len(r.values) {
			t.Fatalf("%+v: got %d values, %v, want a stall: %v", r, len(got), err, r.stalls())
		}
	}
}
