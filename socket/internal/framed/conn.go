package framed

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/rxipc/rxipc/socket/internal/park"
	"github.com/rxipc/rxipc/socket/internal/wire"
)

var (
	// ErrTooSlow says that the other side took longer than it may. It wraps
	// os.ErrDeadlineExceeded.
	ErrTooSlow = fmt.Errorf("the other side is too slow: %w", os.ErrDeadlineExceeded)

	// ErrSilent says that nothing came from the other side for Limits.Silence.
	ErrSilent = errors.New("the other side is silent")

	// ErrIdle says that there is nothing to read.
	ErrIdle = errors.New("nothing to read")
)

// Conn is one end of a connection. A read or write that its context ends leaves the Conn
// usable: the part of a frame that came stays, and the rest of a frame that was being written
// leaves first with the next write.
type Conn struct {
	Net     net.Conn // beneath
	timers  *Timers
	Parking atomic.Pointer[park.Spot] // of the session that reads, if it may park

	// The reader's.
	In       wire.Reader
	raw      rawIO
	reads    contextDeadline
	begun    int64        // when the handshake began, or the frame of which a part came
	deadline atomic.Int64 // of what Fill waits for; zero: none, or expired
	begunAt  uint32       // frames decoded when begun was set
	place    int32        // among the members of timers, under its mu

	// Under the write lock.
	writing mutex
	Out     wire.Output // frames not written yet, the first perhaps in part
	writes  contextDeadline
	debts   Debts
	written uint64        // bytes that were in Out
	rest    atomic.Uint32 // what is known of Out without the lock; Unlock decides it

	// For the timers, on their clock; zero: none.
	silentSince       atomic.Uint32 // see Listen
	lastHeard         atomic.Int64  // a heartbeat is due Limits.Heartbeat after it
	writeBlockedSince atomic.Int64

	Greeted bool // the handshake is complete, or takes no time limit; the reader's
	broken  bool // a write failed; under the write lock
}

// Debts are frames that a Conn owes the other side beside those that are written.
type Debts interface {
	// AddTo adds the frames. It is called when the write lock is taken.
	AddTo(*wire.Output)

	// Remind is called when the write lock is given back: more may be owed by then.
	Remind()
}

// expired is the deadline that has passed.
const expired = -1

// The states of rest.
const (
	restNone     = iota
	restPromised // a goroutine is about to write them, see UnlockShared
	restLeft     // a write ended early: the reader writes the rest, or whoever writes next
	restDue      // and has had its time to do so
)

// New returns a Conn. own is the context that most calls of Fill and Flush have, or nil.
// Whoever ends it calls SetDeadline of the connection, too. debts may be nil.
func New(conn net.Conn, timers *Timers, own *context.Context, debts Debts) Conn {
	return Conn{
		Net:    conn,
		timers: timers,
		raw:    newRawIO(conn),
		In:     wire.Reader{Limit: timers.MaxMessage},
		reads:  contextDeadline{set: conn.SetReadDeadline, own: own},
		writes: contextDeadline{set: conn.SetWriteDeadline, own: own},
		debts:  debts,
	}
}

// Interrupt makes the blocked Fill of the reader return, or the next one, and a session that
// has parked go on.
func (c *Conn) Interrupt() {
	c.Nudge()
	c.Parking.Load().Resume()
}

// Nudge is Interrupt for a session that has not parked.
func (c *Conn) Nudge() { c.Net.SetReadDeadline(longAgo) }

// End makes what blocks return. The context that New was given has ended.
func (c *Conn) End() {
	c.Net.SetDeadline(longAgo)
	c.Parking.Load().Resume()
}

// Join makes m, which has this Conn, a member of the timers.
func (c *Conn) Join(m Member) { c.timers.join(m) }

// Expect makes the timers look at Due of the member at a time, or earlier.
func (c *Conn) Expect(at int64) { c.timers.Expect(at) }

// Shut takes the Conn from the timers and waits until nobody writes. Net is closed already.
func (c *Conn) Shut() {
	c.timers.leave(c)
	c.writing.lock(context.Background()) // a goroutine that writes finds the connection closed
	c.writes.unbind()
	c.Out.Drop()
	c.writing.unlock()
}

// Release lets go of what reading has taken. It is the reader's.
func (c *Conn) Release() {
	c.reads.unbind()
	c.In.Drop()
}

// Now returns the time on the clock of the timers.
func (c *Conn) Now() int64 { return c.timers.Now() }

// StartClock starts the time after which a heartbeat is due, and anew the time of what is
// awaited.
func (c *Conn) StartClock() {
	now := c.timers.Now()
	c.begun = now
	c.Heard(now)
	c.timers.Expect(Later(now, c.timers.Heartbeat))
}

