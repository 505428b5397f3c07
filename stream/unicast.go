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
// a [Subject] would drop it (RxJava: UnicastSubject). Next, Complete and Error are for
// one goroutine at a time.
type Unicast[T any] struct {
	lane  lane[T] // of group, if it blocks
	group Group[T]
	box   *mailbox[T] // else: a lane costs less

	observed atomic.Bool
}

// NewUnicast makes a source of which at most capacity values wait (at least one may);
// overflow says what happens with one more. With [Block], Next waits for room until ctx
// is done or the run that observes is over.
func NewUnicast[T any](ctx context.Context, capacity int, overflow Overflow) *Unicast[T] {
	u := new(Unicast[T])
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

// Next gives a value and reports whether more are wanted.
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
		defer u.group.mu.Unlock()
		u.group.end(err)
	} else {
		u.box.end(err)
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
	defer u.release()
	if u.box == nil {
		u.group.tell = whenSubscribed(ctx)
		return u.group.deliver(ctx, yield)
	}
	u.box.box.observedBy(ctx)
	return u.box.deliver(ctx, yield)
}

// Abandon says that nobody is going to observe the source, if nobody has begun to: what
// waits is dropped, and no more is wanted.
func (u *Unicast[T]) Abandon() {
	if !u.observed.Swap(true) {
		u.release()
	}
}

// release turns the giver away.
func (u *Unicast[T]) release() {
	if u.box == nil {
		u.group.join()
	} else {
		u.box.hub.leave(u.box.box)
	}
}
