package operators

import (
	"context"
	"math"
	"runtime"
	"slices"

	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/stages"
)

// ParallelOption changes how MapParallel emits.
type ParallelOption uint8

// Unordered lets MapParallel emit each result as soon as it is ready.
const Unordered ParallelOption = 1

// MapParallel emits f of each value. Up to limit calls of f run at the same time; a limit
// below one is [runtime.GOMAXPROCS]. Results come in the order of their values, or with
// [Unordered] as they are ready. The run has goroutines for the source and for the calls of
// f. The context of f ends with the run.
//
// An error of f ends the run in the place of the result. If the error wraps
// [stream.ErrSkip], the value is skipped and the run goes on. A failure of the source ends
// the run after the results of all values before. The run completes when the source has
// completed and all results have been emitted.
//
// At most twice limit values are under way, from the source to the return of yield: limit
// in work, and as many whose results wait for their turn. The source waits with one more.
func MapParallel[A, B any](limit int, f func(context.Context, A) (B, error), options ...ParallelOption) stream.Operator[A, B] {
	mustHave("MapParallel", "function", f != nil)
	limit = workers(limit)
	return parallel("MapParallel", 2*min(limit, math.MaxInt/2), options,
		func(ctx context.Context, source stream.Observable[A], run *parallelRun[B], g *stream.Group[result[B]]) error {
			pool := workerPool[A, B]{group: g, f: f, limit: limit, tasks: make(chan task[A, B])}
			defer close(pool.tasks)
			return source(ctx, func(a A) bool {
				return run.credits.acquire(ctx) && pool.assign(ctx, taskOf(a, run.order))
			})
		})
}

// workers is the limit of a parallel operator, or its default.
func workers(limit int) int {
	if limit < 1 {
		return runtime.GOMAXPROCS(0)
	}
	return limit
}

// parallel is an operator that emits the results of produce, which runs the source and
// starts producers of the group. At most size values are under way.
func parallel[A, B any](name string, size int, options []ParallelOption,
	produce func(ctx context.Context, source stream.Observable[A], run *parallelRun[B], g *stream.Group[result[B]]) error,
) stream.Operator[A, B] {
	unordered := slices.Contains(options, Unordered)
	return func(source stream.Observable[A]) stream.Observable[B] {
		mustHave(name, "observable", source != nil)
		return func(ctx context.Context, yield func(B) bool) error {
			followed, inner := stages.Enter(ctx, stages.Buffer, name)
			r := parallelRun[B]{ctx: ctx, yield: yield, credits: newCredits(size)}
			if followed != nil {
				r.credits.followed = true
				followed.Fills(r.credits.fill)
			}
			returned := false
			defer func() { followed.End(r.failed, !returned || ctx.Err() != nil) }()
			if !unordered {
				r.order = new(resultOrder[B])
			}
			// Room for all results, with some to spare: no worker ever waits for the consumer.
			room := min(size, math.MaxInt-stream.DefaultBuffer) + stream.DefaultBuffer
			err := stream.Gather(room, func(g *stream.Group[result[B]]) {
				g.Go(func(ctx context.Context, _ func(result[B]) bool) error {
					r.broken = produce(ctx, source, &r, g)
					return nil
				})
			})(stream.WithBuffering(stages.Cover(inner), name), r.consume())
			returned = true
			return r.end(err)
		}
	}
}

// parallelRun is a run of a parallel operator.
type parallelRun[B any] struct {
	ctx     context.Context
	yield   func(B) bool
	credits *credits
	order   *resultOrder[B] // nil if unordered
	broken  error           // how the source ended
	failed  error           // what ended the run before
	stopped bool
}

// consume returns the function that is called with each result that a worker pushed.
func (r *parallelRun[B]) consume() func(result[B]) bool {
	emit := r.emit
	return func(result result[B]) bool {
		if result.order == nil {
			return emit(result)
		}
		return result.order.emit(result, emit)
	}
}

// emit emits a result whose turn it is.
func (r *parallelRun[B]) emit(result result[B]) bool {
	if result.err != nil && r.ctx.Err() == nil && skipped(r.ctx, result.err) {
		r.credits.release()
		return true
	}
	if r.failed = result.err; r.ctx.Err() != nil { // it ended while yield was at work
		r.failed = context.Cause(r.ctx)
	}
	r.stopped = r.failed != nil || !r.yield(result.value)
	r.credits.release()
	return !r.stopped
}

// end returns how the run ended after all producers have.
func (r *parallelRun[B]) end(err error) error {
	switch {
	case err != nil:
		return err
	case r.stopped:
		return r.failed
	default:
		return ended(r.ctx, r.broken)
	}
}

// workerPool works on tasks with up to limit producers. Each is started when there is a task
// and no idle worker.
type workerPool[A, B any] struct {
	group   *stream.Group[result[B]]
	f       func(context.Context, A) (B, error)
	limit   int
	tasks   chan task[A, B] // closed when there are no more
	workers int
}

// assign gives a task to a worker, waits for one if all are at work, and reports
// whether there was one before ctx ended.
func (p *workerPool[A, B]) assign(ctx context.Context, t task[A, B]) bool {
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
func (p *workerPool[A, B]) work(t task[A, B]) stream.Observable[result[B]] {
	f, tasks := p.f, p.tasks
	return func(ctx context.Context, push func(result[B]) bool) error {
		for more := true; more; t, more = <-tasks {
			b, err := f(ctx, t.value)
			if !push(result[B]{b, err, t.number, t.order}) {
				return nil
			}
		}
		return nil
	}
}
