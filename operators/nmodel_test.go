package operators_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// An anyModel makes a step for a number of sources, as the models of [wantCombined] are.
type anyModel func(count int) func(telling) (value string, ok, over bool)

// wantAllCombined wants a combination of a random number of sources to tell what the steps of
// the model make of their tellings.
func wantAllCombined(t *testing.T, least, most int, op func(sources []ints) stream.Observable[string], model anyModel) {
	t.Helper()
	wantModel(t, func(random *rand.Rand, _ []step, _ error) (func(context.Context) []string, []string) {
		sources := randomSources(random, least+random.IntN(most-least+1), 6)
		told := []string{seenAt(0, error(nil))} // of no sources
		step := model(len(sources))
		for i, happened := range tellings(sources...) {
			if i == 0 {
				told = nil
			}
			value, ok, over := step(happened)
			if ok {
				told = append(told, seenAt(happened.at, value))
			}
			if over || happened.err != nil {
				told = append(told, seenAt(happened.at, happened.err))
				break
			}
		}
		return func(ctx context.Context) []string { return timeline(ctx, op(runs(sources))) }, told
	})
}

func runs(sources []randomSource) (all []ints) {
	for _, s := range sources {
		all = append(all, s.run())
	}
	return all
}

func three(a, b, c int) string { return fmt.Sprint([]int{a, b, c}) }

func text[T any](source stream.Observable[T]) stream.Observable[string] {
	return operators.Map(func(v T) string { return fmt.Sprint(v) })(source)
}

func TestMergeOfNAgainstAModel(t *testing.T) {
	wantAllCombined(t, 0, 5, func(sources []ints) stream.Observable[string] { return text(operators.Merge(sources...)) },
		func(count int) func(telling) (string, bool, bool) {
			return func(e telling) (string, bool, bool) {
				if e.ended {
					count--
				}
				return fmt.Sprint(e.value), !e.ended, count == 0
			}
		})
}

// latestModel is the model of CombineLatest.
func latestModel(count int) func(telling) (string, bool, bool) {
	last := slices.Repeat([]int{-1}, count)
	return func(e telling) (string, bool, bool) {
		if e.ended {
			count--
			return "", false, last[e.source] < 0 || count == 0
		}
		last[e.source] = e.value
		return fmt.Sprint(last), !slices.Contains(last, -1), false
	}
}

func TestCombineLatestOfNAgainstAModel(t *testing.T) {
	wantAllCombined(t, 0, 5, func(sources []ints) stream.Observable[string] {
		return text(operators.CombineLatestAll(sources...))
	}, latestModel)
	wantAllCombined(t, 3, 3, func(sources []ints) stream.Observable[string] {
		return operators.CombineLatest3(sources[0], sources[1], sources[2], three)
	}, latestModel)
}

// zipModel is the model of Zip.
func zipModel(count int) func(telling) (string, bool, bool) {
	waiting, ended := make([][]int, count), make([]bool, count)
	return func(e telling) (value string, ok, over bool) {
		if ended[e.source] = e.ended; !e.ended {
			waiting[e.source] = append(waiting[e.source], e.value)
		}
		var row []int
		for _, values := range waiting {
			if len(values) > 0 {
				row = append(row, values[0])
			}
		}
		ok = len(row) == count
		for i := range waiting {
			if ok {
				waiting[i] = waiting[i][1:]
			}
			over = over || ended[i] && len(waiting[i]) == 0
		}
		return fmt.Sprint(row), ok, over
	}
}

func TestZipOfNAgainstAModel(t *testing.T) {
	wantAllCombined(t, 0, 5, func(sources []ints) stream.Observable[string] { return text(operators.ZipAll(sources...)) }, zipModel)
	wantAllCombined(t, 3, 3, func(sources []ints) stream.Observable[string] {
		return operators.Zip3(sources[0], sources[1], sources[2], three)
	}, zipModel)
}

func TestConcatOfNAgainstAModel(t *testing.T) {
	wantModel(t, func(random *rand.Rand, _ []step, _ error) (func(context.Context) []string, []string) {
		sources := randomSources(random, random.IntN(5), 5)
		run := func(ctx context.Context) []string { return timeline(ctx, operators.Concat(runs(sources)...)) }
		var told []string
		now := time.Duration(0)
		for _, s := range sources {
			for _, e := range s.from(now) {
				switch now = e.at; {
				case e.err != nil:
					return run, append(told, seenAt(now, e.err))
				case !e.ended:
					told = append(told, seenAt(now, e.value))
				}
			}
		}
		return run, append(told, seenAt(now, error(nil)))
	})
}

