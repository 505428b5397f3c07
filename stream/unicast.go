package stream

import (
	"context"
	"errors"
	"sync/atomic"
)

// ErrObserved says that a source that is for one run had another.
var ErrObserved = errors.New("stream: observed before")

// Unicast is a queue from one goroutine, the producer, to one run, the observer, on another
// goroutine (RxJava: UnicastSubject). It keeps the values given before that run begins,
// where a [Subject] would drop them. Next, Complete, Error and Rest may be called by one
// goroutine at a time, Watch and KeepRest before the first value.
type Unicast[T any] struct {
	spsc  spscQueue[T] // of group; used if the overflow is Block, since it costs less
	group Group[T]
	mpsc  *mpscQueue[T] // used with any other overflow; nil with Block

	observed atomic.Bool
	left     atomic.Bool // the observer has left, or there will be none
	ended    atomic.Bool

	ctx      context.Context // the producer's
	keepRest bool            // values that wait when the observer leaves are kept for Rest
	rested   atomic.Uint64   // values of spsc that Rest took
	counted  atomic.Int64    // values that were added to the context's Drops because the observer left them
}

// UnicastWatcher learns when one end of a [Unicast] waits for the other, before it does.
// Its methods are called on the goroutine that is about to wait, and must not block.
type UnicastWatcher interface {
	ProducerWaits(waits bool)          // Next waits for room, or waits no more
	ConsumerWaits(ctx context.Context) // the run that observes, which has this context, waits for a value
}

// NewUnicast makes a source of which at most capacity values wait (at least one may);
// overflow says what happens with one more. With [Block], Next waits for room until ctx
// is done or the run that observes is over. What is dropped counts in the [Drops] of ctx.
func NewUnicast[T any](ctx context.Context, capacity int, overflow Overflow) *Unicast[T] {
	u := &Unicast[T]{ctx: ctx}
	if overflow == Block {
		u.group.init(ctx, capacity)
		u.group.yieldsFirst = true // where many are read at once, each would be woken for few values
		u.spsc.init(&u.group)
	} else {
		u.mpsc = new(mpscQueue[T])
		u.mpsc.init(ctx, capacity, overflow)
	}
	return u
}

// Watch tells w when an end waits. With it, a goroutine that gives values to several
// sources can find out that all of them wait for each other.
func (u *Unicast[T]) Watch(w UnicastWatcher) {
	if u.mpsc == nil {
		u.group.watcher = w
	} else {
		u.mpsc.buffer.watcher = w
	}
}

// Idle reports whether the run that observes waits for a value and none has been given
// since.
func (u *Unicast[T]) Idle() bool {
	if u.left.Load() {
		return false
	}
	if u.mpsc == nil {
		u.group.mu.Lock()
		defer u.group.mu.Unlock()
		return u.group.idle
	}
	u.mpsc.broadcaster.mu.Lock()
	defer u.mpsc.broadcaster.mu.Unlock()
	return u.mpsc.buffer.idle
}

// Nudge makes a run that waits for a value look again, and tell the watcher again that
// it waits.
func (u *Unicast[T]) Nudge() {
	if u.mpsc == nil {
		u.group.mu.Lock()
		defer u.group.mu.Unlock()
		u.group.wakeConsumer()
	} else {
		u.mpsc.broadcaster.mu.Lock()
		defer u.mpsc.broadcaster.mu.Unlock()
		u.mpsc.buffer.wakeConsumer()
	}
}

// Next gives a value and reports whether it was wanted.
func (u *Unicast[T]) Next(v T) bool {
	if u.mpsc == nil {
		return u.spsc.push(v)
	}
	return u.mpsc.push(v)
}

// Complete ends the source after the values that wait.
func (u *Unicast[T]) Complete() { u.Error(nil) }

