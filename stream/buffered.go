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
	if overflow == Block { // a lane costs less than a mailbox
		return Gather(capacity, func(g *Group[T]) { g.Go(source) })
	}
	return func(ctx context.Context, yield func(T) bool) error {
		box := new(mailbox[T])
		box.init(ctx, capacity, overflow)
		box.box.pending = true
		feeding := source
		if g := whenSubscribed(ctx); g != nil {
			feeding = func(ctx context.Context, yield func(T) bool) error {
				return source(OnSubscribed(ctx, box.box.subscribed), yield)
			}
		}
		g := newGroup[T](ctx, 1)
		return g.run(func(g *Group[T]) { g.Go(box.fill(feeding)) }, func() error { return box.deliver(ctx, yield) })
	}
}

// fill is a producer that puts what source emits, and its end, into the box.
func (m *mailbox[T]) fill(source Observable[T]) Observable[T] {
	return func(ctx context.Context, _ func(T) bool) error {
		err := errExited // unless source returns
		defer func() { m.end(err) }()
		err = source(ctx, m.push)
		return nil
	}
}
