package operators

import (
	"context"
	"sync/atomic"

	"github.com/rxipc/rxipc/stream"
)

// MergeOption sets how MergeMap, or ConcatMapEager, runs what it projects.
type MergeOption func(*mergeConfig)

type mergeConfig struct {
	limit  int
	buffer int
}

// Limit lets at most n projected observables run at the same time. An observable that has
// ended counts while its values wait. The source waits while there are so many. Groups beyond the limit are not read, so that [GroupBy] may fail with
// [ErrGroupsStalled]. The default, and any n below one, is no limit: the source is run as
// fast as it goes.
func Limit(n int) MergeOption { return func(c *mergeConfig) { c.limit = n } }

// Buffer sets how many values of each projected observable may wait for the
// consumer (at least one may); one that has one more waits. The default is
// [stream.DefaultBuffer].
func Buffer(n int) MergeOption { return func(c *mergeConfig) { c.buffer = n } }

// MergeMap runs project's observable for each value, all at the same time or up
// to a [Limit], and emits what they emit as it comes (RxJS: mergeMap, ReactiveX:
// flatMap). The source and each projected observable have a goroutine of their
// own; project is called on the source's. Values of one observable stay in
// order. It completes when the source and all projected observables have, and
// fails with the first failure, after the values that came before it. A [Buffer]
// holds what waits for the consumer.
func MergeMap[A, B any](project func(A) stream.Observable[B], options ...MergeOption) stream.Operator[A, B] {
	mustHave("MergeMap", "function", project != nil)
	config := mergeConfig{buffer: stream.DefaultBuffer}
	for _, option := range options {
		mustHave("MergeMap", "option", option != nil)
		option(&config)
	}
	return func(source stream.Observable[A]) stream.Observable[B] {
		mustHave("MergeMap", "observable", source != nil)
		return buffering("MergeMap", stream.Gather(config.buffer, func(g *stream.Group[B]) {
			places := newPlaces(config.limit)
			free := places.freeing()
			visit := func(ctx context.Context, a A) bool {
				if !places.take(ctx) {
					return false
				}
				g.GoThen(projected("MergeMap", project, a), free)
				return true
			}
			if places != nil && isGroup[A]() {
				seats := newSeats(places)
				visit = func(ctx context.Context, a A) bool {
					m := any(a).(interface{ place() *member }).place()
					if !seats.take(ctx, m) {
						return false
					}
					g.GoThen(projected("MergeMap", project, a), func() { seats.free(m) })
					return true
				}
			}
			each(g, source, visit)
		}))
	}
}

// ExhaustMap runs project's observable for a value and ignores the values that the
// source emits until that has completed and its values have been taken; the next one
// is projected again (RxJS: exhaustMap); [CountDrops] counts what is ignored. The source and the projected observable have
// a goroutine each; project is called on the source's, which never waits. It completes
// when the source and the projected observable have, and fails with the first failure,
// after the values that came before it. At most [stream.DefaultBuffer] values wait.
func ExhaustMap[A, B any](project func(A) stream.Observable[B]) stream.Operator[A, B] {
	mustHave("ExhaustMap", "function", project != nil)
	return func(source stream.Observable[A]) stream.Observable[B] {
		mustHave("ExhaustMap", "observable", source != nil)
		return buffering("ExhaustMap", stream.Gather(stream.DefaultBuffer, func(g *stream.Group[B]) {
			place := newPlaces(1)
			free := place.freeing()
			var dropped func(int)
			each(g, source, func(ctx context.Context, a A) bool {
				if place.takeNow() {
					g.GoThen(projected("ExhaustMap", project, a), free)
					return true
				}
				if dropped == nil {
					dropped = stream.Dropping(ctx)
				}
				dropped(1)
				return ctx.Err() == nil // also for a source that looks only at yield
			})
		}))
	}
}

