package streams

import (
	"context"
	"fmt"

	"github.com/reactivex/rxgo/v2"
	"github.com/samber/ro"

	"github.com/rxipc/rxipc/benchmarks/measure"
	"github.com/rxipc/rxipc/stream"
)

// The rows of the tables.
const (
	byHand    = "by hand"
	rxIPC     = "rxipc"
	elsewhere = "rxipc, composed elsewhere"
	ending    = "rxipc, with a context that can end"
	samberRo  = "samber/ro"
	rxGo      = "RxGo"
	channels  = "channels, a goroutine a stage"
)

// inlined is a loop with its functions inlined, while the others call them.
const inlined = byHand + ", inlined"

const million = 1_000_000

// way is an implementation of a work over n values. It returns the same result as the loop.
type way struct {
	name string
	run  func(ctx context.Context, n int) (int, error)
	note string
}

// ours returns the rows of rxipc for a work. Function run does the work with any context.
func ours(run func(ctx context.Context, n int) (int, error)) []way {
	return []way{{name: rxIPC, run: endless(run)}, {name: ending, run: run}}
}

// endless calls run with a context that cannot end.
func endless(run func(ctx context.Context, n int) (int, error)) func(context.Context, int) (int, error) {
	return func(_ context.Context, n int) (int, error) { return run(context.Background(), n) }
}

// compare returns a group with one work.
func compare(title, about string, loop func(n int) int, goals []measure.Goal, ways ...way) measure.Group {
	work := measure.Work{Name: title, N: million, QuickN: million / 100}
	hand := way{name: byHand, run: func(_ context.Context, n int) (int, error) { return loop(n), nil }}
	for _, w := range append([]way{hand}, ways...) {
		work.Contenders = append(work.Contenders, w.contender(loop))
	}
	for i := range goals {
		goals[i].Work, goals[i].Metric = title, measure.Time
	}
	return measure.Group{
		Title: title, About: about, Baseline: byHand, Metrics: measure.TimedMetrics(),
		Works: []measure.Work{work}, Goals: goals,
	}
}

// atMost returns a goal for rxipc: a multiple of the time of the loop.
func atMost(times float64, contenders ...string) (goals []measure.Goal) {
	for _, name := range contenders {
		goals = append(goals, measure.Goal{Contender: name, Ratio: true, Bound: times})
	}
	return goals
}

// within returns a goal for rxipc: a time in seconds.
func within(seconds float64, contenders ...string) (goals []measure.Goal) {
	for _, name := range contenders {
		goals = append(goals, measure.Goal{Contender: name, Bound: seconds})
	}
	return goals
}

// contender measures the time of the way, and then checks the result.
func (w way) contender(loop func(n int) int) measure.Contender {
	var got int
	timed := measure.Timed(w.name, func(ctx context.Context, n int) (err error) {
		got, err = w.run(ctx, n)
		return err
	})
	return measure.Contender{Name: w.name, Note: w.note, Start: func(ctx context.Context) (measure.Session, error) {
		session, err := timed.Start(ctx)
		return measure.Session{Run: func(ctx context.Context, n int) (measure.Figures, error) {
			figures, err := session.Run(ctx, n)
			if want := loop(n); err == nil && got != want {
				err = fmt.Errorf("compare the result of %d values: got %d, want %d", n, got, want)
			}
			return figures, err
		}}, err
	}}
}

// adder sums the values that it takes. All contenders call it without inlining, as a consumer that
// does some work.
type adder struct{ sum int }

//go:noinline
func (a *adder) take(v int) { a.sum += v }

// capacity is the number of values that may wait where values change goroutines: rxipc's default,
// used for all contenders.
const capacity = stream.DefaultBuffer

// buffered gives the channels of RxGo the same capacity.
var buffered = rxgo.WithBufferedChannel(capacity)

// runRo runs an observable of samber/ro to its end.
func runRo[T any](source ro.Observable[T], next func(T)) (err error) {
	source.Subscribe(ro.NewObserver(next, func(failure error) { err = failure }, func() {})).Wait()
	return err
}

// runRxGo runs an observable of RxGo to its end.
func runRxGo(source rxgo.Observable, next func(v any)) error {
	for item := range source.Observe(buffered) {
		if item.E != nil {
			return item.E
		}
		next(item.V)
	}
	return nil
}

// count is the first stage of a pipeline of channels. It sends n ints from start on.
func count(start, n int) <-chan int {
	out := make(chan int, capacity)
	go func() {
		defer close(out)
		for i := range n {
			out <- start + i
		}
	}()
	return out
}

// stage starts a goroutine between two channels. Function work gets each value and the channel to
// send to.
func stage[A, B any](in <-chan A, work func(v A, out chan<- B)) <-chan B {
	out := make(chan B, capacity)
	go func() {
		defer close(out)
		for v := range in {
			work(v, out)
		}
	}()
	return out
}
