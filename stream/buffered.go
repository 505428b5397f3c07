package stream

import "context"

// Buffered runs source on a goroutine of its own; its values cross a buffer to the
// caller's, where yield is. At most capacity values wait there (at least one may), and
// overflow says what happens with one more. The run ends as source does, after what
// waits; with [Fail], also with [ErrOverflow].
//
// A panic of source's, or a runtime.Goexit, reaches the caller as in [Gather].
func Buffered[T any](source Observable[T], capacity int, overflow Overflow) Observable[T] {
	mustHave("Buffered", "observable", source != nil)
	if overflow == Block { // an spscQueue costs less than an mpscQueue
		return Gather(capacity, func(g *Group[T]) { g.Go(source) })
	}
	return func(ctx context.Context, yield func(T) bool) error {
		run, inner := enter(ctx, "Buffered")
		queue := new(mpscQueue[T])
		queue.init(ctx, capacity, overflow)
		run.Fills(queue.buffer.fill)
		queue.buffer.awaitsSource = true
		feeding := source
		if g := subscribedFunc(ctx); g != nil {
			feeding = func(ctx context.Context, yield func(T) bool) error {
				return source(OnSubscribed(ctx, queue.buffer.subscribed), yield)
			}
		}
		g := newGroup[T](inner, 1)
		return ending(run, ctx, func() error {
			return g.run(func(g *Group[T]) { g.Go(queue.feed(feeding)) }, func() error { return queue.deliver(ctx, yield) })
		})
	}
}

// feed is a producer that puts what source emits, and its end, into the queue.
func (q *mpscQueue[T]) feed(source Observable[T]) Observable[T] {
	return func(ctx context.Context, _ func(T) bool) error {
		err := errExited // unless source returns
		defer func() { q.end(err) }()
		err = source(ctx, q.push)
		return nil
	}
}
