package operators_test

import (
	"context"
	"fmt"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// visit is a line of a log.
type visit struct {
	at   string
	page string
}

func (v visit) time() time.Time {
	t, _ := time.Parse(time.TimeOnly, v.at)
	return t.AddDate(2026, 0, 0)
}

func visits() stream.Observable[visit] {
	return stream.Just(visit{"10:00:05", "/"}, visit{"10:00:50", "/docs"}, visit{"10:00:20", "/"}, visit{"10:01:10", "/"}, visit{"10:03:00", "/docs"})
}

func showLines[T any](source stream.Observable[T]) {
	_ = source.ForEach(context.Background(), func(v T) { fmt.Println(v) })
}

// A value that is half a minute late is in its window all the same.
func ExampleBufferEventTime() {
	minutes := operators.BufferEventTime(time.Minute, 0, operators.EventTime[visit]{At: visit.time, Delay: 30 * time.Second})
	showLines(minutes(visits()))
	// Output:
	// 10:00:00–10:01:00: [{10:00:05 /} {10:00:50 /docs} {10:00:20 /}]
	// 10:01:00–10:02:00: [{10:01:10 /}]
	// 10:03:00–10:04:00: [{10:03:00 /docs}]
}

// Each minute of event time is an observable, which has its values as they come. A minute
// completes when the second one after it begins.
func ExampleGroupBy_eventTime() {
	minute := func(v visit) string { return v.time().Truncate(time.Minute).Format("15:04") }
	minutes := operators.GroupBy(minute, operators.GroupLatest(2))(visits())
	showLines(operators.ConcatMap(func(m operators.Group[string, visit]) stream.Observable[string] {
		return operators.Map(func(v visit) string { return m.Key + " " + v.page })(m.Values())
	})(minutes))
	// Output:
	// 10:00 /
	// 10:00 /docs
	// 10:00 /
	// 10:01 /
	// 10:03 /docs
}

// How many in two minutes, every minute.
func ExampleFoldEventTime() {
	one := func(visit) int { return 1 }
	clock := operators.EventTime[visit]{At: visit.time, Delay: 30 * time.Second}
	showLines(operators.FoldEventTime(2*time.Minute, time.Minute, clock, one, fold.Sum[int]())(visits()))
	// Output:
	// 09:59:00–10:01:00: 3
	// 10:00:00–10:02:00: 4
	// 10:01:00–10:03:00: 1
	// 10:02:00–10:04:00: 1
	// 10:03:00–10:05:00: 1
}

// Without a delay the third visit is late for its window's end, but not for its lateness.
func ExampleFoldEventTimeByKey() {
	page := func(v visit) (string, int) { return v.page, 1 }
	clock := operators.EventTime[visit]{At: visit.time, Lateness: time.Minute}
	late := stream.Just(visit{"10:00:05", "/"}, visit{"10:01:10", "/docs"}, visit{"10:00:20", "/"})
	showLines(operators.FoldEventTimeByKey(time.Minute, 0, clock, page, fold.Sum[int]())(late))
	// Output:
	// 10:00:00–10:01:00: map[/:1]
	// 10:00:00–10:01:00: map[/:2], update 1
	// 10:01:00–10:02:00: map[/docs:1]
}

func ExampleFoldSessions() {
	page := func(v visit) (string, int) { return v.page, 1 }
	clock := operators.EventTime[visit]{At: visit.time, Delay: 30 * time.Second}
	showLines(operators.FoldSessions(time.Minute, clock, page, fold.Sum[int]())(visits()))
	// Output:
	// 10:00:50–10:01:50: {/docs 1}
	// 10:00:05–10:02:10: {/ 3}
	// 10:03:00–10:04:00: {/docs 1}
}

// Late values are a stream of their own.
func ExampleEventTime_late() {
	late := stream.NewReplaySubject[visit](100, time.Hour)
	clock := operators.EventTime[visit]{At: visit.time, Late: late.Next}
	showLines(operators.BufferEventTime(time.Minute, 0, clock)(
		stream.Just(visit{"10:00:05", "/"}, visit{"10:01:10", "/docs"}, visit{"10:00:20", "/"})))
	late.Complete()
	showLines(operators.Map(func(v visit) string { return "late: " + v.at })(late.Observe(100, stream.Block)))
	// Output:
	// 10:00:00–10:01:00: [{10:00:05 /}]
	// 10:01:00–10:02:00: [{10:01:10 /docs}]
	// late: 10:00:20
}