// SwitchMap runs project's observable for each value, and leaves it for that of the
// next value (RxJS: switchMap, ReactiveX: switch): what the one before has emitted but
// the consumer has not taken is dropped, it is cancelled, and the next one is run when
// it has ended. A value that yield is being called with in that moment is the last.
// How a projected observable that was left ended is of no interest.
//
// The source and the projected observable have a goroutine each; project is called on
// the source's, which waits for the end of what it leaves, and for yield if that is at
// work. So a projected observable may be left before its first value when the source
// has its next one at once. It completes when the source and the last projected
// observable have, and fails with the first failure, after the values that came before
// it. At most [stream.DefaultBuffer] values wait.
func SwitchMap[A, B any](project func(A) stream.Observable[B]) stream.Operator[A, B] {
	mustHave("SwitchMap", "function", project != nil)
	return switchMap("SwitchMap", project)
}

// switchMap is SwitchMap under the name of an operator that is made of it.
func switchMap[A, B any](name string, project func(A) stream.Observable[B]) stream.Operator[A, B] {
	return func(source stream.Observable[A]) stream.Observable[B] {
		mustHave(name, "observable", source != nil)
		return func(ctx context.Context, yield func(B) bool) error {
			var left atomic.Bool // what comes now comes from an observable that was left
			return stream.Gather(stream.DefaultBuffer, func(g *stream.Group[B]) {
				place := newPlaces(1)
				free := place.freeing()
				leave := func(error) {}
				each(g, source, func(ctx context.Context, a A) bool {
					left.Store(true)
					leave(errUntil)
					if !place.take(ctx) { // it has ended, and its last value is gone
						return false
					}
					left.Store(false)
					var inner context.Context
					inner, leave = context.WithCancelCause(ctx)
					g.GoThen(leaving(inner, leave, projected(name, project, a), &left), free)
					return true
				})
			})(stream.WithBuffering(ctx, name), func(b B) bool { return left.Load() || yield(b) })
		}
	}
}

// Switch runs each observable that the source emits, and leaves it for the next one. It
// is [SwitchMap] over a source of observables.
func Switch[T any]() stream.Operator[stream.Observable[T], T] {
	return switchMap("Switch", func(source stream.Observable[T]) stream.Observable[T] { return source })
}

// projected is what project makes of a value.
func projected[A, B any](name string, project func(A) stream.Observable[B], a A) stream.Observable[B] {
	made := project(a)
	mustHave(name, "observable from its function", made != nil)
	return made
}

// leaving is a producer that runs an observable with a context of its own, and tells
// how it ended only if it was not left.
func leaving[T any](ctx context.Context, cancel context.CancelCauseFunc, source stream.Observable[T], left *atomic.Bool) stream.Observable[T] {
	return func(_ context.Context, push func(T) bool) error {
		defer cancel(nil)
		err := source(ctx, push)
		if left.Load() {
			return nil
		}
		return err
	}
}

// each runs the source as a producer of g that has no values of its own: visit gets
// them, starts other producers with them, and reports whether it wants more.
//
// This, and a number of places that projected observables hold while they run and
// their values wait, is all there is to MergeMap and its siblings. With a value for
// which there is no place MergeMap waits for one; ExhaustMap forgets it; SwitchMap
// makes the one that holds the only place leave it. ConcatMap, which runs one at a
// time, needs none of this.
func each[A, B any](g *stream.Group[B], source stream.Observable[A], visit func(context.Context, A) bool) {
	g.Go(func(ctx context.Context, _ func(B) bool) error {
		return source(ctx, func(a A) bool { return visit(ctx, a) })
	})
}

// places are what a limited number may hold at a time; nil is no limit.
type places chan struct{}

func newPlaces(limit int) places {
	if limit < 1 {
		return nil
	}
	return make(places, limit)
}

// take waits for a free place and reports whether there was one before ctx ended.
func (p places) take(ctx context.Context) bool {
	if p == nil || p.takeNow() { // which costs less than to look at two channels
		return true
	}
	select {
	case p <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// takeNow takes a place if one is free, and reports whether.
func (p places) takeNow() bool {
	select {
	case p <- struct{}{}:
		return true
	default:
		return false
	}
}

// freeing is what gives a place back; nil if there is no limit.
func (p places) freeing() func() {
	if p == nil {
		return nil
	}
	return func() { <-p }
}
