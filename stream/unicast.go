package stream

import (
	"context"
	"errors"
	"sync/atomic"
)

// ErrObserved says that a source that is for one run had another.
var ErrObserved = errors.New("stream: observed before")

// Unicast is a source that one goroutine gives values to and one run observes, on
// another: a queue between them, which keeps what is given before that run begins, where
// a [Subject] would drop it (RxJava: UnicastSubject). Next, Complete, Error and Rest are
// for one goroutine at a time, Watch and KeepRest for before the first value.
type Unicast[T any] struct {
	lane  lane[T] // of group, if it blocks
	group Group[T]
	box   *mailbox[T] // else: a lane costs less

	observed atomic.Bool
	left     atomic.Bool // the observer has left, or there will be none
	ended    atomic.Bool

	ctx     context.Context // the giver's
	keeps   bool            // what waits when the observer leaves is for Rest
	rested  atomic.Uint64   // values of the lane that Rest took
	counted atomic.Int64    // of the values that the observer left, those that the context's Drops have
}

// UnicastWatcher learns when one end of a [Unicast] waits for the other, before it does.
// Its methods are called on the goroutine that is about to wait, and must not block.
type UnicastWatcher interface {
	GiverWaits(waits bool)           // Next waits for room, or does not any more
	ReaderWaits(ctx context.Context) // the run that observes, which has this context, waits for a value
}

// NewUnicast makes a source of which at most capacity values wait (at least one may);
// overflow says what happens with one more. With [Block], Next waits for room until ctx
// is done or the run that observes is over. What is dropped counts in the [Drops] of ctx.
func NewUnicast[T any](ctx context.Context, capacity int, overflow Overflow) *Unicast[T] {
	u := &Unicast[T]{ctx: ctx}
	if overflow == Block {
		u.group.init(ctx, capacity)
		u.group.patient = true // where many are read at once, each would be woken for few values
		u.lane.init(&u.group)
	} else {
		u.box = new(mailbox[T])
		u.box.init(ctx, capacity, overflow)
	}
	return u
}

// Watch makes w learn when an end waits. A goroutine that gives values to several sources
// notices that way that all of them wait for each other.
func (u *Unicast[T]) Watch(w UnicastWatcher) {
	if u.box == nil {
		u.group.watcher = w
	} else {
		u.box.box.watcher = w
	}
}

// Idle reports whether the run that observes waits for a value and none has been given
// since.
func (u *Unicast[T]) Idle() bool {
	if u.left.Load() {
		return false
	}
	if u.box == nil {
		u.group.mu.Lock()
		defer u.group.mu.Unlock()
		return u.group.idle
	}
	u.box.hub.mu.Lock()
	defer u.box.hub.mu.Unlock()
	return u.box.box.idle
}

// Nudge makes a run that waits for a value look again, and tell the watcher again that
// it waits.
func (u *Unicast[T]) Nudge() {
	if u.box == nil {
		u.group.mu.Lock()
		defer u.group.mu.Unlock()
		u.group.rouse()
	} else {
		u.box.hub.mu.Lock()
		defer u.box.hub.mu.Unlock()
		u.box.box.rouse()
	}
}

// Next gives a value and reports whether it was wanted.
func (u *Unicast[T]) Next(v T) bool {
	if u.box == nil {
		return u.lane.push(v)
	}
	return u.box.push(v)
}

// Complete ends the source after the values that wait.
func (u *Unicast[T]) Complete() { u.Error(nil) }

// Error ends the source with a failure after the values that wait. Only the first end
// counts; a nil err completes.
func (u *Unicast[T]) Error(err error) {
	if u.box == nil {
		u.group.mu.Lock()
		u.group.end(err)
		u.group.mu.Unlock()
	} else {
		u.box.end(err)
	}
	u.ended.Store(true)
	if err == nil {
		u.count()
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
	if u.box == nil {
		u.group.tell = whenSubscribed(ctx)
		return u.group.deliver(ctx, yield)
	}
	u.box.box.observedBy(ctx)
	return u.box.box.deliver(ctx, nil, yield)
}

// Abandon says that nobody is going to observe the source, if nobody has begun to: what
// waits is dropped, and no more is wanted.
func (u *Unicast[T]) Abandon() {
	if !u.observed.Swap(true) {
		u.release(context.Background())
	}
}

// release turns the giver away when a run with this context has left.
func (u *Unicast[T]) release(ctx context.Context) {
	u.left.Store(true)
	if u.box == nil {
		u.group.join()
	} else {
		u.box.hub.leave(u.box.box)
	}
	if ctx.Err() == nil {
		u.count()
	}
}

// Dropped is how many of the values given have been dropped by now: by the overflow, or
// because they waited when the run that observed left, or was abandoned. It may be called
// at any time, on any goroutine.
func (u *Unicast[T]) Dropped() int {
	dropped := 0
	if u.box != nil {
		u.box.hub.mu.Lock()
		dropped = u.box.box.dropped
		u.box.hub.mu.Unlock()
	}
	return dropped + u.rest()
}

// rest is how many values waited when the observer left, and still do.
func (u *Unicast[T]) rest() int {
	if !u.left.Load() {
		return 0
	}
	if u.box == nil {
		return int(u.lane.published.Load() - u.lane.taken.Load() - u.rested.Load())
	}
	u.box.hub.mu.Lock()
	defer u.box.hub.mu.Unlock()
	return u.box.box.rest
}

// count adds to the giver's Drops the values that nobody will observe any more: those that
// an observer left when it had enough, and those of a source that completes without one.
// Values that wait when a run is cancelled do not count.
func (u *Unicast[T]) count() {
	if u.keeps && !u.ended.Load() {
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
	u.keeps = true
	if u.box != nil {
		u.box.box.keeps = true
	}
}

// Rest returns, once, the values that waited when the run that observes left; they no
// longer count as dropped. It is for the giver of a source with KeepRest, when Next has
// returned false.
func (u *Unicast[T]) Rest() (rest []T) {
	if !u.keeps || !u.left.Load() {
		return nil
	}
	if u.box != nil {
		u.box.hub.mu.Lock()
		defer u.box.hub.mu.Unlock()
		return u.box.box.takeRest()
	}
	for n := u.rest(); n > 0; n = u.rest() {
		batch := u.lane.next(n)
		rest = append(rest, batch...)
		clear(batch)
		u.rested.Add(uint64(len(batch)))
	}
	return rest
}
