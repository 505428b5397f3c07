package operators_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// A telling is a value or an end of one of several sources.
type telling struct {
	source int
	at     time.Duration
	value  int
	ended  bool
	err    error // if it ended
}

// tellings are all that sources tell, in the order of time.
func tellings(sources ...randomSource) (all []telling) {
	for i, s := range sources {
		values, end := cut(s.steps)
		for _, v := range values {
			all = append(all, telling{source: i, at: v.time(), value: v.value})
		}
		all = append(all, telling{source: i, at: end, ended: true, err: s.err})
	}
	slices.SortStableFunc(all, func(a, b telling) int { return int(a.at - b.at) })
	return all
}

// randomSource is a script, and how it ends.
type randomSource struct {
	steps []step
	err   error
}

func (s randomSource) run() ints { return script(s.err, s.steps...) }

// randomSources are some sources no two of which tell something at the same time.
func randomSources(random *rand.Rand, count, most int) (sources []randomSource) {
	for i := range count {
		steps, err := randomScript(random, most, 9)
		if err != nil {
			err = fmt.Errorf("source %d: %w", i, err)
		}
		sources = append(sources, randomSource{shifted(steps, i), err})
	}
	return sources
}

// combined wants a combination of two sources to tell what step makes of their tellings.
// step returns a value to be emitted, if ok, and whether the run has ended.
func wantCombined(t *testing.T, op func(a, b ints) ints, model func() func(telling) (value int, ok, over bool)) {
	t.Helper()
	wantModel(t, func(random *rand.Rand, _ []step, _ error) (func(context.Context) []string, []string) {
		sources := randomSources(random, 2, 10)
		var told []string
		step := model()
		for _, happened := range tellings(sources...) {
			value, ok, over := step(happened)
			if ok {
				told = append(told, seenAt(happened.at, value))
			}
			if over || happened.err != nil {
				told = append(told, seenAt(happened.at, happened.err))
				break
			}
		}
		return func(ctx context.Context) []string { return timeline(ctx, op(sources[0].run(), sources[1].run())) }, told
	})
}

func pairOf(a, b int) int { return 10*a + b }

func TestCombineLatestAgainstAModel(t *testing.T) {
	wantCombined(t, func(a, b ints) ints { return operators.CombineLatest(a, b, pairOf) }, func() func(telling) (int, bool, bool) {
		last, ended := [2]int{-1, -1}, [2]bool{}
		return func(e telling) (int, bool, bool) {
			if e.ended {
				ended[e.source] = true
				return 0, false, last[e.source] < 0 || ended[0] && ended[1]
			}
			last[e.source] = e.value
			return pairOf(last[0], last[1]), last[0] >= 0 && last[1] >= 0, false
		}
	})
}

func TestZipAgainstAModel(t *testing.T) {
	wantCombined(t, func(a, b ints) ints { return operators.Zip(a, b, pairOf) }, func() func(telling) (int, bool, bool) {
		waiting, ended := [2][]int{}, [2]bool{}
		used := func() bool { return ended[0] && len(waiting[0]) == 0 || ended[1] && len(waiting[1]) == 0 }
		return func(e telling) (int, bool, bool) {
			if e.ended {
				ended[e.source] = true
				return 0, false, used()
			}
			waiting[e.source] = append(waiting[e.source], e.value)
			if len(waiting[0]) == 0 || len(waiting[1]) == 0 {
				return 0, false, false
			}
			pair := pairOf(waiting[0][0], waiting[1][0])
			waiting[0], waiting[1] = waiting[0][1:], waiting[1][1:]
			return pair, true, used()
		}
	})
}

func TestWithLatestFromAgainstAModel(t *testing.T) {
	wantCombined(t, func(a, b ints) ints { return operators.WithLatestFrom(b, pairOf)(a) }, func() func(telling) (int, bool, bool) {
		other := -1
		return func(e telling) (int, bool, bool) {
			switch {
			case e.ended:
				return 0, false, e.source == 0
			case e.source == 1:
				other = e.value
				return 0, false, false
			default:
				return pairOf(e.value, other), other >= 0, false
			}
		}
	})
}

func TestMergeAgainstAModel(t *testing.T) {
	wantCombined(t, func(a, b ints) ints { return operators.Merge(a, b) }, func() func(telling) (int, bool, bool) {
		ended := 0
		return func(e telling) (int, bool, bool) {
			if e.ended {
				ended++
			}
			return e.value, !e.ended, ended == 2
		}
	})
}

func TestRaceAgainstAModel(t *testing.T) {
	wantModel(t, func(random *rand.Rand, _ []step, _ error) (func(context.Context) []string, []string) {
		sources := randomSources(random, 3, 5)
		all := tellings(sources...)
		var told []string
		for _, e := range all {
			switch {
			case e.source != all[0].source:
			case e.ended:
				told = append(told, seenAt(e.at, e.err))
			default:
				told = append(told, seenAt(e.at, e.value))
			}
		}
		return func(ctx context.Context) []string {
			return timeline(ctx, operators.Race(sources[0].run(), sources[1].run(), sources[2].run()))
		}, told
	})
}

