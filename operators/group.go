package operators

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"

	"github.com/rxipc/rxipc/stream"
)

// ErrGroupClosed is how the values of a [Group] end that cannot be had to their end: the
// run that made it is over, or they were asked for too late.
var ErrGroupClosed = errors.New("operators: group closed")

// Group is a part of the values of a run, to be observed on its own: those of one key,
// for [GroupBy], or those of one window, whose key is its number, from zero on, for the
// Window operators.
type Group[K comparable, V any] struct {
	Key K // what its values have in common: their key, or the number of their window
	out *outlet[V]
}

// Values are the values of the group from its first one on: for one run, like those of
// [stream.Unicast]. Who is given the group asks for them before yield returns, as
// a function given to MergeMap, ConcatMap or Map does; the run itself may begin later,
// on any goroutine. A group whose Values nobody asked for has no reader: what it gets is
// dropped, nothing waits for it, and Values fail with [ErrGroupClosed] from then on. The
// same happens to what waits and what comes when the reader has had enough, unless
// [GroupReopens] is set. Dropped counts these values. But who asks for Values and
// then does not run them lets the group fill up.
//
// They end when the group does: after what waits, which is still there when the run that
// made the group has returned. If that failed, they fail with the same error; if it was
// left before its end, with [ErrGroupClosed].
//
// A reader that takes one group to its end before it takes the next one can wait for ever:
// the source has no room for a value of that next group, and so none for the reader. The
// run, and its groups, fail with [ErrGroupsStalled] where this is certain:
//
//   - yield reads the group that it is given, as ConcatMap does, or MergeMap waits for a
//     place ([Limit]) while a group with a reader that waits has each of them;
//   - the readers run Values with the context of the run, or with a context that never ends.
//     Behind Timeout, TakeUntil and others with a context of their own, a reader may leave
//     in time;
//   - yield has not been called with the group that is full, or too many groups wait for
//     yield.
//
// Other standstills are not noticed: a group whose Values were asked for and are not run, or
// readers that wait for one another, as those of a Zip of two groups.
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

// place is the group as MergeMap knows it.
func (g Group[K, V]) place() *member { return &g.out.member }

// outlet is where the values of a group come out.
type outlet[V any] struct {
	*stream.Unicast[V]
	member
	refused atomic.Int64 // values that came when nobody wanted them any more
}

// settle decides the fate of a group when yield has returned; more says that the run
// goes on.
func (out *outlet[V]) settle(more bool) {
	if out.fate.CompareAndSwap(undecided, abandoned) && more {
		out.Abandon()
	}
}

// grouped emits the groups that produce opens, on a goroutine of its own, where the
// source runs too: so a reader of one group may keep yield for as long as that lasts. At
// most waiting groups wait for yield, and those of a source that is read on are kept as
// [stream.Unicast] keeps them. stage is the operator.
func grouped[K comparable, V any](stage string, waiting int, produce func(context.Context, *opener[K, V]) error) stream.Observable[Group[K, V]] {
	return func(ctx context.Context, yield func(Group[K, V]) bool) error {
		still := &standstill{done: ctx.Done(), slots: newPlaces(waiting)}
		lane := min(waiting, math.MaxInt-stream.DefaultBuffer) + stream.DefaultBuffer // it never waits: the slots do
		return stream.Gather(lane, func(g *stream.Group[Group[K, V]]) {
			g.Go(func(run context.Context, announce func(Group[K, V]) bool) error {
				o := &opener[K, V]{ctx: run, announce: announce, dropped: stream.Dropping(run), still: still, open: make(map[*outlet[V]]K)}
				still.keyOf = o.keyOf
				err := ErrGroupClosed // unless produce returns
				defer func() { o.endAll(err) }()
				failure := produce(run, o)
				stalled := still.failed.Load()
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
			still.took(&g.out.member)
			return yield(g)
		})
	}
}

// opener opens groups and ends them.
type opener[K comparable, V any] struct {
	ctx      context.Context
	announce func(Group[K, V]) bool
	dropped  func(int)
	still    *standstill
	keeps    bool // what waits when a reader leaves is for another
	open     map[*outlet[V]]K
}

// add opens a group and announces it; nil if the run is over.
func (o *opener[K, V]) add(key K, capacity int, overflow stream.Overflow) *outlet[V] {
	if !o.still.slots.takeNow() && !o.still.awaitSlot(o.ctx) {
		return nil
	}
	out := &outlet[V]{Unicast: stream.NewUnicast[V](o.ctx, capacity, overflow)}
	out.run, out.source = o.still, out.Unicast
	out.Watch(out)
	if o.keeps {
		out.KeepRest()
	}
	o.open[out] = key
	if !o.announce(Group[K, V]{key, out}) {
		return nil
	}
	return out
}

// give gives a value to an open group and reports whether the run goes on.
func (o *opener[K, V]) give(out *outlet[V], v V) bool {
	return out.Next(v) || o.refuse(out)
}

// goesOn reports whether the run does.
func (o *opener[K, V]) goesOn() bool { return o.ctx.Err() == nil && o.still.failed.Load() == nil }

// refuse counts a value that a group did not take: its reader has left, or the run is
// over. It reports whether the run goes on.
func (o *opener[K, V]) refuse(out *outlet[V]) bool {
	if !o.goesOn() {
		return false
	}
	out.refused.Add(1)
	o.dropped(1)
	return true
}

// end completes a group.
func (o *opener[K, V]) end(out *outlet[V]) {
	out.Complete()
	delete(o.open, out)
}

// endAll ends the groups that are open, for the reason that their run does.
func (o *opener[K, V]) endAll(err error) {
	for out := range o.open {
		out.Error(err)
	}
}

// keyOf is the key of an open group.
func (o *opener[K, V]) keyOf(m *member) any {
	for out, key := range o.open {
		if &out.member == m {
			return key
		}
	}
	return "another key"
}
