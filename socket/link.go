package socket

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/rxipc/rxipc/socket/internal/park"
	"github.com/rxipc/rxipc/socket/internal/wire"
)

// expired is the time of what was due and did not come.
const expired = -1

// link is one end of a connection, a server's or a client's: frames in, frames
// out, and heartbeats. One goroutine at a time reads, and one at a time writes;
// they may be different ones. A read or write that its context ends leaves the
// link usable: what came of a frame stays, what is left of one goes out first
// with the next write, which the reader is told to make.
type link struct {
	conn   net.Conn
	config *Config

	// The reader's own.
	source source
	in     wire.Reader
	reads  contextDeadline
	begun  int64 // when the handshake began, or the frame of which a part came

	// The writer's own: who holds the baton of writing.
	writing baton
	out     wire.Output // frames not written yet, the first perhaps in part
	writes  contextDeadline

	left    atomic.Bool // a write ended early, and somebody must write the rest
	overdue atomic.Bool // and nobody may leave that to others any more
	called  atomic.Bool // fill is to return, for its caller to look around
	frames  uint32      // the reader's: had been decoded when the frame of begun began

	silent  atomic.Uint32 // since when nothing has come, see listen; zero while nobody listens
	claimed atomic.Bool   // a server's: somebody reads it, or it was closed unread

	pulse   *pulse
	place   int32 // among the pulse's members, under its mu
	greeted bool  // the reader's: the handshake is complete, or takes no time limit
	ours    bool  // the other side is of rxipc, too; the reader's, and whose it calls
	strict  bool  // a write may bring nothing away for Config.WriteTimeout, and not for ever
	slow    bool  // a server's reader's: a handler takes so long that its answer waits for no other one

	// The pulse's part: times on its clock, zero for none.
	heard atomic.Int64 // a heartbeat is due an interval after it
	until atomic.Int64 // the time limit of what fill waits for, or expired
	stuck atomic.Int64 // since when a write has brought nothing away

	parking atomic.Pointer[park.Spot] // of the session that reads, if it may park

	// What a client owes the server; it leaves with the next write.
	greeting atomic.Bool  // connection.start-ok
	owed     atomic.Int32 // acknowledgements
}

func newLink(conn net.Conn, config *Config, pulse *pulse) link {
	return link{
		conn:   conn,
		config: config,
		source: newSource(conn),
		in:     wire.Reader{Limit: config.MaxMessage},
		reads:  contextDeadline{set: conn.SetReadDeadline},
		writes: contextDeadline{set: conn.SetWriteDeadline},
		pulse:  pulse,
	}
}

// startClock starts the time after which a heartbeat is due, and anew that for what is
// awaited.
func (l *link) startClock() {
	now := l.pulse.now()
	l.begun = now
	l.heard.Store(now)
	l.pulse.expect(later(now, l.config.Heartbeat))
}

// stopClock stops the time after which a heartbeat is due.
func (l *link) stopClock() {
	if !l.watches() {
		l.heard.Store(0)
	}
}

func (l *link) placeOf() *int32 { return &l.place }

// due is when the link wants to be tended.
func (l *link) due() int64 {
	due := min(later(l.heard.Load(), l.config.Heartbeat), later(l.stuck.Load(), l.patience()))
	if until := l.until.Load(); until > 0 {
		due = min(due, until)
	}
	if l.silent.Load() != 0 {
		now := l.pulse.now()
		due = min(due, later(now, l.config.SilenceTimeout-l.silence(now)))
	}
	return due
}

// tend does what is due. It is the pulse's, and does not block. Who reads or writes
// too long is told to look at the time.
func (l *link) tend(now int64) {
	if heard := l.heard.Load(); later(heard, l.config.Heartbeat) <= now && l.heard.CompareAndSwap(heard, now) {
		l.tryWrite(wire.KindHeartbeat)
		if l.left.Load() {
			l.callReader() // who waits for the other side to read on
		}
	}
	if until := l.until.Load(); until > 0 && until <= now && l.until.CompareAndSwap(until, expired) {
		l.callReader()
	}
	if l.isSilent(now) {
		l.callReader()
	}
	if stuck := l.stuck.Load(); later(stuck, l.patience()) <= now && l.stuck.CompareAndSwap(stuck, now) {
		l.conn.SetWriteDeadline(longAgo)
	}
}

// fill reads once, until ctx ends, or what it waits for has taken too long. It returns
// early when the reader is called.
func (l *link) fill(ctx context.Context) error {
	l.reads.bind(ctx)
	if l.greeted && l.in.Idle() {
		return l.read(ctx, l.source.fill)
	}
	l.limit()
	err := l.read(ctx, l.source.fill)
	l.until.Store(0)
	return err
}

// look is fill, but fails with errIdle where that would wait. It is for who stands
// between two frames, the handshake done.
func (l *link) look(ctx context.Context) error {
	l.reads.bind(ctx)
	return l.read(ctx, l.source.look)
}

// read is fill or look, with its time limit set.
func (l *link) read(ctx context.Context, once func(*wire.Reader) error) error {
	for {
		if l.called.Load() && l.called.Swap(false) {
			if err := l.tooSlow(); err != nil {
				return err
			}
			return l.tooSilent()
		}
		err := once(&l.in)
		if err == nil {
			return nil
		}
		if err := l.stopped(ctx, err); err != nil {
			return err
		}
	}
}

