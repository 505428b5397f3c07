package operators

import (
	"context"
	"math"
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
		func(ctx context.Context, source stream.Observable[A], window places, g *stream.Group[result[B]], push func(result[B]) bool) error {
			c := keyCrew[K, A, B]{group: g, f: f, push: push, limit: limit, lines: make(map[K]*line[K, A])}
			c.wake.L = &c.mu
			defer c.close() // also when the source panics
			err := source(ctx, func(a A) bool { return window.take(ctx) && c.assign(key(a), a) })
			c.close()
			c.working.Wait() // push is this producer's
			return err
		})
}

// keyCrew works on tasks, at most one of each key at a time.
type keyCrew[K comparable, A, B any] struct {
	group *stream.Group[result[B]]
	f     func(context.Context, A) (B, error)
	limit int

	working sync.WaitGroup
	mu      sync.Mutex // all below
	wake    sync.Cond  // of idle workers
	push    func(result[B]) bool
	lines   map[K]*line[K, A] // of the keys that have a task in ready or in work
	spare   []*line[K, A]
	ready   fifo[keyTask[K, A]]
	over    bool // nothing more is assigned
	workers int
	idle    int // workers that wait and are not about to wake up

	assigned int
}

// line are the tasks that wait for another one of their key.
type line[K comparable, A any] struct {
	key     K
	waiting fifo[task[A]]
}

type keyTask[K comparable, A any] struct {
	task[A]
	line *line[K, A] // nil if its key does not equal itself
}

// assign gives a value to a worker, or puts it into the line of its key.
func (c *keyCrew[K, A, B]) assign(key K, a A) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := keyTask[K, A]{task: task[A]{c.assigned, a}}
	c.assigned++
	if l := c.lines[key]; l != nil {
		l.waiting.push(t.task)
		return true
	}
	if same := key; same == key { // a NaN would never be found there, nor deleted
		t.line = c.begin(key)
	}
	c.ready.push(t)
	switch {
	case c.idle > 0:
		c.idle--
		c.wake.Signal()
	case c.workers < c.limit:
		c.workers++
		c.working.Add(1)
		c.group.Go(c.work)
	}
	return true
}

func (c *keyCrew[K, A, B]) begin(key K) (l *line[K, A]) {
	if last := len(c.spare) - 1; last >= 0 {
		l, c.spare = c.spare[last], c.spare[:last]
	} else {
		l = new(line[K, A])
	}
	l.key = key
	c.lines[key] = l
	return l
}

// work is a worker.
func (c *keyCrew[K, A, B]) work(ctx context.Context, _ func(result[B]) bool) error {
	defer c.working.Done()
	for t, more := c.next(); more; t, more = c.next() {
		b, err := c.f(ctx, t.value)
		if !c.done(t, result[B]{t.number, b, err}) {
			return nil
		}
	}
	return nil
}

// next waits for a task.
func (c *keyCrew[K, A, B]) next() (t keyTask[K, A], more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.ready.count == 0 && !c.over {
		c.idle++
		c.wake.Wait()
	}
	if c.ready.count == 0 {
		return t, false
	}
	return c.ready.pop(), true
}

// done hands a result on and lets the next task of the key begin, both under the lock. It
// reports whether the run goes on. The push does not block: there is as much room as places
// in the window.
func (c *keyCrew[K, A, B]) done(t keyTask[K, A], r result[B]) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch l := t.line; {
	case l == nil:
	case l.waiting.count > 0:
		c.ready.push(keyTask[K, A]{l.waiting.pop(), l})
	default:
		delete(c.lines, l.key)
		c.spare = append(c.spare, l)
	}
	return c.push(r)
}

// close says that nothing more is assigned.
func (c *keyCrew[K, A, B]) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over, c.idle = true, 0
	c.wake.Broadcast()
}
