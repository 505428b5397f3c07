package operators

import (
	"context"
	"math"
	"sync"

	"github.com/rxipc/rxipc/stream"
)

// MapParallelByKey is [MapParallel] that works on one value of a key at a time, in their
// order, and on values of up to limit keys at the same time (Akka: mapAsyncPartitioned). It
// suits values such as the events of accounts, which must not overtake others of the same
// account. Results come in the order of their values, or with [Unordered] as they are
// ready, those of a key in order. A key that does not equal itself, such as NaN, is a new
// key each time.
//
// f is called on goroutines of the run, key on that of the source. Errors of f and the end
// are as for MapParallel. Besides limit values in work, at most four times
// [stream.DefaultBuffer] are under way: values that wait for their key, and results that
// wait for their turn or for yield. The source waits with one more. So many values of one
// key in a row leave the other goroutines without work.
func MapParallelByKey[A, B any, K comparable](limit int, key func(A) K, f func(context.Context, A) (B, error), options ...ParallelOption) stream.Operator[A, B] {
	mustHave("MapParallelByKey", "key function", key != nil)
	mustHave("MapParallelByKey", "function", f != nil)
	limit = workers(limit)
	return parallel("MapParallelByKey", min(limit, math.MaxInt-keyedWindow)+keyedWindow, options,
		func(ctx context.Context, source stream.Observable[A], run *parallelRun[B], g *stream.Group[result[B]]) error {
			pool := keyedPool[A, B]{group: g, f: f, limit: limit}
			pool.wake.L = &pool.mu
			defer pool.close() // also when the source panics
			queues := keyQueues[K, A, B]{byKey: make(map[K]*keyQueue[A, B])}
			return source(ctx, func(a A) bool {
				if !run.credits.acquire(ctx) {
					return false
				}
				queue := queues.of(key(a))
				order := run.order
				if order == nil {
					order = &queue.order
				}
				if t := taskOf(a, order); queue.begin(t) {
					pool.assign(keyedTask[A, B]{t, queue})
				}
				return true
			})
		})
}

// keyedWindow is how many values may be under way besides those in work. It is large so
// that goroutines seldom wait for each other: f may take as little as a microsecond.
const keyedWindow = 4 * stream.DefaultBuffer

// keyQueue holds the tasks of a key that wait for another task of the key.
type keyQueue[A, B any] struct {
	mu      sync.Mutex // guards busy and waiting
	busy    bool       // a task of the key is ready or in work
	waiting fifo[task[A, B]]

	order resultOrder[B] // of the results of the key, unless all results have an order
}

// begin reports whether a task may begin. If not, it waits in the queue.
func (q *keyQueue[A, B]) begin(t task[A, B]) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.busy {
		q.waiting.push(t)
		return false
	}
	q.busy = true
	return true
}

// finish ends a task of the key, and takes the next one out, which may begin.
func (q *keyQueue[A, B]) finish() (next keyedTask[A, B], ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.busy = q.waiting.count > 0; !q.busy {
		return next, false
	}
	return keyedTask[A, B]{q.waiting.pop(), q}, true
}

// drained reports to the source whether the queue can be forgotten.
func (q *keyQueue[A, B]) drained() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return !q.busy && q.order.drained()
}

// keyQueues finds the queue of a key. The source alone uses it. It keeps drained queues, since
// a key often comes back, but no more than leastKept or as many as were not drained.
type keyQueues[K comparable, A, B any] struct {
	byKey map[K]*keyQueue[A, B]
	most  int // queues, before drained ones are looked for
}

const leastKept = 128

// of returns the queue of a key.
func (q *keyQueues[K, A, B]) of(key K) *keyQueue[A, B] {
	if found := q.byKey[key]; found != nil {
		return found
	}
	made := new(keyQueue[A, B])
	if same := key; same == key { // a NaN would never be found, nor deleted
		if len(q.byKey) >= max(leastKept, q.most) {
			q.sweep()
		}
		q.byKey[key] = made
	}
	return made
}

// sweep forgets drained queues.
func (q *keyQueues[K, A, B]) sweep() {
	for key, queue := range q.byKey {
		if queue.drained() {
			delete(q.byKey, key)
		}
	}
	q.most = 2 * len(q.byKey)
}
