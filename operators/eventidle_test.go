package operators_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// Each value is its own event time in milliseconds; windows are tumbling.
func TestEventTimeIdleAgainstAModel(t *testing.T) {
	wantModel(t, func(random *rand.Rand, steps []step, _ error) (func(context.Context) []string, []string) {
		var late, wantLate []int
		size := 1 + random.IntN(60)
		c := clockwise
		c.Delay, c.Idle = time.Duration(random.IntN(20))*ms, time.Duration(1+random.IntN(90))*ms
		c.Late = func(n int) { late = append(late, n) }
		values, end := cut(steps)
		for i := range values {
			values[i].value = max(0, values[i].at-random.IntN(40))
		}

		open := make(map[int][]int) // by their ends, in milliseconds
		var told []string
		var heard, reached, watermark time.Duration = 0, -1 << 40, -1 << 40
		emit := func(over int, at time.Duration) {
			told = append(told, seenAt(at, open[over]))
			delete(open, over)
		}
		silent := func(until time.Duration) {
			for _, over := range slices.Sorted(maps.Keys(open)) {
				if due := heard + max(c.Idle, time.Duration(over)*ms-reached); due <= until {
					emit(over, due)
				}
			}
			if until-heard >= c.Idle {
				watermark = max(watermark, reached+until-heard)
			}
		}
		for _, s := range values {
			silent(s.time())
			if over := (s.value/size + 1) * size; time.Duration(over)*ms <= watermark {
				wantLate = append(wantLate, s.value)
			} else {
				open[over] = append(open[over], s.value)
			}
			watermark = max(watermark, time.Duration(s.value)*ms-c.Delay)
			for _, over := range slices.Sorted(maps.Keys(open)) {
				if time.Duration(over)*ms <= watermark {
					emit(over, s.time())
				}
			}
			heard, reached = s.time(), watermark
		}
		silent(end)
		for _, over := range slices.Sorted(maps.Keys(open)) {
			emit(over, end)
		}
		return func(ctx context.Context) []string {
			windows := value(operators.BufferEventTime(time.Duration(size)*ms, 0, c))
			return append(timeline(ctx, windows(script(nil, steps...))), fmt.Sprint("late ", late))
		}, append(told, seenAt(end, error(nil)), fmt.Sprint("late ", wantLate))
	})
}

// A session of a silent source ends with the clock, and so does the next one.
func TestFoldSessionsIdle(t *testing.T) {
	c := clockwise
	c.Idle = 100 * ms
	one := func(n int) (string, int) { return "k", n }
	sessions := value(operators.FoldSessions(50*ms, c, one, fold.Sum[int]()))
	wantTimeline(t, sessions(script(nil, step{1000, 1000}, step{1010, 1010}, step{5000, 5000}, step{9000, 0})),
		"1110 {k 2010}", "5100 {k 5000}", "9000 <nil>")
	c.Idle = 0
	sessions = value(operators.FoldSessions(50*ms, c, one, fold.Sum[int]()))
	wantTimeline(t, sessions(script(nil, step{1000, 1000}, step{1010, 1010}, step{5000, 5000}, step{9000, 0})),
		"5000 {k 2010}", "9000 {k 5000}", "9000 <nil>")
}

func init() {
	durationsOf["EventTime Idle"] = func(d time.Duration) tried {
		idle := clockwise
		idle.Idle = d
		return tried{over: value(operators.FoldEventTime(ms, 0, idle, triple, fold.Sum[int]()))(twenty), values: 20}
	}
	leavings["BufferEventTime, idle"] = func(s ints) ints {
		idle := clockwise
		idle.Idle = time.Second
		return sizeOfEach(operators.BufferEventTime(ms, 0, idle))(s)
	}
}

// The minute's window ends although the source is silent.
func ExampleEventTime_idle() {
	at := time.Date(2026, 1, 1, 12, 0, 59, 990e6, time.UTC)
	source := operators.Concat(stream.Just("a", "b"), stream.Never[string]())
	clock := operators.EventTime[string]{At: func(string) time.Time { return at }, Idle: time.Millisecond}
	windows := operators.BufferEventTime(time.Minute, 0, clock)(source)
	show(operators.Take[operators.EventWindow[[]string]](1)(windows))
	// Output: [12:00:00–12:01:00: [a b]] <nil>
}
