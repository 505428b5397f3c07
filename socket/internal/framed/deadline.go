package framed

import (
	"context"
	"time"
)

// longAgo is the deadline that ends blocked reads and writes at once.
var longAgo = time.Unix(1, 0)

// contextDeadline turns the end of a context into a deadline of one direction of a
// connection, so that a blocked read or write returns. A context stays bound until another
// one is bound: many calls with the same context register it once. One goroutine at a time
// may call the methods.
type contextDeadline struct {
	set     func(time.Time) error // sets the deadline of the direction
	own     *context.Context      // its end sets the deadline by other means; nil: none
	done    <-chan struct{}       // of the bound context, unless that is own
	release func() bool
}

// bind makes ctx the context whose end sets the deadline.
func (d *contextDeadline) bind(ctx context.Context) {
	if d.own != nil && ctx == *d.own { // its Done would allocate
		if d.done != nil {
			d.unbind()
			d.apply() // it may have ended meanwhile
		}
		return
	}
	done := ctx.Done()
	if done == d.done {
		return
	}
	d.unbind()
	d.done = done
	if done != nil {
		d.release = context.AfterFunc(ctx, func() { d.set(longAgo) })
	}
}

// move sets another deadline, unless the bound context, which is ctx, has ended.
func (d *contextDeadline) move(ctx context.Context, deadline time.Time) {
	d.set(deadline)
	if ctx.Err() != nil { // the call of set above may have come after that of AfterFunc
		d.set(longAgo)
	}
}

// reset removes a deadline that was set by other means.
func (d *contextDeadline) reset() {
	d.set(time.Time{})
	d.apply()
}

// apply sets the deadline if the bound context has ended.
func (d *contextDeadline) apply() {
	if d.done == nil {
		if d.own != nil && (*d.own).Err() != nil {
			d.set(longAgo)
		}
		return
	}
	select {
	case <-d.done:
		d.set(longAgo)
	default:
	}
}

// unbind releases the bound context.
func (d *contextDeadline) unbind() {
	if d.release != nil {
		d.release()
	}
	d.done, d.release = nil, nil
}
