package operators_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
)

func evenHalf(n int) (int, bool) { return n / 2, even(n) }

func init() {
	readAhead := streamtest.ReadAhead(stream.DefaultBuffer + 1)
	maps.Copy(contracts, map[string]func(*testing.T){
		"FilterMap": func(t *testing.T) {
			streamtest.CheckOperator(t, operators.FilterMap(evenHalf), []int{1, 2, 3, 4}, []int{1, 2})
		},
		"ThrottleLatest": func(t *testing.T) {
			t.Run("apart", func(t *testing.T) {
				streamtest.CheckOperator(t, apart(operators.ThrottleLatest[int](between)), []int{1, 2}, []int{1, 2}, readAhead)
			})
			t.Run("pending at the end", func(t *testing.T) {
				streamtest.CheckOperator(t, operators.ThrottleLatest[int](time.Hour), []int{1, 2, 3}, []int{1, 3}, readAhead, streamtest.LosesOnFailure())
			})
		},
		"BufferUntilChanged": func(t *testing.T) {
			streamtest.CheckOperator(t, operators.BufferUntilChanged(even, 2), []int{1, 3, 5, 2, 7}, [][]int{{1, 3}, {5}, {2}, {7}},
				streamtest.LosesOnFailure(), streamtest.ReadAhead(2))
		},
		"TimeoutFirst": func(t *testing.T) {
			t.Run("in time", func(t *testing.T) {
				streamtest.CheckOperator(t, apart(operators.TimeoutFirst[int](3*time.Second)), []int{1, 2, 3}, []int{1, 2, 3})
			})
			t.Run("late", func(t *testing.T) {
				streamtest.Check(t, operators.TimeoutFirst[int](time.Second)(after(2*time.Second, 1)), nil, streamtest.Fails(operators.ErrTimeout))
			})
			t.Run("never", func(t *testing.T) {
				streamtest.Check(t, operators.TimeoutFirst[int](time.Hour)(stream.Never[int]()), nil, streamtest.Fails(operators.ErrTimeout))
			})
			t.Run("no time", func(t *testing.T) {
				streamtest.Check(t, operators.TimeoutFirst[int](0)(stream.Just(1)), nil, streamtest.Fails(operators.ErrTimeout))
			})
		},
	})
	timed["ThrottleLatest"] = operators.ThrottleLatest[int](time.Minute)
	timed["TimeoutFirst"] = operators.TimeoutFirst[int](time.Minute)
}

// A look-up that knows some of the names.
func ExampleFilterMap() {
	ports := map[string]int{"http": 80, "https": 443}
	port := func(name string) (int, bool) {
		n, ok := ports[name]
		return n, ok
	}
	show(operators.FilterMap(port)(stream.Just("http", "gopher", "https")))
	// Output: [80 443] <nil>
}

// The first position at once, the last one in the end, and not all those between.
func ExampleThrottleLatest() {
	show(operators.ThrottleLatest[int](time.Minute)(stream.Just(1, 2, 3, 4)))
	// Output: [1 4] <nil>
}

func ExampleBufferUntilChanged() {
	show(operators.BufferUntilChanged(initial, 100)(stream.Just("ant", "ape", "bee", "asp")))
	// Output: [[ant ape] [bee] [asp]] <nil>
}

func ExampleTimeoutFirst() {
	silent := operators.TimeoutFirst[string](10 * time.Millisecond)(stream.Never[string]())
	fmt.Println(errors.Is(silent.Run(context.Background()), operators.ErrTimeout))
	// Output: true
}

// Rows go out when they make four bytes together, and the last ones with the end.
func ExampleMaxWeight() {
	length := func(row string) int { return len(row) }
	batches := operators.BufferTimeOrCount(time.Minute, 100, operators.MaxWeight(4, length))
	show(batches(stream.Just("a", "bb", "ccc", "dddddd", "e", "f")))
	// Output: [[a bb] [ccc] [dddddd] [e f]] <nil>
}

func TestThrottleLatest(t *testing.T) {
	wantTimeline(t, operators.ThrottleLatest[int](150*ms)(waves(nil)), "1000 1", "1150 2", "1300 3", "5000 4", "5150 5", "5200 <nil>")
	wantTimeline(t, operators.ThrottleLatest[int](500*ms)(waves(nil)), "1000 1", "1500 3", "5000 4", "5200 5", "5200 <nil>")
	wantTimeline(t, operators.ThrottleLatest[int](500*ms)(waves(errBroken)), "1000 1", "1500 3", "5000 4", "5200 broken")
	// A consumer that takes longer than a period gets the last value when it is back.
	wantTimelineOf(t, operators.ThrottleLatest[int](150*ms)(waves(nil)), dawdle[int](1000), "1000 1", "2000 3", "5000 4", "6000 5", "7000 <nil>")
}

func TestThrottleLatestAgainstAModel(t *testing.T) {
	wantModel(t, func(random *rand.Rand, steps []step, err error) (func(context.Context) []string, []string) {
		period := time.Duration(1+random.IntN(120))*ms + odd
		run := func(ctx context.Context) []string {
			return timeline(ctx, operators.ThrottleLatest[int](period)(script(err, steps...)))
		}
		values, end := cut(steps)
		var told []string
		begun, pending := time.Duration(math.MinInt64/2), -1
		until := func(now time.Duration) {
			for pending >= 0 && begun+period < now {
				begun += period
				told = append(told, seenAt(begun, pending))
				pending = -1
			}
		}
		for _, s := range values {
			until(s.time())
			if pending < 0 && begun+period < s.time() {
				begun = s.time()
				told = append(told, seenAt(begun, s.value))
			} else {
				pending = s.value
			}
		}
		if until(end); pending >= 0 && err == nil {
			told = append(told, seenAt(end, pending))
		}
		return run, append(told, seenAt(end, err))
	})
}

