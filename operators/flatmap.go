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
// ended counts while its values wait. The source waits while there are so many. Groups beyond
// the limit are not read, so that [GroupBy] may fail with [ErrGroupsStalled]. The default, and any n below one, is no limit: the source is run as
// fast as it goes.
func Limit(n int) MergeOption { return func(c *mergeConfig) { c.limit = n } }

// Buffer sets how many values of each projected observable may wait for the consumer (at
// least one). An observable with one more waits. The default is [stream.DefaultBuffer].
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
			running := newSemaphore(config.limit)
			release := running.releaseFunc()
			visit := func(ctx context.Context, a A) bool {
				if !running.acquire(ctx) {
					return false
				}
				g.GoThen(mustProject("MergeMap", project, a), release)
				return true
			}
			if running != nil && isGroup[A]() {
				groups := newGroupSemaphore(running)
				visit = func(ctx context.Context, a A) bool {
					m := any(a).(interface{ watched() *watchedGroup }).watched()
					if !groups.acquire(ctx, m) {
						return false
					}
					g.GoThen(mustProject("MergeMap", project, a), func() { groups.release(m) })
					return true
				}
			}
			each(g, source, visit)
		}))
	}
}

// ExhaustMap runs project's observable for a value. It ignores the values that the source
// emits until that observable has completed and its values have been taken. Then it
// projects the next value (RxJS: exhaustMap). [CountDrops] counts the ignored values. The
// source and the projected observable have a goroutine each; project is called on the
// source's, which never waits. It completes when the source and the projected observable
// have, and fails with the first failure, after the values that came before it. At most
// [stream.DefaultBuffer] values wait.
func ExhaustMap[A, B any](project func(A) stream.Observable[B]) stream.Operator[A, B] {
	mustHave("ExhaustMap", "function", project != nil)
	return func(source stream.Observable[A]) stream.Observable[B] {
		mustHave("ExhaustMap", "observable", source != nil)
		return buffering("ExhaustMap", stream.Gather(stream.DefaultBuffer, func(g *stream.Group[B]) {
			running := newSemaphore(1)
			release := running.releaseFunc()
			var dropped func(int)
			each(g, source, func(ctx context.Context, a A) bool {
				if running.tryAcquire() {
					g.GoThen(mustProject("ExhaustMap", project, a), release)
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

// SwitchMap runs project's observable for each value, and leaves it when the source has the
// next value (RxJS: switchMap, ReactiveX: switch). To leave an observable, it drops the
// values that the consumer has not taken, cancels it, waits until it has ended, and ignores
// its error. A call of yield with one of its values is finished. Then the next observable
// runs.
//
// The source and the projected observable have a goroutine each. project is called on the
// source's goroutine, which waits for the end of the observable that it leaves, and for
// yield. So a projected observable may be left before its first value if the source emits
// its next value at once. It completes when the source and the last projected observable
// have, and fails with the first failure, after the values that came before it. At most
// [stream.DefaultBuffer] values wait.
func SwitchMap[A, B any](project func(A) stream.Observable[B]) stream.Operator[A, B] {
	mustHave("SwitchMap", "function", project != nil)
	return switchMap("SwitchMap", project)
}

// switchMap is SwitchMap under the name of an operator that is made of it.
func switchMap[A, B any](name string, project func(A) stream.Observable[B]) stream.Operator[A, B] {
	return func(source stream.Observable[A]) stream.Observable[B] {
		mustHave(name, "observable", source != nil)
		return func(ctx context.Context, yield func(B) bool) error {
			var left atomic.Bool // this value is from an observable that was left
			return stream.Gather(stream.DefaultBuffer, func(g *stream.Group[B]) {
				running := newSemaphore(1)
				release := running.releaseFunc()
				leave := func(error) {}
				each(g, source, func(ctx context.Context, a A) bool {
					left.Store(true)
					leave(errUnwanted)
					if !running.acquire(ctx) { // then the one before has ended and its values are taken
						return false
					}
					left.Store(false)
					var inner context.Context
					inner, leave = context.WithCancelCause(ctx)
					g.GoThen(leaving(inner, leave, mustProject(name, project, a), &left), release)
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

// mustProject returns project's observable for a value, and panics if that is nil.
func mustProject[A, B any](name string, project func(A) stream.Observable[B], a A) stream.Observable[B] {
	made := project(a)
	mustHave(name, "observable from its function", made != nil)
	return made
}

// leaving is a producer that runs an observable with a context of its own. It returns the
// error of that run only if it was not left.
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

// each runs the source as a producer of g that pushes nothing itself: visit gets its values,
// starts other producers for them, and reports whether it wants more.
//
// MergeMap and its siblings are made of each and a semaphore. A projected observable holds
// a slot of it while it runs and while its values wait. If there is no free slot for a value,
// MergeMap waits for one, ExhaustMap drops the value, and SwitchMap cancels the observable
// that holds the only slot. ConcatMap runs one observable at a time and needs no semaphore.
func each[A, B any](g *stream.Group[B], source stream.Observable[A], visit func(context.Context, A) bool) {
	g.Go(func(ctx context.Context, _ func(B) bool) error {
		return source(ctx, func(a A) bool { return visit(ctx, a) })
	})
}

// semaphore has as many slots as its capacity. Its length is the number of slots that are
// taken. A nil semaphore has no limit.
type semaphore chan struct{}

func newSemaphore(limit int) semaphore {
	if limit < 1 {
		return nil
	}
	return make(semaphore, limit)
}

// acquire waits for a free slot and reports whether there was one before ctx ended.
func (s semaphore) acquire(ctx context.Context) bool {
	if s == nil || s.tryAcquire() { // costs less than a select over two channels
		return true
	}
	select {
	case s <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// tryAcquire takes a slot if one is free, and reports whether it did.
func (s semaphore) tryAcquire() bool {
	select {
	case s <- struct{}{}:
		return true
	default:
		return false
	}
}

// releaseFunc returns a function that releases a slot; nil if there is no limit.
func (s semaphore) releaseFunc() func() {
	if s == nil {
		return nil
	}
	return func() { <-s }
}
