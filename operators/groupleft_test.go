package operators_test

import (
	"context"
	"fmt"
	"go/ast"
	"go/types"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/stages"
)

// leaverScript is a random way to read groups whose readers have enough after some values.
type leaverScript struct {
	values   []int
	enough   []int // values for a reader of each key
	buffer   int
	overflow stream.Overflow
	reopens  bool
	slow     [2]int // the source, the readers: one value of so many comes with a pause
}

func randomLeaverScript(random *rand.Rand) leaverScript {
	l := leaverScript{
		buffer: 1 + random.IntN(6), overflow: stream.Overflow(random.IntN(4)), reopens: random.IntN(2) == 0,
		slow: [2]int{1 + random.IntN(9), 1 + random.IntN(9)},
	}
	keys := 1 + random.IntN(4)
	for range keys {
		l.enough = append(l.enough, 1+random.IntN(8))
	}
	for range random.IntN(60) {
		l.values = append(l.values, random.IntN(keys))
	}
	return l
}

// whereabouts is what became of the values of a run, by their places among all.
type whereabouts struct {
	groups []*operators.Group[int, [2]int]
	got    map[int][]int // of each key, in the order of its groups
	drops  int
}

func (l leaverScript) run(t *testing.T) (o whereabouts) {
	var mu sync.Mutex
	pause := func(i int) func([2]int) {
		at := 0
		return func([2]int) {
			if at++; at%l.slow[i] == 0 {
				time.Sleep(time.Duration(at) * time.Millisecond)
			}
		}
	}
	options := []operators.GroupOption{operators.GroupBuffer(l.buffer, l.overflow)}
	if l.reopens {
		options = append(options, operators.GroupReopens())
	}
	received := make(map[int][][]int)
	var drops stream.Drops
	err := stream.Pipe4(stream.Range(0, len(l.values)),
		operators.Map(func(n int) [2]int { return [2]int{l.values[n], n} }),
		operators.Tap(pause(0)),
		operators.GroupBy(func(v [2]int) int { return v[0] }, options...),
		operators.MergeMap(func(g operators.Group[int, [2]int]) stream.Observable[[2]int] {
			o.groups = append(o.groups, &g)
			mu.Lock()
			defer mu.Unlock()
			turn := len(received[g.Key])
			received[g.Key] = append(received[g.Key], nil)
			note := operators.Tap(func(v [2]int) {
				mu.Lock()
				defer mu.Unlock()
				received[g.Key][turn] = append(received[g.Key][turn], v[1])
			})
			forgive := operators.Catch(func(error) stream.Observable[[2]int] { return stream.Empty[[2]int]() }) // ErrOverflow
			return forgive(operators.Take[[2]int](l.enough[g.Key])(operators.Tap(pause(1))(note(g.Values()))))
		}),
	).Run(stream.WithDrops(t.Context(), &drops))
	if err != nil {
		t.Fatalf("group values whose readers leave, %+v: got the error %v, want none", l, err)
	}
	o.got, o.drops = make(map[int][]int), drops.Total()
	for key, turns := range received {
		o.got[key] = slices.Concat(turns...)
	}
	return o
}

// Each value is read once, in the order of its key, or counts as dropped. Without overflow
// only the last values of a key are dropped. Without GroupReopens these are the values after
// the first reader had enough. With it they are the values that waited when their reader left
// and the key had no further value.
func TestGroupByWhoseReadersLeaveAgainstModel(t *testing.T) {
	for range 400 {
		seed := rand.Uint64()
		l := randomLeaverScript(rand.New(rand.NewPCG(seed, 2)))
		synctest.Test(t, func(t *testing.T) {
			o := l.run(t)
			what := fmt.Sprintf("seed %d, %+v: got %v", seed, l, o.got)
			got, dropped := 0, 0
			for _, g := range o.groups {
				dropped += g.Dropped()
			}
			for key, enough := range l.enough {
				var all []int
				for n, k := range l.values {
					if k == key {
						all = append(all, n)
					}
				}
				here := o.got[key]
				got += len(here)
				switch {
				case !slices.IsSorted(here) || len(slices.Compact(slices.Clone(here))) != len(here):
					t.Errorf("%s, values of %d out of order", what, key)
				case l.overflow == stream.Block && !slices.Equal(here, all[:len(here)]):
					t.Errorf("%s, a gap in those of %d", what, key)
				case l.overflow == stream.Block && !l.reopens && len(here) != min(enough, len(all)):
					t.Errorf("%s, want %d of %d", what, min(enough, len(all)), key)
				case l.overflow == stream.Block && len(here) < min(enough, len(all)):
					t.Errorf("%s, want at least %d of %d", what, min(enough, len(all)), key)
				}
			}
			if got+dropped != len(l.values) || o.drops != dropped {
				t.Errorf("%s: %d values came, %d are dropped by their groups, %d by the context, want %d in all", what, got, dropped, o.drops, len(l.values))
			}
		})
	}
}