func TestBufferTimeOrCountAgainstAModel(t *testing.T) {
	wantModel(t, func(random *rand.Rand, steps []step, err error) (func(context.Context) []string, []string) {
		maxWait := time.Duration(1+random.IntN(120))*ms + odd
		count, weight := 1+random.IntN(5), 1+random.IntN(20)
		var options []operators.BatchOption[int]
		if weight < 15 {
			options = append(options, operators.MaxWeight(weight, func(n int) int { return n }))
		} else {
			weight = math.MaxInt
		}
		run := func(ctx context.Context) []string {
			return timeline(ctx, operators.BufferTimeOrCount(maxWait, count, options...)(script(err, steps...)))
		}
		values, end := cut(steps)
		var told []string
		var open []int
		var begun time.Duration
		emit := func(at time.Duration) {
			if len(open) > 0 {
				told = append(told, seenAt(at, open))
			}
			open = nil
		}
		weighs := func() (total int) {
			for _, n := range open {
				total += n
			}
			return total
		}
		for _, s := range values {
			if begun+maxWait < s.time() {
				emit(begun + maxWait)
			}
			if weighs()+s.value > weight {
				emit(s.time())
			}
			if len(open) == 0 {
				begun = s.time()
			}
			open = append(open, s.value)
			if len(open) == count || weighs() >= weight {
				emit(s.time())
			}
		}
		if begun+maxWait < end {
			emit(begun + maxWait)
		}
		if err == nil {
			emit(end)
		}
		return run, append(told, seenAt(end, err))
	})
}

func TestBufferUntilChangedAgainstAModel(t *testing.T) {
	wantModel(t, func(random *rand.Rand, steps []step, err error) (func(context.Context) []string, []string) {
		limit := random.IntN(5)
		run := func(ctx context.Context) []string {
			return timeline(ctx, operators.BufferUntilChanged(mod3, limit)(script(err, steps...)))
		}
		values, end := cut(steps)
		var told []string
		for i := 0; i < len(values); {
			next := i + 1
			for next < len(values) && next-i < limit && mod3(values[next].value) == mod3(values[i].value) {
				next++
			}
			slice := []int{}
			for _, s := range values[i:next] {
				slice = append(slice, s.value)
			}
			switch {
			case next-i >= limit:
				told = append(told, seenAt(values[next-1].time(), slice))
			case next < len(values):
				told = append(told, seenAt(values[next].time(), slice))
			case err == nil:
				told = append(told, seenAt(end, slice))
			}
			i = next
		}
		return run, append(told, seenAt(end, err))
	})
}

func TestBufferUntilChangedKeepsKeysThatDoNotEqualThemselvesApart(t *testing.T) {
	number := func(text string) float64 {
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return math.NaN()
		}
		return n
	}
	wantRun(t, operators.Map(func(s []string) int { return len(s) })(
		operators.BufferUntilChanged(number, 9)(stream.Just("0", "0", "a", "a", "1"))), nil, 2, 1, 1, 1)
}

func TestTimeoutFirst(t *testing.T) {
	wantTimeline(t, operators.TimeoutFirst[int](1050*ms)(waves(nil)), "1000 1", "1100 2", "1200 3", "5000 4", "5100 5", "5200 <nil>")
	wantTimeline(t, operators.TimeoutFirst[int](500*ms)(waves(nil)), "500 operators: no value came within 500ms")
	wantTimeline(t, operators.TimeoutFirst[int](5250*ms)(script(nil, step{5200, 0})), "5200 <nil>")
	wantTimeline(t, operators.TimeoutFirst[int](-1)(waves(nil)), "0 operators: no value came within -1ns")
	named := operators.Named[int]("disk")(stream.Never[int]())
	wantTimeline(t, operators.TimeoutFirst[int](500*ms)(named), "500 operators: no value came within 500ms from disk")
}

func TestTimeoutFirstKeepsWhatTheSourceAnswers(t *testing.T) {
	slow := func(ctx context.Context, _ func(int) bool) error {
		<-ctx.Done()
		time.Sleep(time.Second)
		return errBroken
	}
	wantTimeline(t, operators.TimeoutFirst[int](time.Second)(slow), "2000 operators: no value came within 1s: broken")
}

func TestBufferingOfBatchesIsTold(t *testing.T) {
	for name, c := range map[string]struct{ got, want string }{
		"BufferUntilChanged": {stageOf(t, operators.BufferUntilChanged(mod3, 2)), "BufferUntilChanged"},
		"ThrottleLatest":     {stageOf(t, operators.ThrottleLatest[int](time.Hour)), "ThrottleLatest"},
		"FilterMap":          {stageOf(t, operators.FilterMap(evenHalf)), ""},
		"TimeoutFirst":       {stageOf(t, operators.TimeoutFirst[int](time.Hour)), ""},
	} {
		if c.got != c.want {
			t.Errorf("the source of %s was told of the stage %q, want %q", name, c.got, c.want)
		}
	}
}
