package framed

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// Lock takes the write lock, or returns the cause of the end of ctx.
func (c *Conn) Lock(ctx context.Context) error {
	if err := c.writing.lock(ctx); err != nil {
		return err
	}
	if c.debts != nil {
		c.debts.AddTo(&c.Out)
	}
	return nil
}

// TryLock takes the write lock if it is free, and reports whether it was.
func (c *Conn) TryLock() bool {
	if !c.writing.tryLock() {
		return false
	}
	if c.debts != nil {
		c.debts.AddTo(&c.Out)
	}
	return true
}

// Unlock gives the write lock back. If bytes are left in Out, it interrupts the reader, which
// writes them. It does not after a failure: the reader meets that, too.
func (c *Conn) Unlock() {
	left := c.Out.Len() > 0 && !c.broken
	rest := c.rest.Load()
	switch {
	case !left && rest != restNone:
		c.rest.Store(restNone)
	case left && rest == restNone:
		c.rest.Store(restLeft)
	}
	c.writing.unlock()
	if c.debts != nil {
		c.debts.Remind()
	}
	if left && rest != restPromised {
		c.Interrupt()
	}
}

// UnlockShared is FlushNow and Unlock for a few bytes whose writer waits for an answer anyway.
// The first goroutine of several promises to write, lets the others add theirs, and writes
// them all. The others leave theirs to it. A failure of the write is met by the reader.
func (c *Conn) UnlockShared(ctx context.Context) {
	switch {
	case c.Out.Len() >= wire.FlushAt:
		c.FlushNow()
		fallthrough
	case c.rest.Load() != restNone:
		c.Unlock()
		return
	}
	c.rest.Store(restPromised)
	c.Unlock()
	runtime.Gosched()
	if c.Lock(ctx) != nil {
		if c.rest.CompareAndSwap(restPromised, restLeft) {
			c.Interrupt()
		}
		return
	}
	c.rest.CompareAndSwap(restPromised, restNone) // Unlock decides again
	c.FlushNow()
	c.Unlock()
}

// Unfinished reports whether a write has left bytes.
func (c *Conn) Unfinished() bool { return c.rest.Load() >= restLeft }

// FlushDue reports whether SetFlushDue was called since a write left bytes.
func (c *Conn) FlushDue() bool { return c.rest.Load() == restDue }

// SetFlushDue says that the bytes which a write left have waited long enough, if there are
// some, and interrupts the reader.
func (c *Conn) SetFlushDue() {
	if c.rest.CompareAndSwap(restLeft, restDue) {
		c.Interrupt()
	}
}

// Flush writes Out, until ctx ends. The caller holds the write lock.
func (c *Conn) Flush(ctx context.Context) error {
	if c.Out.Len() == 0 {
		return nil
	}
	c.writes.bind(ctx)
	since := c.startWrite()
	defer c.writeBlockedSince.Store(0)
	for {
		n, err := c.Out.WriteAll(c.Net)
		c.drop(n)
		switch {
		case err == nil:
			return nil
		case !wire.IsTimeout(err):
			c.broken = true
			c.writes.unbind() // the context may outlast the connection by far
			return err
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case n > 0:
			since = c.startWrite()
		case Later(since, c.timers.Write) <= c.timers.Now():
			return fmt.Errorf("%w: nothing was read for %v", ErrTooSlow, c.timers.Write)
		}
		c.writes.move(ctx, time.Time{}) // the deadline was of an earlier context
	}
}

// startWrite starts the time in which a write must bring something away.
func (c *Conn) startWrite() (since int64) {
	if c.timers.Write == Never {
		return 0
	}
	since = c.timers.Now()
	c.writeBlockedSince.Store(since)
	c.timers.Expect(Later(since, c.timers.Write))
	return since
}

// FlushSince is Flush for frames that were added since Out had an extent. They are on their
// way, all of them, once their first byte has left. If none has when Flush fails, it drops
// them and begun is false.
func (c *Conn) FlushSince(ctx context.Context, before wire.Extent) (begun bool, err error) {
	added := c.Out.Since(before)
	err = c.Flush(ctx)
	if err != nil && c.Out.Len() >= added.Len() {
		c.Out.DropLast(added)
		return false, err
	}
	return true, err
}

// FlushNow writes as much of Out as the connection takes at once. What it takes not is no
// error. The caller holds the write lock.
func (c *Conn) FlushNow() error {
	if c.Out.Len() == 0 {
		return nil
	}
	return c.flushed(c.raw.tryWrite(&c.Out, &c.writes))
}

// FlushSoon is FlushNow that gives a full connection a millisecond to take more.
func (c *Conn) FlushSoon() error {
	if c.Out.Len() == 0 {
		return nil
	}
	return c.flushed(plainIO{c.Net}.tryWrite(&c.Out, &c.writes))
}

// flushed drops what was written.
func (c *Conn) flushed(n int, err error) error {
	c.drop(n)
	if err == nil || wire.IsTimeout(err) {
		return nil
	}
	c.broken = true
	return err
}

// drop removes the first n bytes of Out, which were written.
func (c *Conn) drop(n int) {
	c.Out.DropFirst(n)
	c.written += uint64(n)
}

// Place returns the place of the next frame among all bytes of the connection. The caller holds
// the write lock.
func (c *Conn) Place() uint64 { return c.written + uint64(c.Out.Len()) }

// Discard drops what was not written, and returns how many bytes were. It is for a connection
// that has ended, so the dropped bytes are never sent.
func (c *Conn) Discard() (written uint64) {
	c.writing.lock(context.Background()) // a goroutine that writes finds the connection closed
	defer c.Unlock()
	c.Out.DropLast(c.Out.Extent())
	return c.written
}

// TryWrite writes Out and behind it a control frame, or none, as far as the connection takes
// them at once. It does nothing if the write lock is taken, which it reports. A heartbeat is
// left out when something else is to be written. An error meets the next read, too.
func (c *Conn) TryWrite(k wire.Kind) bool {
	if !c.TryLock() {
		return false
	}
	defer c.Unlock()
	if k != wire.NoControl && (c.Out.Len() == 0 || k != wire.KindHeartbeat) {
		c.Out.AddControl(k)
	}
	c.FlushNow()
	return true
}
