package operators

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"

	"github.com/rxipc/rxipc/stream"
)

// ErrGroupClosed is the error of the values of a [Group] that are incomplete: the run that
// made the group was left before its end, or Values was called too late.
var ErrGroupClosed = errors.New("operators: group closed")

// Group is a part of the values of a run, which is observed on its own. A group of
// [GroupBy] has the values of one key. A group of a Window operator has the values of one
// window; its key is the number of the window, from zero on.
type Group[K comparable, V any] struct {
	Key K // the key of its values, or the number of their window
	out *groupOutput[V]
}

// Values are the values of the group from its first one on. They are for one run, like those
// of [stream.Unicast]. Values is to be called before yield returns, as a function given to
// MergeMap, ConcatMap or Map does; the run itself may begin later, on any goroutine. If it
// was not called by then, the group has no reader: its values are dropped, nothing waits,
// and Values fail with [ErrGroupClosed] from then on. When the reader wants no more, waiting
// and later values are dropped too, unless [GroupReopens] is set.
// Dropped counts these values. If Values is called and then not run, the group fills up.
//
// They end when the group does, after the values that wait; those can still be read when the
// run that made the group has returned. If that run failed, they fail with the same error. If
// it was left before its end, they fail with [ErrGroupClosed].
//
// A reader that takes one group to its end before it takes the next one can wait for ever:
// the source has no room for a value of that next group, and so none for the reader. The
// run, and its groups, fail with [ErrGroupsStalled] where this is certain:
//
//   - yield reads the group that it is given, as ConcatMap does, or MergeMap waits for a
//     slot ([Limit]) while groups whose readers wait hold all slots;
//   - the readers run Values with the context of the run, or with a context that never ends.
//     Behind Timeout, TakeUntil and others with a context of their own, a reader may leave
//     in time;
//   - yield has not been called with the group that is full, or too many groups wait for
//     yield.
//
// Other stalls are not noticed: a group whose Values were called and are not run, or readers
// that wait for one another, as those of a Zip of two groups.
func (g Group[K, V]) Values() stream.Observable[V] {
	if !g.out.fate.CompareAndSwap(undecided, claimed) && g.out.fate.Load() == abandoned {
		return stream.Throw[V](fmt.Errorf("%w: the values of %v were not asked for in time", ErrGroupClosed, g.Key))
	}
	return g.out.Observe
}

// Dropped is how many values of the group have been dropped by now: by its overflow
// ([GroupBuffer]), because it had no reader any more, or because they waited for a reader
// that left. It may be called at any time, on any goroutine. The [stream.Drops]
// of the context of the run that made the group count the same values of all groups.
func (g Group[K, V]) Dropped() int { return g.out.Dropped() + int(g.out.refused.Load()) }

// watched returns the part of the group that MergeMap and the stallDetector use.
func (g Group[K, V]) watched() *watchedGroup { return &g.out.watchedGroup }

// groupOutput carries the values of a group to its reader.
type groupOutput[V any] struct {
	*stream.Unicast[V]
	watchedGroup
	refused atomic.Int64 // values that came after the reader had left
}

// settle decides the fate of a group when yield has returned; more says that the run
// goes on.
func (out *groupOutput[V]) settle(more bool) {
	if out.fate.CompareAndSwap(undecided, abandoned) && more {
		out.Abandon()
	}
}

// grouped emits the groups that produce opens. produce and the source run on a goroutine of
// their own, so yield may read a group to its end. At most waiting groups wait for yield.
// The values of a group wait in its [stream.Unicast]. stage is the name of the operator.
func grouped[K comparable, V any](stage string, waiting int, produce func(context.Context, *groupOpener[K, V]) error) stream.Observable[Group[K, V]] {
	return func(ctx context.Context, yield func(Group[K, V]) bool) error {
		detector := &stallDetector{done: ctx.Done(), slots: newSemaphore(waiting)}
		room := min(waiting, math.MaxInt-stream.DefaultBuffer) + stream.DefaultBuffer // slots limits what waits
		return stream.Gather(room, func(g *stream.Group[Group[K, V]]) {
			g.Go(func(run context.Context, announce func(Group[K, V]) bool) error {
				o := &groupOpener[K, V]{ctx: run, announce: announce, dropped: stream.Dropping(run), detector: detector, open: make(map[*groupOutput[V]]K)}
				detector.keyOf = o.keyOf
				err := ErrGroupClosed // unless produce returns
				defer func() { o.endAll(err) }()
				failure := produce(run, o)
				stalled := detector.failed.Load()
				switch {
				case stalled != nil:
					failure, err = *stalled, *stalled
				case run.Err() == nil:
					err = failure
				case ctx.Err() != nil:
					err = context.Cause(ctx)
				default:
					err = fmt.Errorf("%w: the run that made it was left before its end", ErrGroupClosed)
				}
				return failure
			})
		})(stream.WithBuffering(ctx, stage), func(g Group[K, V]) (more bool) {
			defer func() { g.out.settle(more) }()
			detector.consumerTook(&g.out.watchedGroup)
			return yield(g)
		})
	}
}

// groupOpener opens groups and ends them.
type groupOpener[K comparable, V any] struct {
	ctx      context.Context
	announce func(Group[K, V]) bool
	dropped  func(int)
	detector *stallDetector
	keepRest bool // values that wait when a reader leaves are for the next reader
	open     map[*groupOutput[V]]K
}

// add opens a group and announces it; nil if the run is over.
func (o *groupOpener[K, V]) add(key K, capacity int, overflow stream.Overflow) *groupOutput[V] {
	if !o.detector.slots.tryAcquire() && !o.detector.awaitSlot(o.ctx) {
		return nil
	}
	out := &groupOutput[V]{Unicast: stream.NewUnicast[V](o.ctx, capacity, overflow)}
	out.detector, out.source = o.detector, out.Unicast
	out.Watch(out)
	if o.keepRest {
		out.KeepRest()
	}
	o.open[out] = key
	if !o.announce(Group[K, V]{key, out}) {
		return nil
	}
	return out
}

// give gives a value to an open group and reports whether the run goes on.
func (o *groupOpener[K, V]) give(out *groupOutput[V], v V) bool {
	return out.Next(v) || o.refuse(out)
}

// goesOn reports whether the run does.
func (o *groupOpener[K, V]) goesOn() bool {
	return o.ctx.Err() == nil && o.detector.failed.Load() == nil
}

// refuse counts a value that a group did not take: its reader has left, or the run is
// over. It reports whether the run goes on.
func (o *groupOpener[K, V]) refuse(out *groupOutput[V]) bool {
	if !o.goesOn() {
		return false
	}
	out.refused.Add(1)
	o.dropped(1)
	return true
}

// end completes a group.
func (o *groupOpener[K, V]) end(out *groupOutput[V]) {
	out.Complete()
	delete(o.open, out)
}

// endAll ends the open groups with the reason of the end of their run.
func (o *groupOpener[K, V]) endAll(err error) {
	for out := range o.open {
		out.Error(err)
	}
}

// keyOf is the key of an open group.
func (o *groupOpener[K, V]) keyOf(m *watchedGroup) any {
	for out, key := range o.open {
		if &out.watchedGroup == m {
			return key
		}
	}
	return "another key"
}
