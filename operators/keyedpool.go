package operators

import (
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// keyedPool works on tasks of different keys with up to limit workers, in the order in which
// they became ready. Each worker is started when there is a task and no idle worker.
type keyedPool[A, B any] struct {
	group *stream.Group[result[B]]
	f     func(context.Context, A) (B, error)
	limit int

	mu      sync.Mutex // guards the fields below
	wake    sync.Cond  // of idle workers
	ready   fifo[keyedTask[A, B]]
	workers []*keyedWorker[A, B]
	idle    int  // workers that wait and are not about to wake up
	closed  bool // nothing more is assigned
}

// keyedTask is a task and the queue of its key.
type keyedTask[A, B any] struct {
	task[A, B]
	queue *keyQueue[A, B]
}

// assign gives a worker a task that may begin.
func (p *keyedPool[A, B]) assign(t keyedTask[A, B]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ready.push(t)
	switch {
	case p.idle > 0:
		p.idle--
		p.wake.Signal()
	case len(p.workers) < p.limit:
		w := &keyedWorker[A, B]{pool: p}
		p.workers = append(p.workers, w)
		p.group.Go(w.work)
	}
}

// close says that nothing more is assigned.
func (p *keyedPool[A, B]) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed, p.idle = true, 0
	p.wake.Broadcast()
}

// await waits, mu held, for a task. It reports whether there is one.
func (p *keyedPool[A, B]) await() (t keyedTask[A, B], ok bool) {
	for p.ready.count == 0 {
		if t, ok = p.steal(); ok || p.closed {
			return t, ok
		}
		p.idle++
		p.wake.Wait()
	}
	return p.ready.pop(), true
}

// steal takes, mu held, a task that a worker has set aside.
func (p *keyedPool[A, B]) steal() (t keyedTask[A, B], ok bool) {
	for _, w := range p.workers {
		if t, ok = w.exchange(keyedTask[A, B]{}, false); ok {
			break
		}
	}
	return t, ok
}

// keyedWorker is a worker. If its tasks take only microseconds, it sets several aside at a
// time, because the processors would otherwise be busy with the lock of the pool. Idle workers
// steal them. So no task waits behind a slow one while a worker is idle.
type keyedWorker[A, B any] struct {
	pool  *keyedPool[A, B]
	batch int       // how many tasks to set aside
	since time.Time // when the last ones were taken

	mu    sync.Mutex // guards aside; locked after that of the pool
	aside fifo[keyedTask[A, B]]

	_ [64]byte // a line of the processor's cache: workers do not write to the same one
}

const (
	// yieldEvery is the number of tasks after which a worker lets other goroutines run. Workers
	// that keep all processors busy would run out of tasks before the consumer emits their
	// results and the source assigns more.
	yieldEvery = 128
	// largestBatch and quickTask limit how long tasks wait behind others of their worker.
	largestBatch = 16
	quickTask    = 20 * time.Microsecond
)

// work is a producer.
func (w *keyedWorker[A, B]) work(ctx context.Context, push func(result[B]) bool) error {
	t, ok := w.take(keyedTask[A, B]{}, false)
	for n := 1; ok; n++ {
		b, err := w.pool.f(ctx, t.value)
		next, more := t.queue.finish()
		if !push(result[B]{b, err, t.number, t.order}) {
			return nil
		}
		if n%yieldEvery == 0 {
			runtime.Gosched()
		}
		if t, ok = w.exchange(next, more); !ok {
			t, ok = w.take(next, more)
		}
	}
	return nil
}

// exchange takes a task that was set aside, and if there is one, sets the next aside.
func (w *keyedWorker[A, B]) exchange(next keyedTask[A, B], more bool) (t keyedTask[A, B], ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.aside.count == 0 {
		return t, false
	}
	if more {
		w.aside.push(next)
	}
	return w.aside.pop(), true
}

// take gives the pool the next task, takes a batch of tasks, and returns the first. It waits
// until there is one, and returns false if there will be none.
func (w *keyedWorker[A, B]) take(next keyedTask[A, B], more bool) (t keyedTask[A, B], ok bool) {
	now := time.Now()
	if now.Sub(w.since) < time.Duration(1+w.batch)*quickTask {
		w.batch = min(2*w.batch+1, largestBatch)
	} else {
		w.batch = 0
	}
	w.since = now
	p := w.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if more {
		p.ready.push(next)
	}
	if t, ok = p.await(); !ok {
		return t, false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for range min(w.batch, p.ready.count/p.limit/4) { // leaves enough for the others
		w.aside.push(p.ready.pop())
	}
	return t, true
}