// expansionModel is the model of Expand over a tree: children has an observable for each
// value.
type expansionModel struct {
	children []randomSource
	now      time.Duration
	told     []string
}

// randomTree makes observables of which each value is the number of another one.
func randomTree(random *rand.Rand, roots int) []randomSource {
	tree := make([]randomSource, roots)
	for i := 0; i < len(tree); i++ {
		steps, err := randomScript(random, max(0, min(3, 20-len(tree))), 1)
		if random.IntN(10) > 0 {
			err = nil
		}
		values, _ := cut(steps)
		for j := range values {
			values[j].value = len(tree)
			tree = append(tree, randomSource{})
		}
		tree[i] = randomSource{steps, err}
	}
	return tree
}

// walk notes what is emitted of an observable and of what is below its values.
func (m *expansionModel) walk(s randomSource) error {
	begun := m.now
	values, end := cut(s.steps)
	for _, v := range values {
		m.now = max(m.now, begun+v.time())
		m.told = append(m.told, seenAt(m.now, v.value))
		if err := m.walk(m.children[v.value]); err != nil {
			return err
		}
	}
	m.now = max(m.now, begun+end)
	return s.err
}

func TestExpandAgainstAModel(t *testing.T) {
	wantModel(t, func(random *rand.Rand, steps []step, err error) (func(context.Context) []string, []string) {
		values, _ := cut(steps)
		for i := range values {
			values[i].value = i
		}
		m := expansionModel{children: randomTree(random, len(values))}
		failure := m.walk(randomSource{steps, err})
		return func(ctx context.Context) []string {
			return timeline(ctx, operators.Expand(func(n int) ints { return m.children[n].run() })(script(err, steps...)))
		}, append(m.told, seenAt(m.now, failure))
	})
}

// limited are the tellings of MergeMap with a limit, and the end of its run.
func limited(limit int, values []step, end time.Duration, err error, inner []randomSource) (all []telling, over time.Duration, failed error) {
	now := time.Duration(0)
	var ends []time.Duration // of the inner observables, sorted
	for i, s := range values {
		now = max(now, s.time())
		if len(ends) >= limit { // the source waits until fewer are running
			now = max(now, ends[len(ends)-limit])
		}
		told := inner[i].from(now)
		all = append(all, told...)
		ends = append(ends, told[len(told)-1].at)
		slices.Sort(ends)
	}
	all = append(all, telling{at: max(now, end), ended: true, err: err})
	slices.SortStableFunc(all, func(a, b telling) int { return cmp.Compare(a.at, b.at) })
	for _, e := range all {
		if over = e.at; e.err != nil {
			failed = e.err
			break
		}
	}
	return slices.DeleteFunc(all, func(e telling) bool { return e.ended }), over, failed
}

// tolerant tells of values and the end of a run. Those of different sources that come in the
// same moment are in the order of their sources, since any order is right. In the moment of a
// failure it is not certain which come before.
func tolerant(all []telling, over time.Duration, failed error) (told []string) {
	if failed != nil {
		all = slices.DeleteFunc(all, func(e telling) bool { return e.at >= over })
	}
	slices.SortStableFunc(all, func(a, b telling) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.source, b.source))
	})
	for _, e := range all {
		told = append(told, seenAt(e.at, e.value))
	}
	return append(told, seenAt(over, failed))
}

func TestMergeMapWithALimitAgainstAModel(t *testing.T) {
	wantModel(t, func(random *rand.Rand, steps []step, err error) (func(context.Context) []string, []string) {
		limit := 1 + random.IntN(3)
		values, end := cut(steps)
		inner := make([]randomSource, len(values))
		for i := range values {
			values[i].value = i
			script, failure := randomScript(random, 4, 1)
			if random.IntN(8) > 0 {
				failure = nil
			}
			for j := range script {
				script[j].value = 100*i + j
			}
			inner[i] = randomSource{script, failure}
		}
		run := func(ctx context.Context) []string {
			begin := time.Now()
			var seen []telling
			failed := operators.MergeMap(func(n int) ints { return inner[n].run() }, operators.Limit(limit))(script(err, steps...)).
				ForEach(ctx, func(v int) { seen = append(seen, telling{source: v / 100, at: time.Since(begin), value: v}) })
			return tolerant(seen, time.Since(begin), failed)
		}
		return run, tolerant(limited(limit, values, end, err, inner))
	})
}
