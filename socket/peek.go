package socket

import (
	"sync/atomic"
	"time"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// lookEvery is how long a message is handled before the pulse looks what its client does
// meanwhile, and how often it looks from then on.
const lookEvery = 500 * time.Millisecond

// peek is a look at a connection that nobody else reads, because a message of it is being
// handled, or as many answers wait as may. It notices that the client is gone, and reads
// ahead, as much as the usual buffer holds, to notice that it closes.
type peek struct {
	done  chan struct{} // closed once the connection is read no more
	hurry atomic.Bool   // somebody waits for done
}

// noPeek stands for a connection that nobody reads.
var noPeek = new(peek)

// stepAway lets the pulse read the connection, until comeBack. Who calls it is the reader.
func (c *Connection) stepAway() { c.away.Store(noPeek) }

// comeBack makes the caller the reader again, after stepAway; otherwise it does nothing.
func (c *Connection) comeBack() {
	for !c.away.CompareAndSwap(noPeek, nil) {
		p := c.away.Load()
		switch p {
		case nil:
			return
		case noPeek:
			continue
		}
		p.hurry.Store(true)
		c.conn.SetReadDeadline(longAgo)
		<-p.done
	}
}

// peekAfter has the pulse look in a while, and again, until the session reads.
func (c *Connection) peekAfter(now int64) {
	at := later(now, lookEvery)
	c.nextPeek.Store(at)
	c.pulse.expect(at)
}

// due is when the connection wants to be tended.
func (c *Connection) due() int64 {
	due := c.link.due()
	if at := c.nextPeek.Load(); at > 0 {
		due = min(due, at)
	}
	return due
}

// tend does what is due.
func (c *Connection) tend(now int64) {
	c.link.tend(now)
	at := c.nextPeek.Load()
	if at <= 0 || at > now || !c.nextPeek.CompareAndSwap(at, later(now, lookEvery)) {
		return
	}
	p := &peek{done: make(chan struct{})}
	if !c.away.CompareAndSwap(noPeek, p) {
		return
	}
	if _, waits := c.source.(plainSource); waits {
		go c.peek(p) // comeBack joins it, at the latest that of cleanUp
	} else {
		c.peek(p)
	}
}

// peek looks what the client does, and ends the connection if it left or closes. It is
// the reader meanwhile.
func (c *Connection) peek(p *peek) {
	defer func() {
		c.away.Store(noPeek)
		close(p.done)
	}()
	c.slow = true
	if c.ending.Err() != nil {
		return
	}
	err := c.readAhead(p)
	switch {
	case c.in.HoldsClose():
		if c.tryWrite(wire.KindCloseOK) { // else at the next look
			c.end(errAgreed)
		}
	case c.source.left(err):
		c.end(errLeft)
	}
}

// readAhead reads what there is, as much as the reader has room for, and returns what
// reading failed with, if it did.
func (c *Connection) readAhead(p *peek) error {
	for c.in.HasSpace() {
		err := c.source.ahead(&c.in, &c.reads, &p.hurry)
		switch err {
		case nil:
			c.in.Skip(wire.KindHeartbeat.Frame()) // one a second would fill the buffer
		case errIdle:
			return nil
		default:
			return err
		}
	}
	return nil
}