// Error ends the source with a failure after the values that wait. Only the first end
// counts; a nil err completes.
func (u *Unicast[T]) Error(err error) {
	if u.mpsc == nil {
		u.group.mu.Lock()
		u.group.end(err)
		u.group.mu.Unlock()
	} else {
		u.mpsc.end(err)
	}
	u.ended.Store(true)
	if err == nil {
		u.countRest()
	}
}

// Observe is the observable of the values. It is for one run, of whatever length; any
// other fails with [ErrObserved].
func (u *Unicast[T]) Observe(ctx context.Context, yield func(T) bool) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case u.observed.Swap(true):
		return ErrObserved
	}
	defer u.release(ctx)
	if u.mpsc == nil {
		u.group.onSubscribed = subscribedFunc(ctx)
		return u.group.deliver(ctx, yield)
	}
	u.mpsc.buffer.attach(ctx)
	return u.mpsc.buffer.deliver(ctx, nil, yield)
}

// Abandon says that nobody is going to observe the source, if nobody has begun to: what
// waits is dropped, and no more is wanted.
func (u *Unicast[T]) Abandon() {
	if !u.observed.Swap(true) {
		u.release(context.Background())
	}
}

// release notes that a run with this context has left: Next returns false from now on.
func (u *Unicast[T]) release(ctx context.Context) {
	u.left.Store(true)
	if u.mpsc == nil {
		u.group.stop()
	} else {
		u.mpsc.broadcaster.remove(u.mpsc.buffer)
	}
	if ctx.Err() == nil {
		u.countRest()
	}
}

// Dropped is how many of the values given have been dropped by now: by the overflow, or
// because they waited when the run that observed left, or was abandoned. It may be called
// at any time, on any goroutine.
func (u *Unicast[T]) Dropped() int {
	dropped := 0
	if u.mpsc != nil {
		u.mpsc.broadcaster.mu.Lock()
		dropped = u.mpsc.buffer.dropped
		u.mpsc.broadcaster.mu.Unlock()
	}
	return dropped + u.rest()
}

// rest is how many values waited when the observer left, and still do.
func (u *Unicast[T]) rest() int {
	if !u.left.Load() {
		return 0
	}
	if u.mpsc == nil {
		return int(u.spsc.published.Load() - u.spsc.taken.Load() - u.rested.Load())
	}
	u.mpsc.broadcaster.mu.Lock()
	defer u.mpsc.broadcaster.mu.Unlock()
	return u.mpsc.buffer.rest
}

// countRest adds to the producer's Drops the values that no run will observe: those that an
// observer left when it wanted no more, and those of a source that completes without an
// observer. Values that wait when a run is cancelled do not count.
func (u *Unicast[T]) countRest() {
	if u.keepRest && !u.ended.Load() {
		return
	}
	rest := int64(u.rest())
	for {
		counted := u.counted.Load()
		if rest <= counted {
			return
		}
		if u.counted.CompareAndSwap(counted, rest) {
			dropsOf(u.ctx).add(int(rest - counted))
			return
		}
	}
}

// KeepRest keeps what waits when the run that observes leaves, for Rest.
func (u *Unicast[T]) KeepRest() {
	u.keepRest = true
	if u.mpsc != nil {
		u.mpsc.buffer.keepRest = true
	}
}

// Rest returns, once, the values that waited when the run that observes left; they no
// longer count as dropped. The producer of a source with KeepRest calls it when Next has
// returned false.
func (u *Unicast[T]) Rest() (rest []T) {
	if !u.keepRest || !u.left.Load() {
		return nil
	}
	if u.mpsc != nil {
		u.mpsc.broadcaster.mu.Lock()
		defer u.mpsc.broadcaster.mu.Unlock()
		return u.mpsc.buffer.takeRest()
	}
	for n := u.rest(); n > 0; n = u.rest() {
		batch := u.spsc.nextBatch(n)
		rest = append(rest, batch...)
		clear(batch)
		u.rested.Add(uint64(len(batch)))
	}
	return rest
}
