package operators

import (
	"context"
	"math"
	"runtime"
	"sync"

	"github.com/rxipc/rxipc/stream"
)

// MapParallelByKey is [MapParallel] that works on one value of a key at a time, in their
// order, and on values of up to limit keys at the same time: for what must not overtake its
// own kind, as the events of an account (Akka: mapAsyncPartitioned). Results come in the
// order of their values; with [Unordered] as they are ready, those of a key in order. A
// key that does not equal itself, as a NaN, is another one each time.
//
// f is called on goroutines of the run's, key on the source's. Errors of f's, and the end,
// are those of MapParallel. Besides limit values in work, at most [stream.DefaultBuffer]
// have been read of the source whose results yield has not returned from: they wait for
// their key, or their result for its turn. The source waits with one more, so many values
// of one key in a row leave the other goroutines without work.
func MapParallelByKey[A, B any, K comparable](limit int, key func(A) K, f func(context.Context, A) (B, error), options ...ParallelOption) stream.Operator[A, B] {
	mustHave("MapParallelByKey", "key function", key != nil)
	mustHave("MapParallelByKey", "function", f != nil)
	limit = workers(limit)
	return parallel("MapParallelByKey", min(limit, math.MaxInt-stream.DefaultBuffer)+stream.DefaultBuffer, options,
		func(ctx context.Context, source stream.Observable[A], window semaphore, g *stream.Group[result[B]], push func(result[B]) bool) error {
			pool := keyedPool[K, A, B]{group: g, f: f, push: push, limit: limit, queues: make(map[K]*keyQueue[K, A])}
			pool.wake.L = &pool.mu
			defer pool.close() // also when the source panics
			err := source(ctx, func(a A) bool { return window.acquire(ctx) && pool.assign(key(a), a) })
			pool.close()
			pool.working.Wait() // push is this producer's
			return err
		})
}

// yieldEvery is the number of results after which a worker lets other goroutines run.
const yieldEvery = 16

// keyedPool works on tasks, at most one of each key at a time.
type keyedPool[K comparable, A, B any] struct {
	group *stream.Group[result[B]]
	f     func(context.Context, A) (B, error)
	limit int

	working    sync.WaitGroup
	mu         sync.Mutex // guards the fields below
	wake       sync.Cond  // of idle workers
	push       func(result[B]) bool
	queues     map[K]*keyQueue[K, A] // of the keys that have a task in ready or in work
	freeQueues []*keyQueue[K, A]
	ready      fifo[keyTask[K, A]]
	closed     bool // nothing more is assigned
	workers    int
	idle       int // workers that wait and are not about to wake up

	assigned int
}

// keyQueue holds the tasks that wait for another one of their key.
type keyQueue[K comparable, A any] struct {
	key     K
	waiting fifo[task[A]]
}

type keyTask[K comparable, A any] struct {
	task[A]
	queue *keyQueue[K, A] // nil if its key does not equal itself
}

// assign gives a value to a worker, or puts it into the queue of its key.
func (p *keyedPool[K, A, B]) assign(key K, a A) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := keyTask[K, A]{task: task[A]{p.assigned, a}}
	p.assigned++
	if l := p.queues[key]; l != nil {
		l.waiting.push(t.task)
		return true
	}
	if same := key; same == key { // a NaN would never be found there, nor deleted
		t.queue = p.begin(key)
	}
	p.ready.push(t)
	switch {
	case p.idle > 0:
		p.idle--
		p.wake.Signal()
	case p.workers < p.limit:
		p.workers++
		p.working.Add(1)
		p.group.Go(p.work)
	}
	return true
}

func (p *keyedPool[K, A, B]) begin(key K) (l *keyQueue[K, A]) {
	if last := len(p.freeQueues) - 1; last >= 0 {
		l, p.freeQueues = p.freeQueues[last], p.freeQueues[:last]
	} else {
		l = new(keyQueue[K, A])
	}
	l.key = key
	p.queues[key] = l
	return l
}

// work is a worker.
func (p *keyedPool[K, A, B]) work(ctx context.Context, _ func(result[B]) bool) error {
	defer p.working.Done()
	finished := 0
	for t, more := p.next(); more; t, more = p.next() {
		b, err := p.f(ctx, t.value)
		if !p.done(t, result[B]{t.number, b, err}) {
			return nil
		}
		// Workers that keep all processors busy would run out of tasks before the consumer
		// frees places and the source fills them.
		if finished++; finished%yieldEvery == 0 {
			runtime.Gosched()
		}
	}
	return nil
}

// next waits for a task.
func (p *keyedPool[K, A, B]) next() (t keyTask[K, A], more bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.ready.count == 0 && !p.closed {
		p.idle++
		p.wake.Wait()
	}
	if p.ready.count == 0 {
		return t, false
	}
	return p.ready.pop(), true
}

// done hands a result on and lets the next task of the key begin, both under the lock. It
// reports whether the run goes on. The push does not block: there is as much room as places
// in the window.
func (p *keyedPool[K, A, B]) done(t keyTask[K, A], r result[B]) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch l := t.queue; {
	case l == nil:
	case l.waiting.count > 0:
		p.ready.push(keyTask[K, A]{l.waiting.pop(), l})
	default:
		delete(p.queues, l.key)
		p.freeQueues = append(p.freeQueues, l)
	}
	return p.push(r)
}

// close says that nothing more is assigned.
func (p *keyedPool[K, A, B]) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed, p.idle = true, 0
	p.wake.Broadcast()
}
