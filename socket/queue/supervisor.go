package queue

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
)

// supervisor knows the workers of a run.
type supervisor struct {
	config   Config
	attempts chan *attempt               // from jobs to places of workers
	start    func(func(context.Context)) // starts a goroutine of the run

	mu      sync.Mutex
	workers map[*socket.Connection]*worker
}

// serve lets workers in and takes their answers, until open is done.
func (q *supervisor) serve(ctx, open context.Context, connections stream.Observable[*socket.Connection]) error {
	exchanges := operators.TakeUntilDone[socket.Exchange](open)(socket.Exchanges(connections))
	if err := exchanges.ForEach(ctx, q.handle); err != nil || open.Err() != nil {
		return err
	}
	return ErrNoWorkers
}

// handle handles a message of a worker.
func (q *supervisor) handle(x socket.Exchange) {
	id, answers := x.MediaType().Parameter(jobParameter)
	switch {
	case answers && q.answer(x.Connection(), id, x.Message):
		_ = x.Respond() // acknowledged: the answer is here
	case x.Message == ready:
		q.join(x.Connection())
		_ = x.Respond()
	default:
		x.Reject(fmt.Errorf("%w: %v is neither the message of a new worker nor the answer to a job", socket.ErrInvalid, x.Message))
	}
}

// join gives a worker its places.
func (q *supervisor) join(c *socket.Connection) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.workers[c] != nil {
		return
	}
	w := &worker{supervisor: q, connection: c, places: q.config.InFlight, waiting: map[string]chan<- socket.Message{}}
	q.workers[c] = w
	for range w.places {
		q.start(w.work)
	}
}

// answer hands a worker's answer to the place that waits for it, and reports whether the job
// was one of the worker's.
func (q *supervisor) answer(c *socket.Connection, id string, m socket.Message) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	w := q.workers[c]
	if w == nil || w.waiting[id] == nil {
		return false
	}
	w.waiting[id] <- m // has room
	delete(w.waiting, id)
	return true
}

// worker is a connected worker. It has a goroutine for each job that it may have at the same time.
type worker struct {
	*supervisor
	connection *socket.Connection

	// Under the mu of the supervisor.
	places  int // whose goroutines run
	number  int // of the latest job
	waiting map[string]chan<- socket.Message
}

// work gives jobs to the worker, one after the other.
func (w *worker) work(ctx context.Context) {
	defer w.leave()
	for w.connection.Context().Err() == nil {
		select {
		case a := <-w.attempts:
			w.give(ctx, a)
		case <-w.connection.Context().Done():
		case <-ctx.Done():
			return
		}
	}
}

// leave forgets the worker with its last place.
func (w *worker) leave() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.places--; w.places == 0 {
		delete(w.workers, w.connection)
	}
}

// expect numbers a job, and returns the channel of its answer.
func (w *worker) expect() (id string, answer <-chan socket.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.number++
	id = strconv.Itoa(w.number)
	waiting := make(chan socket.Message, 1)
	w.waiting[id] = waiting
	return id, waiting
}

func (w *worker) forget(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.waiting, id)
}

// give gives a job to the worker, and returns when the place is free again: after the worker's
// answer, or when it is gone.
func (w *worker) give(ctx context.Context, a *attempt) {
	id, answer := w.expect()
	defer w.forget(id)
	m, err := jobMessage(a.message, id, a.number, w.config.Lease)
	if err != nil {
		a.failed <- &finalError{err}
		return
	}
	leased, end := lease(ctx, w.config.Lease)
	defer end()
	if err := w.connection.Send(leased, m); isUnsendable(err) {
		a.failed <- &finalError{err}
		return
	} else if isOver(leased, err) {
		a.failed <- errNotGiven
		return
	}
	gone := w.connection.Context().Done()
	select {
	case m := <-answer:
		w.conclude(ctx, a, m, true)
		return
	case <-gone:
		w.goneWith(ctx, a, answer)
		return
	case <-leased.Done(): // or the run has ended
		a.failed <- ErrLease
	}
	select {
	case m := <-answer:
		w.conclude(ctx, a, m, false)
	case <-gone:
	case <-ctx.Done():
	}
}

// goneWith ends an attempt whose worker is gone. Its answer may have come before.
func (w *worker) goneWith(ctx context.Context, a *attempt, answer <-chan socket.Message) {
	select {
	case m := <-answer:
		w.conclude(ctx, a, m, true)
	default:
		a.failed <- fmt.Errorf("%w: %w", ErrGone, context.Cause(w.connection.Context()))
	}
}

// conclude ends an attempt with the worker's answer. The answer of one that has failed already
// counts only if it is the first result of the job.
func (w *worker) conclude(ctx context.Context, a *attempt, m socket.Message, inTime bool) {
	first, err := a.answered(m)
	switch {
	case first:
	case err != nil && inTime:
		a.failed <- err
	default:
		stream.Skipping(ctx)(1)
	}
}

// lease returns the context of a job, which ends with its lease.
func lease(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if d <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, d)
}
