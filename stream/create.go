package stream

import "context"

// Create is the source of what a callback API tells. start begins it in each run: it
// registers, and returns what undoes that (nil if there is nothing to undo) or an error,
// with which the run fails. From then on the emitter takes values, from any goroutine,
// until it is told the end or the run is over for another reason.
//
// At most capacity values wait for yield (at least one may), and overflow says what
// happens with one more; [Block] makes the caller of Next wait, unless that is yield
// itself: the run would wait for itself, and fails with [ErrOverflow]. start and stop are called
// on a goroutine of the run's, one after the other, so that start may emit as much as it
// likes; its context ends with the run. stop is called when the run is over, in all ways,
// and awaited before it returns.
//
//	stream.Create(64, stream.DropOldest, func(ctx context.Context, e *stream.Emitter[Event]) (func(), error) {
//		id, err := device.Register(func(event Event) { e.Next(event) })
//		return func() { device.Unregister(id) }, err
//	})
func Create[T any](capacity int, overflow Overflow, start func(context.Context, *Emitter[T]) (stop func(), err error)) Observable[T] {
	mustHave("Create", "function", start != nil)
	return func(ctx context.Context, yield func(T) bool) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		e := new(Emitter[T])
		e.queue.init(ctx, capacity, overflow)
		e.queue.buffer.awaitsSource = true
		g := newGroup[T](ctx, 1)
		return g.run(func(g *Group[T]) { g.Go(e.host(start)) }, func() error { return e.queue.deliver(ctx, yield) })
	}
}

// Emitter is where a run of [Create] gets its values. All methods may be called from any
// goroutine, also when the run is over: they do nothing then.
type Emitter[T any] struct {
	queue mpscQueue[T]
}

// Next gives a value to the run and reports whether more is wanted. It waits only if the
// run's overflow is [Block], and not for a run that is over.
func (e *Emitter[T]) Next(v T) bool { return e.queue.push(v) }

// Complete ends the run after the values that wait.
func (e *Emitter[T]) Complete() { e.queue.end(nil) }

// Error ends the run with a failure after the values that wait. Only the first end
// counts; a nil err completes.
func (e *Emitter[T]) Error(err error) { e.queue.end(err) }

// host is a producer that starts, waits for the end of the run, and stops.
func (e *Emitter[T]) host(start func(context.Context, *Emitter[T]) (func(), error)) Observable[T] {
	return func(ctx context.Context, _ func(T) bool) error {
		defer e.queue.end(errExited) // counts only if start or stop does not return
		stop, err := start(ctx, e)
		if err != nil {
			e.queue.end(err)
			return nil
		}
		if stop != nil {
			defer stop()
		}
		e.queue.buffer.subscribed()
		<-ctx.Done()
		return nil
	}
}
