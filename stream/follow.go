package stream

import (
	"context"
	"sync"

	"github.com/rxipc/rxipc/stream/stages"
)

// enter notes that a run of a buffer begins. Its name is the one that the stage has told with
// WithBuffering, or name. The Run is nil if nobody follows.
func enter(ctx context.Context, name string) (*stages.Run, context.Context) {
	if told := Buffering(ctx); told != "" {
		name = told
	}
	return stages.Enter(ctx, stages.Buffer, name)
}

// ending calls run, and notes how the followed run has ended; a panic stops it.
func ending(followed *stages.Run, ctx context.Context, run func() error) (err error) {
	returned := false
	defer func() { followed.End(err, !returned || ctx.Err() != nil) }()
	err = run()
	returned = true
	return err
}

// fills has the queues of a followed group. A queue is there until its producer has ended and it
// is found empty.
type fills[T any] struct {
	mu     sync.Mutex
	queues []*spscQueue[T]
	ended  map[*spscQueue[T]]struct{} // those whose producer has ended
}

func (f *fills[T]) add(q *spscQueue[T]) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.queues) == cap(f.queues) { // as seldom as it grows
		f.tidy()
	}
	f.queues = append(f.queues, q)
}

func (f *fills[T]) end(q *spscQueue[T]) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended == nil {
		f.ended = make(map[*spscQueue[T]]struct{})
	}
	f.ended[q] = struct{}{}
}

// tidy forgets the queues that stay empty, mu held.
func (f *fills[T]) tidy() {
	kept := f.queues[:0]
	for _, q := range f.queues {
		if _, ended := f.ended[q]; ended && q.waiting() == 0 {
			delete(f.ended, q)
			continue
		}
		kept = append(kept, q)
	}
	clear(f.queues[len(kept):])
	f.queues = kept
}

// fill returns the fill of the queues of a followed group.
func (g *Group[T]) fill() (sum stages.Fill) {
	g.fills.mu.Lock()
	defer g.fills.mu.Unlock()
	g.fills.tidy()
	for _, q := range g.fills.queues {
		sum.Waiting += q.waiting()
		sum.Capacity = addCapacity(sum.Capacity, g.capacity)
		if q.producerWaits.Load() {
			sum.Blocked++
		}
	}
	return sum
}

// addCapacity adds capacities, of which one may be the largest int.
func addCapacity(a, b int) int {
	if sum := a + b; sum >= a {
		return sum
	}
	return a
}

// waiting returns how many values wait in the queue.
func (q *spscQueue[T]) waiting() int {
	taken := q.taken.Load() // before published, which is never less
	return int(q.published.Load() - taken)
}

// fill returns the fill of the buffer of one consumer.
func (b *subscriberBuffer[T]) fill() stages.Fill {
	b.broadcaster.mu.Lock()
	defer b.broadcaster.mu.Unlock()
	b.pull()
	f := stages.Fill{Waiting: b.waiting.count, Capacity: b.waiting.limit}
	if b.roomSignal != nil {
		f.Blocked = 1
	}
	return f
}