// Heard makes a heartbeat due Limits.Heartbeat after now.
func (c *Conn) Heard(now int64) { c.lastHeard.Store(now) }

// StopClock stops the time after which a heartbeat is due, unless the other side is to be
// told regularly that this one is there.
func (c *Conn) StopClock() {
	if !c.LimitsSilence() {
		c.lastHeard.Store(0)
	}
}

// Conn, Due and OnTimer make a Conn a Member of its Timers.
func (c *Conn) Conn() *Conn { return c }

// Due returns when OnTimer has something to do.
func (c *Conn) Due() int64 {
	due := min(Later(c.lastHeard.Load(), c.timers.Heartbeat), Later(c.writeBlockedSince.Load(), c.timers.Write))
	if deadline := c.deadline.Load(); deadline > 0 {
		due = min(due, deadline)
	}
	if c.silentSince.Load() != 0 {
		now := c.timers.Now()
		due = min(due, Later(now, c.timers.Silence-c.silence(now)))
	}
	return due
}

// OnTimer sends a heartbeat if it is due. It interrupts a reader or writer whose time is up.
func (c *Conn) OnTimer(now int64) {
	if heard := c.lastHeard.Load(); Later(heard, c.timers.Heartbeat) <= now && c.lastHeard.CompareAndSwap(heard, now) {
		c.TryWrite(wire.KindHeartbeat)
	}
	if deadline := c.deadline.Load(); deadline > 0 && deadline <= now && c.deadline.CompareAndSwap(deadline, expired) {
		c.Interrupt()
	}
	if c.isSilent(now) {
		c.Interrupt()
	}
	if since := c.writeBlockedSince.Load(); Later(since, c.timers.Write) <= now && c.writeBlockedSince.CompareAndSwap(since, now) {
		c.Net.SetWriteDeadline(longAgo)
	}
}

// Fill reads once. It fails when ctx ends, or when the other side is too slow or silent. It
// returns early, and perhaps without having read, after Interrupt. It is the reader's.
func (c *Conn) Fill(ctx context.Context) error {
	c.reads.bind(ctx)
	if c.Greeted && c.In.Idle() {
		return c.read(ctx, c.raw.readOnce)
	}
	c.limit()
	err := c.read(ctx, c.raw.readOnce)
	c.deadline.Store(0)
	return err
}

// Look is Fill that fails with ErrIdle where it would wait. It is for a reader between two
// frames, after the handshake.
func (c *Conn) Look(ctx context.Context) error {
	c.reads.bind(ctx)
	return c.read(ctx, c.raw.tryRead)
}

// read is Fill or Look, with the time limit set.
func (c *Conn) read(ctx context.Context, once func(*wire.Reader) error) error {
	err := once(&c.In)
	switch {
	case err == nil || !wire.IsTimeout(err):
		return err
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	c.reads.move(ctx, time.Time{}) // the deadline was of Interrupt, or of an earlier context
	if err := c.tooSlow(); err != nil {
		return err
	}
	return c.tooSilent()
}

// limit sets the time limit of what Fill waits for: the handshake, or the rest of a frame.
func (c *Conn) limit() {
	allowed := c.timers.Handshake
	if c.Greeted {
		allowed = c.timers.Frame
		if c.begunAt != c.In.Decoded() || c.begun == 0 {
			c.begunAt, c.begun = c.In.Decoded(), c.timers.Now()
		}
	}
	deadline := Later(c.begun, allowed)
	c.deadline.Store(deadline)
	c.timers.Expect(deadline)
}

// tooSlow returns the error of a limit that has passed.
func (c *Conn) tooSlow() error {
	switch {
	case c.deadline.Load() != expired:
		return nil
	case !c.Greeted:
		return fmt.Errorf("%w: no handshake within %v", ErrTooSlow, c.timers.Handshake)
	}
	return fmt.Errorf("%w: a frame took more than %v", ErrTooSlow, c.timers.Frame)
}

// RawConn returns the socket that the connection is, nil if it is none.
func (c *Conn) RawConn() syscall.RawConn { return c.raw.rawConn() }

// ReadAhead reads what there is and fails with ErrIdle if there is nothing. It waits for a
// moment if RawConn is nil, but not once hurry is set. It is for a goroutine that
// reads in place of the reader.
func (c *Conn) ReadAhead(hurry *atomic.Bool) error { return c.raw.readAhead(&c.In, &c.reads, hurry) }

// IsGone reports whether the other side is known to have closed the connection, whatever of
// its bytes is unread. failure is what the last read failed with, or nil.
func (c *Conn) IsGone(failure error) bool { return c.raw.isGone(failure) }
