package operators

import (
	"context"
	"errors"
	"fmt"
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
// same happens to what comes when the reader has had enough. But who asks for Values and
// then does not run them lets the group fill up.
//
// They end when the group does: after what waits, which is still there when the run that
// made the group has returned. If that failed, they fail with the same error; if it was
// left before its end, with [ErrGroupClosed].
func (g Group[K, V]) Values() stream.Observable[V] {
	if !g.out.fate.CompareAndSwap(undecided, claimed) && g.out.fate.Load() == abandoned {
		return stream.Throw[V](fmt.Errorf("%w: the values of %v were not asked for in time", ErrGroupClosed, g.Key))
	}
	return g.out.Observe
}

// outlet is where the values of a group come out.
type outlet[V any] struct {
	*stream.Unicast[V]
	fate atomic.Int32
}

// The fate of a group is decided while yield is called with it.
const (
	undecided = iota
	claimed
	abandoned
)

// settle decides the fate of a group when yield has returned.
func (out *outlet[V]) settle() {
	if out.fate.CompareAndSwap(undecided, abandoned) {
		out.Abandon()
	}
}

// grouped emits the groups that produce opens, on a goroutine of its own, where the
// source runs too: so a reader of one group may keep yield for as long as that lasts. At
// most waiting groups wait for yield, and those of a source that is read on are kept as
// [stream.Unicast] keeps them. stage is the operator.
func grouped[K comparable, V any](stage string, waiting int, produce func(context.Context, *opener[K, V]) error) stream.Observable[Group[K, V]] {
	return func(ctx context.Context, yield func(Group[K, V]) bool) error {
		return stream.Gather(waiting, func(g *stream.Group[Group[K, V]]) {
			g.Go(func(run context.Context, announce func(Group[K, V]) bool) error {
				o := &opener[K, V]{ctx: run, announce: announce, open: make(map[*outlet[V]]struct{})}
				err := ErrGroupClosed // unless produce returns
				defer func() { o.endAll(err) }()
				failure := produce(run, o)
				switch {
				case run.Err() == nil:
					err = failure
				case ctx.Err() != nil:
					err = context.Cause(ctx)
				default:
					err = fmt.Errorf("%w: the run that made it was left before its end", ErrGroupClosed)
				}
				return failure
			})
		})(stream.WithBuffering(ctx, stage), func(g Group[K, V]) bool {
			defer g.out.settle()
			return yield(g)
		})
	}
}

// opener opens groups and ends them.
type opener[K comparable, V any] struct {
	ctx      context.Context
	announce func(Group[K, V]) bool
	open     map[*outlet[V]]struct{}
}

// add opens a group and announces it; nil if the run is over.
func (o *opener[K, V]) add(key K, capacity int, overflow stream.Overflow) *outlet[V] {
	out := &outlet[V]{Unicast: stream.NewUnicast[V](o.ctx, capacity, overflow)}
	o.open[out] = struct{}{}
	if !o.announce(Group[K, V]{key, out}) {
		return nil
	}
	return out
}

// give gives a value to an open group and reports whether the run goes on.
func (o *opener[K, V]) give(out *outlet[V], v V) bool {
	return out.Next(v) || o.ctx.Err() == nil // its reader may have left
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