// stopped tells why a read failed, unless it is to be made again.
func (l *link) stopped(ctx context.Context, err error) error {
	if !wire.IsTimeout(err) {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	l.reads.move(ctx, time.Time{}) // the deadline was of an earlier context, or a call's
	return nil
}

// limit sets the time limit of what fill waits for: the handshake, or the rest of a
// frame.
func (l *link) limit() {
	allowed := l.config.HandshakeTimeout
	if l.greeted {
		allowed = l.config.FrameTimeout
		if l.frames != l.in.Decoded() || l.begun == 0 {
			l.frames, l.begun = l.in.Decoded(), l.pulse.now()
		}
	}
	until := later(l.begun, allowed)
	l.until.Store(until)
	l.pulse.expect(until)
}

// tooSlow tells whether the limit has passed, and which one it was.
func (l *link) tooSlow() error {
	switch {
	case l.until.Load() != expired:
		return nil
	case !l.greeted:
		return fmt.Errorf("%w: no handshake within %v", ErrTooSlow, l.config.HandshakeTimeout)
	}
	return fmt.Errorf("%w: a frame took more than %v", ErrTooSlow, l.config.FrameTimeout)
}

// callReader makes the blocked read return, or the next one. A session that has parked
// is resumed for it.
func (l *link) callReader() {
	l.nudge()
	l.parking.Load().Resume()
}

// nudge makes the blocked read return, or the next one.
func (l *link) nudge() {
	l.called.Store(true)
	l.conn.SetReadDeadline(longAgo)
}

// acquire takes the baton of writing, or returns ctx's cause.
func (l *link) acquire(ctx context.Context) error { return l.writing.take(ctx) }

func (l *link) release() { l.writing.put() }

// flush writes what there is to write, until ctx ends. The baton is the caller's.
func (l *link) flush(ctx context.Context) error {
	if l.out.Len() == 0 {
		return nil
	}
	l.writes.bind(ctx)
	since := l.startWrite()
	defer l.stuck.Store(0)
	for {
		n, err := l.out.WriteAll(l.conn)
		l.written(n)
		switch {
		case err == nil:
			return nil
		case !wire.IsTimeout(err):
			l.writes.unbind() // the context may outlast the connection by far
			return err
		case ctx.Err() != nil:
			l.left.Store(true)
			l.callReader()
			return context.Cause(ctx)
		case n > 0:
			since = l.startWrite()
		case later(since, l.patience()) <= l.pulse.now():
			return fmt.Errorf("%w: nothing was read for %v", ErrTooSlow, l.patience())
		}
		l.writes.move(ctx, time.Time{}) // the deadline was of an earlier context
	}
}

// patience is how long a write may bring nothing away.
func (l *link) patience() time.Duration {
	if l.strict {
		return l.config.WriteTimeout
	}
	return never
}

// startWrite starts the time in which a write must bring something away.
func (l *link) startWrite() (since int64) {
	if !l.strict {
		return 0
	}
	since = l.pulse.now()
	l.stuck.Store(since)
	l.pulse.expect(later(since, l.patience()))
	return since
}

// send writes checked messages and reports whether they are on their way: all of
// them are once their first byte has left, none is when ctx ended before that. The
// token is the caller's.
func (l *link) send(ctx context.Context, messages ...Message) (begun bool, err error) {
	before := l.out.Extent()
	for _, m := range messages {
		l.out.AddMessage(m.wire())
	}
	added := l.out.Since(before)
	err = l.flush(ctx)
	if err != nil && l.out.Len() >= added.Len() {
		l.out.DropLast(added)
		l.written(0)
		return false, err
	}
	return true, err
}

// unsettled reports whether the client owes the server something.
func (l *link) unsettled() bool { return l.owed.Load() > 0 || l.greeting.Load() }

// settle adds what is owed to what there is to write, behind a frame that may have
// left in part. The baton is the caller's.
func (l *link) settle() {
	if l.greeting.Load() && l.greeting.CompareAndSwap(true, false) {
		if l.ours {
			l.out.AddFrames(wire.MarkedStartOK)
		} else {
			l.out.AddControl(wire.KindStartOK)
		}
	}
	if l.owed.Load() == 0 {
		return
	}
	n := l.owed.Swap(0)
	for ; n > 0 && l.out.Len() < wire.FlushAt; n-- { // who does not read gets them later
		l.out.AddControl(wire.KindAck)
	}
	if n > 0 {
		l.owed.Add(n)
	}
}

// written drops the first n bytes of what there is to write.
func (l *link) written(n int) {
	l.out.DropFirst(n)
	if l.out.Len() == 0 && l.left.Load() {
		l.left.Store(false)
		l.overdue.Store(false)
	}
}

// tryWrite writes a control frame, or none, and what else waits, if that is possible
// at once. While somebody else writes, or the other side does not read, nothing is
// lost by leaving it: heartbeats are then beside the point, and acknowledgements
// leave with the next write. It reports whether nobody else was writing.
func (l *link) tryWrite(k wire.Kind) bool {
	if !l.writing.tryTake() {
		return false
	}
	defer l.release()
	l.settle()
	if k != wire.NoControl && (l.out.Len() == 0 || k != wire.KindHeartbeat) {
		l.out.AddControl(k)
	}
	if l.out.Len() == 0 {
		return true
	}
	n, _ := l.source.offer(&l.out, &l.writes) // an error will meet the next read, too
	l.written(n)
	l.left.Store(l.out.Len() > 0)
	return true
}