// A value that comes when the reader has left opens a group, and so does the next one.
func TestGroupReopensForEachReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pair := operators.MergeMap(func(g group) stream.Observable[string] {
			return operators.Map(func(n []int) string { return fmt.Sprint(g.Key, n) })(toSlice(operators.Take[int](2)(g.Values())))
		})
		source := operators.Tap(func(int) { time.Sleep(time.Second) })(stream.Range(0, 10))
		read := func(options ...operators.GroupOption) stream.Observable[string] {
			return readBy(operators.GroupBy(mod3, options...), pair)(source)
		}
		wantRun(t, sortedWords(read(operators.GroupReopens())), nil, "0 [0 3]", "0 [6 9]", "1 [1 4]", "1 [7]", "2 [2 5]", "2 [8]")
		wantRun(t, sortedWords(read()), nil, "0 [0 3]", "1 [1 4]", "2 [2 5]")
	})
}

// A group that nobody asks for is not opened again for each of its values.
func TestGroupReopensOnlyWhatWasRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		groups := 0
		var drops stream.Drops
		source := operators.Tap(func(int) { synctest.Wait() })(stream.Range(0, 30))
		err := operators.GroupBy(mod3, operators.GroupReopens())(source).ForEach(stream.WithDrops(t.Context(), &drops), func(group) { groups++ })
		if err != nil || groups != 3 || drops.Total() != 30 {
			t.Errorf("three keys without readers: %d groups, %d of 30 values dropped, %v", groups, drops.Total(), err)
		}
	})
}

// The counts are up to date while the run goes on.
func TestGroupDroppedWhileItRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var drops stream.Drops
		var groups []group
		at := 0
		source := operators.Tap(func(n int) {
			synctest.Wait()
			at = n
			dropped := 0
			for _, g := range groups {
				dropped += g.Dropped()
			}
			if want := max(0, n-3); dropped != want || drops.Total() != want {
				t.Errorf("before value %d: the groups dropped %d, the context says %d, want %d", n, dropped, drops.Total(), want)
			}
		})(stream.Range(0, 12))
		first := operators.MergeMap(func(g group) stream.Observable[int] {
			groups = append(groups, g)
			return operators.Take[int](1)(g.Values())
		})
		counted := operators.CountDrops[int](&drops)(readBy(operators.GroupBy(mod3), first)(source))
		wantRun(t, counted, nil, 0, 1, 2)
		if at != 11 {
			t.Errorf("the source ended with %d, want 11", at)
		}
	})
}

func TestWindowDropped(t *testing.T) {
	var drops stream.Drops
	windows := operators.WindowCount[int](4)(stream.Range(0, 12))
	err := operators.CountDrops[group](&drops)(windows).ForEach(t.Context(), func(w group) {
		if w.Key == 1 {
			if got := w.Values().First(t.Context()).GetOr(-1); got != 4 {
				t.Errorf("the first value of the second window: got %d, want 4", got)
			}
		}
	})
	if err != nil || drops.Total() != 11 {
		t.Errorf("12 values in windows, one of which was read: the context dropped %d, %v; want 11", drops.Total(), err)
	}
}

// droppers are the operators that drop values for a slow consumer, and some that do not. The
// first word is the function that has a stream.Overflow.
var droppers = map[string]stream.Operator[int, int]{
	"OnBackpressureDrop":          operators.OnBackpressureDrop[int](1),
	"OnBackpressureLatest":        operators.OnBackpressureLatest[int](),
	"OnBackpressureBuffer oldest": operators.OnBackpressureBuffer[int](2, stream.DropOldest),
	"OnBackpressureBuffer newest": operators.OnBackpressureBuffer[int](2, stream.DropNewest),
	"OnBackpressureBuffer block":  operators.OnBackpressureBuffer[int](2, stream.Block),
	"ObserveOn block":             operators.ObserveOn[int](1),
	"ExhaustMap":                  operators.ExhaustMap(func(n int) stream.Observable[int] { return after(3500*time.Millisecond, n) }),
	"GroupBuffer oldest":          inOneGroup(stream.DropOldest),
	"GroupBuffer newest":          inOneGroup(stream.DropNewest),
	"GroupBuffer block":           inOneGroup(stream.Block),
	"Connectable.RefCount oldest": func(source ints) ints { return multicast(source).RefCount(1, 1, stream.DropOldest) },
	"Connectable.RefCount newest": func(source ints) ints { return multicast(source).RefCount(1, 1, stream.DropNewest) },
	"Connectable.Observe oldest":  func(source ints) ints { return connected(multicast(source), stream.DropOldest) },
	"Connectable.Observe newest":  func(source ints) ints { return connected(multicast(source), stream.DropNewest) },
}

