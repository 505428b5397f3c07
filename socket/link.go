package socket

import (
	"context"
	"math"
	"net"
	"sync/atomic"
	"time"
)

const (
	// writeAt is how many bytes wait at most to leave in one write with others.
	writeAt = largeBuffer / 2

	// offerTime is how long a write that must not block may take.
	offerTime = time.Millisecond
)

// longAgo is the deadline that ends blocked reads and writes at once.
var longAgo = time.Unix(1, 0)

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
	in     frameReader
	reads  interrupt
	since  time.Time // a heartbeat is due an interval after it
	beat   time.Time // the read deadline that is set, for the next heartbeat

	// The writer's own: who holds the token of writing.
	writing chan struct{}
	out     outgoing // frames not written yet, the first perhaps in part
	writes  interrupt

	left   atomic.Bool // a write ended early, and somebody must write the rest
	called atomic.Bool // fill is to return, for its caller to look around

	// What a client owes the server; it leaves with the next write.
	greeting atomic.Bool  // connection.start-ok
	owed     atomic.Int32 // acknowledgements
}

func newLink(conn net.Conn, config *Config) link {
	return link{
		conn:    conn,
		config:  config,
		source:  newSource(conn),
		in:      frameReader{limit: config.MaxMessage},
		reads:   interrupt{set: conn.SetReadDeadline},
		writing: make(chan struct{}, 1),
		writes:  interrupt{set: conn.SetWriteDeadline},
	}
}

// startClock starts the time after which a heartbeat is due.
func (l *link) startClock(ctx context.Context) {
	l.reads.by(ctx)
	l.since = time.Now()
	if l.beat.Before(l.since) {
		l.schedule(ctx)
	}
}

// fill reads once, until ctx ends, and sends a heartbeat whenever one is due. It
// returns early when the reader is called.
func (l *link) fill(ctx context.Context) error {
	l.reads.by(ctx)
	for {
		if l.called.Load() && l.called.Swap(false) {
			return nil
		}
		err := l.source.fill(&l.in)
		if err == nil || !isTimeout(err) {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if now := time.Now(); now.Sub(l.since) >= l.config.Heartbeat {
			l.since = now
			l.tryWrite(kindHeartbeat)
		}
		l.schedule(ctx)
	}
}

// callReader makes the blocked read return, or the next one.
func (l *link) callReader() {
	l.called.Store(true)
	l.conn.SetReadDeadline(longAgo)
}

// schedule makes the blocked read return when the next heartbeat is due. The
// deadline is not moved at each read: one that comes early is set anew.
func (l *link) schedule(ctx context.Context) {
	if l.config.Heartbeat == math.MaxInt64 {
		l.reads.at(ctx, time.Time{})
		return
	}
	l.beat = l.since.Add(l.config.Heartbeat)
	l.reads.at(ctx, l.beat)
}

// acquire takes the token of writing, or returns ctx's cause.
func (l *link) acquire(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	select {
	case l.writing <- struct{}{}:
		return nil
	default:
	}
	select {
	case l.writing <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (l *link) release() { <-l.writing }

// flush writes what there is to write, until ctx ends. The token is the caller's.
func (l *link) flush(ctx context.Context) error {
	if l.out.size() == 0 {
		return nil
	}
	l.writes.by(ctx)
	for {
		n, err := l.out.writeTo(l.conn)
		l.written(n)
		switch {
		case err == nil:
			return nil
		case !isTimeout(err):
			l.writes.unbind() // the context may outlast the connection by far
			return err
		case ctx.Err() != nil:
			l.left.Store(true)
			l.callReader()
			return context.Cause(ctx)
		}
		l.writes.at(ctx, time.Time{}) // the deadline was of an earlier context
	}
}

// send writes checked messages and reports whether they are on their way: all of
// them are once their first byte has left, none is when ctx ended before that. The
// token is the caller's.
func (l *link) send(ctx context.Context, messages ...Message) (begun bool, err error) {
	before := l.out.amount()
	for _, m := range messages {
		l.out.message(m)
	}
	added := l.out.since(before)
	err = l.flush(ctx)
	if err != nil && l.out.size() >= added.size() {
		l.out.dropLast(added)
		l.written(0)
		return false, err
	}
	return true, err
}

// unsettled reports whether the client owes the server something.
func (l *link) unsettled() bool { return l.owed.Load() > 0 || l.greeting.Load() }

// settle adds what is owed to what there is to write, behind a frame that may have
// left in part. The token is the caller's.
func (l *link) settle() {
	if l.greeting.Load() && l.greeting.CompareAndSwap(true, false) {
		l.out.control(kindStartOK)
	}
	if l.owed.Load() == 0 {
		return
	}
	for n := l.owed.Swap(0); n > 0; n-- {
		l.out.control(kindAck)
	}
}

// written drops the first n bytes of what there is to write.
func (l *link) written(n int) {
	l.out.drop(n)
	if l.out.size() == 0 && l.left.Load() {
		l.left.Store(false)
	}
}

// tryWrite writes a control frame, or none, and what else waits, if that is possible
// at once. While somebody else writes, or the other side does not read, nothing is
// lost by leaving it: heartbeats are then beside the point, and acknowledgements
// leave with the next write.
func (l *link) tryWrite(k kind) {
	select {
	case l.writing <- struct{}{}:
	default:
		return
	}
	defer l.release()
	l.settle()
	if k != noControl && (l.out.size() == 0 || k != kindHeartbeat) {
		l.out.control(k)
	}
	if l.out.size() == 0 {
		return
	}
	l.conn.SetWriteDeadline(time.Now().Add(offerTime))
	n, _ := l.out.writeTo(l.conn) // an error will meet the next read, too
	l.written(n)
	l.left.Store(l.out.size() > 0)
	l.writes.reset()
}

// interrupt ends what blocks on one direction of a connection when a context
// does. A context stays bound until the next one comes, so that calls with the
// same one in a row pay for it once.
type interrupt struct {
	set     func(time.Time) error // sets the direction's deadline
	done    <-chan struct{}       // of the context bound
	release func() bool
}

// by binds ctx.
func (i *interrupt) by(ctx context.Context) {
	done := ctx.Done()
	if done == i.done {
		return
	}
	i.unbind()
	if done != nil {
		i.done = done
		i.release = context.AfterFunc(ctx, func() { i.set(longAgo) })
	}
}

// at moves the deadline, unless ctx, the one that is bound, has ended.
func (i *interrupt) at(ctx context.Context, deadline time.Time) {
	i.set(deadline)
	if ctx.Err() != nil { // before or during set, which may have come last
		i.set(longAgo)
	}
}

// reset takes a deadline back that somebody else has set.
func (i *interrupt) reset() {
	i.set(time.Time{})
	if i.done != nil {
		select {
		case <-i.done:
			i.set(longAgo)
		default:
		}
	}
}

// unbind lets the bound context go.
func (i *interrupt) unbind() {
	if i.release != nil {
		i.release()
	}
	i.done, i.release = nil, nil
}
