package operators

import (
	"context"
	"math"
	"runtime"
	"slices"

	"github.com/rxipc/rxipc/stream"
)

// ParallelOption changes how MapParallel emits.
type ParallelOption uint8

// Unordered lets MapParallel emit each result as soon as it is ready.
const Unordered ParallelOption = 1

// MapParallel emits f of each value, worked out for up to limit values at the same
// time; a limit below one is [runtime.GOMAXPROCS]. Results come in the order of their
// values, or with [Unordered] as they are ready. f is called on goroutines of the
// run's, the source has one too; f's context ends with the run.
//
// An error of f's ends it where its result would have come. If the error wraps
// [stream.ErrSkip], the value is skipped and the run goes on. A failure of the source
// ends it after the results of all values before. It completes when the source has and
// all results have been emitted.
//
// At most twice limit values have been read of the source whose results yield has not
// returned from: limit in work, the others with a result that waits for its turn. The
// source waits with one more.
func MapParallel[A, B any](limit int, f func(context.Context, A) (B, error), options ...ParallelOption) stream.Operator[A, B] {
	mustHave("MapParallel", "function", f != nil)
	limit = workers(limit)
	return parallel("MapParallel", 2*min(limit, math.MaxInt/2), options,
		func(ctx context.Context, source stream.Observable[A], window semaphore, g *stream.Group[result[B]], _ func(result[B]) bool) error {
			pool := workerPool[A, B]{group: g, f: f, limit: limit, tasks: make(chan task[A])}
			defer close(pool.tasks)
			return source(ctx, func(a A) bool { return window.acquire(ctx) && pool.assign(ctx, a) })
		})
}

// workers is the limit of a parallel operator, or its default.
func workers(limit int) int {
	if limit < 1 {
		return runtime.GOMAXPROCS(0)
	}
	return limit
}

// parallel is an operator that emits the results of produce. The window has size
// places for values of the source.
func parallel[A, B any](name string, size int, options []ParallelOption,
	produce func(ctx context.Context, source stream.Observable[A], window semaphore, g *stream.Group[result[B]], push func(result[B]) bool) error,
) stream.Operator[A, B] {
	unordered := slices.Contains(options, Unordered)
	return func(source stream.Observable[A]) stream.Observable[B] {
		mustHave(name, "observable", source != nil)
		return func(ctx context.Context, yield func(B) bool) error {
			window := newSemaphore(size)
			return results(stream.WithBuffering(ctx, name), window, unordered, yield,
				func(ctx context.Context, g *stream.Group[result[B]], push func(result[B]) bool) error {
					return produce(ctx, source, window, g, push)
				})
		}
	}
}

// results emits results, and gives a place in the window back for each. produce runs the
// source; it pushes results itself, or starts producers of the group for them.
func results[B any](ctx context.Context, window semaphore, unordered bool, yield func(B) bool, produce func(context.Context, *stream.Group[result[B]], func(result[B]) bool) error) error {
	var broken, failed error // how the source ended; what ended the run before
	stopped := false
	emit := func(r result[B]) bool {
		if r.err != nil && ctx.Err() == nil && skipped(ctx, r.err) {
			<-window
			return true
		}
		if failed = r.err; ctx.Err() != nil { // it ended while yield was at work
			failed = context.Cause(ctx)
		}
		stopped = failed != nil || !yield(r.value)
		<-window
		return !stopped
	}
	if !unordered {
		emit = inOrder(emit)
	}
	// The consumer frees room in batches: with some to spare, no producer with a place waits.
	room := min(cap(window), math.MaxInt-stream.DefaultBuffer) + stream.DefaultBuffer
	err := stream.Gather(room, func(g *stream.Group[result[B]]) {
		g.Go(func(ctx context.Context, push func(result[B]) bool) error {
			broken = produce(ctx, g, push)
			return nil
		})
	})(ctx, emit)
	switch {
	case err != nil:
		return err
	case stopped:
		return failed
	default:
		return ended(ctx, broken)
	}
}

// task is a value to work on, and its number among the values of the source.
type task[A any] struct {
	number int
	value  A
}

// result is the outcome of a task.
type result[B any] struct {
	number int
	value  B
	err    error
}

// workerPool works on tasks with up to limit producers. Each is started when there is a task
// and no idle worker.
type workerPool[A, B any] struct {
	group    *stream.Group[result[B]]
	f        func(context.Context, A) (B, error)
	limit    int
	tasks    chan task[A] // closed when there are no more
	workers  int
	assigned int
}

// assign gives a value to a worker, waits for one if all are at work, and reports
// whether there was one before ctx ended.
func (p *workerPool[A, B]) assign(ctx context.Context, a A) bool {
	t := task[A]{p.assigned, a}
	p.assigned++
	select {
	case p.tasks <- t:
		return true
	default:
	}
	if p.workers < p.limit {
		p.workers++
		p.group.Go(p.work(t))
		return true
	}
	select {
	case p.tasks <- t:
		return true
	case <-ctx.Done():
		return false
	}
}

// work is a producer that works on a task, and then on others until there are no more.
func (p *workerPool[A, B]) work(t task[A]) stream.Observable[result[B]] {
	f, tasks := p.f, p.tasks
	return func(ctx context.Context, push func(result[B]) bool) error {
		for more := true; more; t, more = <-tasks {
			b, err := f(ctx, t.value)
			if !push(result[B]{t.number, b, err}) {
				return nil
			}
		}
		return nil
	}
}

// inOrder calls emit with results in the order of their numbers. It holds those that came
// before their turn, and a place for each that is missing among them.
func inOrder[B any](emit func(result[B]) bool) func(result[B]) bool {
	type slot struct {
		result[B]
		here bool
	}
	var waiting fifo[slot]
	next := 0 // the number of the first slot
	return func(r result[B]) bool {
		for waiting.count <= r.number-next {
			waiting.extend()
		}
		*waiting.at(r.number - next) = slot{r, true}
		for waiting.count > 0 && waiting.at(0).here {
			ready := waiting.pop().result
			next++
			if !emit(ready) {
				return false
			}
		}
		return true
	}
}