func multicast(source ints) *operators.Connectable[int] {
	return operators.Multicast(source, func() *stream.Subject[int] { return new(stream.Subject[int]) })
}

// connected observes what it connects.
func connected(c *operators.Connectable[int], overflow stream.Overflow) ints {
	return stream.Gather(1, func(g *stream.Group[int]) {
		g.Go(c.Observe(1, overflow))
		g.Go(func(ctx context.Context, _ func(int) bool) error {
			_ = c.Audience()(ctx, func(observers int) bool { return observers == 0 })
			return c.Connect(ctx)
		})
	})
}

// inOneGroup has all values in one group that holds one for its reader.
func inOneGroup(overflow stream.Overflow) stream.Operator[int, int] {
	return func(source ints) ints {
		groups := operators.GroupBy(func(int) int { return 0 }, operators.GroupBuffer(1, overflow))(source)
		return operators.MergeMap(func(g group) ints { return g.Values() }, operators.Buffer(1))(groups)
	}
}

func TestCountDropsOfStages(t *testing.T) {
	slow := func(int) { time.Sleep(4500 * time.Millisecond) }
	for name, op := range droppers {
		synctest.Test(t, func(t *testing.T) {
			var drops, outer stream.Drops
			source := operators.Tap(func(int) { time.Sleep(time.Second) })(stream.Range(0, 30))
			got := 0
			counted := stream.Pipe4(source, op, operators.CountDrops[int](&drops), operators.Named[int]("slow"), operators.CountDrops[int](&outer))
			err := counted.ForEach(t.Context(), func(n int) {
				slow(n)
				got++
			})
			if err != nil || got+drops.Total() != 30 || drops.Total() != outer.Total() {
				t.Errorf("%s: %d values came, %d were dropped, %d by the outer counter, %v; want 30 in all", name, got, drops.Total(), outer.Total(), err)
			}
			if blocks := strings.HasSuffix(name, " block"); blocks != (drops.Total() == 0) {
				t.Errorf("%s: %d values were dropped, want some unless it blocks", name, drops.Total())
			}
		})
	}
}

// A new operator or option with an overflow policy is one of the droppers, or this fails.
func TestEveryOverflowIsCounted(t *testing.T) {
	eachFile(t, func(path string) bool { return !strings.HasSuffix(path, "_test.go") }, func(f *ast.FuncDecl) {
		name := f.Name.Name
		if f.Recv != nil {
			name = baseOf(f.Recv.List[0].Type) + "." + name
		}
		overflows := slices.ContainsFunc(f.Type.Params.List, func(p *ast.Field) bool { return types.ExprString(p.Type) == "stream.Overflow" })
		ofChain := strings.HasPrefix(name, "Chain.") // calls the operator of that name
		if !overflows || ofChain || !f.Name.IsExported() || !ast.IsExported(name) {
			return
		}
		for _, policy := range []string{" oldest", " newest"} {
			if droppers[name+policy] == nil {
				t.Errorf("%s has a stream.Overflow, and droppers lacks %q", name, name+policy)
			}
		}
	})
}

func TestStagesCountWhatWasDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := operators.OnBackpressureLatest[int]()(concat(stream.Range(0, 10), after(time.Hour, 10)))
		registry := new(stages.Registry)
		err := operators.Named[int]("slow")(source).ForEach(registry.Follow(t.Context()), func(n int) {
			synctest.Wait() // until the source has emitted all it has now
			s := registry.Snapshot()
			if len(s) != 2 || int(s[0].Values)+s[0].Dropped < 9 || n != 10 && s[0].String() != fmt.Sprintf(
				"slow: %d values since %s, %d dropped, waits for what follows", s[0].Values, s[0].Started.Format(time.TimeOnly), s[0].Dropped) {
				t.Errorf("after value %d: got %v", n, s)
			}
		})
		if err != nil {
			t.Errorf("a slow stage failed: %v", err)
		}
	})
}