func TestForkJoinAgainstAModel(t *testing.T) {
	wantModel(t, func(random *rand.Rand, _ []step, _ error) (func(context.Context) []string, []string) {
		sources := randomSources(random, 3, 2)
		run := func(ctx context.Context) []string {
			return timeline(ctx, operators.ForkJoin(sources[0].run(), sources[1].run(), sources[2].run()))
		}
		last, ended := []int{-1, -1, -1}, 0
		for _, e := range tellings(sources...) {
			switch {
			case !e.ended:
				last[e.source] = e.value
				continue
			case e.err != nil || last[e.source] < 0:
				return run, []string{seenAt(e.at, e.err)}
			}
			if ended++; ended == len(sources) {
				return run, []string{seenAt(e.at, last), seenAt(e.at, e.err)}
			}
		}
		panic("not reached")
	})
}

// wantProjected wants an operator that runs an observable for each value to tell what the
// model makes of the values, and of an observable for each.
func wantProjected(t *testing.T, op func(project func(int) ints) stream.Operator[int, int],
	model func(values []step, end time.Duration, err error, inner []randomSource) (all []telling)) {
	t.Helper()
	wantModel(t, func(random *rand.Rand, steps []step, err error) (func(context.Context) []string, []string) {
		last := steps[len(steps)-1]
		steps = append(slices.Clone(steps[:min(8, len(steps)-1)]), last) // no two inner ones tell something at the same time
		values, end := cut(steps)
		inner := make([]randomSource, len(values))
		for i := range values {
			values[i].value = i
			s, err := randomScript(random, 4, 9)
			if random.IntN(5) > 0 {
				err = nil
			}
			inner[i] = randomSource{shifted(s, i+1), err}
		}
		all := model(values, end, err, inner)
		slices.SortStableFunc(all, func(a, b telling) int { return int(a.at - b.at) })
		var told []string
		over, failed := end, error(nil)
		for _, e := range all {
			over = max(over, e.at)
			switch {
			case e.err != nil:
				over, failed = e.at, e.err
			case !e.ended:
				told = append(told, seenAt(e.at, e.value))
			}
			if failed != nil {
				break
			}
		}
		return func(ctx context.Context) []string {
			return timeline(ctx, op(func(n int) ints { return inner[n].run() })(script(err, steps...)))
		}, append(told, seenAt(over, failed))
	})
}

// from is what a source tells that begins at a time.
func (s randomSource) from(begun time.Duration) []telling {
	all := tellings(s)
	for i := range all {
		all[i].at += begun
	}
	return all
}

func TestSwitchMapAgainstAModel(t *testing.T) {
	wantProjected(t, func(project func(int) ints) stream.Operator[int, int] { return operators.SwitchMap(project) },
		func(values []step, end time.Duration, err error, inner []randomSource) (all []telling) {
			for i, s := range values {
				for _, e := range inner[i].from(s.time()) {
					if i == len(values)-1 || e.at < values[i+1].time() {
						all = append(all, e)
					}
				}
			}
			return append(all, telling{at: end, ended: true, err: err})
		})
}

func TestExhaustMapAgainstAModel(t *testing.T) {
	wantProjected(t, func(project func(int) ints) stream.Operator[int, int] { return operators.ExhaustMap(project) },
		func(values []step, end time.Duration, err error, inner []randomSource) (all []telling) {
			busy := time.Duration(-1)
			for i, s := range values {
				if s.time() > busy {
					all = append(all, inner[i].from(s.time())...)
					busy = all[len(all)-1].at
				}
			}
			return append(all, telling{at: end, ended: true, err: err})
		})
}

func TestMergeMapAgainstAModel(t *testing.T) {
	t.Parallel()
	wantProjected(t, func(project func(int) ints) stream.Operator[int, int] { return operators.MergeMap(project) },
		func(values []step, end time.Duration, err error, inner []randomSource) (all []telling) {
			for i, s := range values {
				all = append(all, inner[i].from(s.time())...)
			}
			return append(all, telling{at: end, ended: true, err: err})
		})
}

func TestConcatMapAgainstAModel(t *testing.T) {
	t.Parallel()
	wantProjected(t, func(project func(int) ints) stream.Operator[int, int] { return operators.ConcatMap(project) },
		func(values []step, end time.Duration, err error, inner []randomSource) (all []telling) {
			now := time.Duration(0)
			for i, s := range values {
				all = append(all, inner[i].from(max(now, s.time()))...)
				now = all[len(all)-1].at
			}
			return append(all, telling{at: max(now, end), ended: true, err: err})
		})
}
