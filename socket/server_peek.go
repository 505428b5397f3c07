package socket

import (
	"github.com/rxipc/rxipc/socket/internal/framed"
	"github.com/rxipc/rxipc/socket/internal/wire"
)

// stepAway lets the timers read the connection until comeBack. The caller is the reader.
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
		c.frames.Nudge()
		<-p.done
	}
}

// peekAfter makes the timers look in a while, and again, until the session reads.
func (c *Connection) peekAfter(now int64) {
	at := framed.Later(now, lookEvery)
	c.nextPeek.Store(at)
	c.frames.Expect(at)
}

// timedConnection is the framed.Member of a Connection, which has a look of its own.
type timedConnection Connection

func (c *timedConnection) Conn() *framed.Conn { return &c.frames }

func (c *timedConnection) Due() int64 {
	due := c.frames.Due()
	if at := c.nextPeek.Load(); at > 0 {
		due = min(due, at)
	}
	return due
}

func (c *timedConnection) OnTimer(now int64) {
	c.frames.OnTimer(now)
	at := c.nextPeek.Load()
	if at <= 0 || at > now || !c.nextPeek.CompareAndSwap(at, framed.Later(now, lookEvery)) {
		return
	}
	p := &peek{done: make(chan struct{})}
	if !c.away.CompareAndSwap(noPeek, p) {
		return
	}
	if c.frames.RawConn() == nil { // it may wait
		go (*Connection)(c).peek(p) // comeBack joins it, at the latest that of cleanUp
	} else {
		(*Connection)(c).peek(p)
	}
}

// peek looks whether the client has left or closes, and ends the connection then. It is the reader
// until it returns.
func (c *Connection) peek(p *peek) {
	defer func() {
		c.away.Store(noPeek)
		close(p.done)
	}()
	c.slow.Store(true)
	if c.ending.Err() != nil {
		return
	}
	err := c.readAhead(p)
	switch {
	case c.frames.In.HoldsClose():
		if c.frames.TryWrite(wire.KindCloseOK) { // else at the next look
			c.end(errAgreed)
		}
	case c.frames.IsGone(err):
		c.end(errLeft)
	}
}

// readAhead reads the bytes that have come, as far as the reader has room.
func (c *Connection) readAhead(p *peek) error {
	for c.frames.In.HasSpace() {
		err := c.frames.ReadAhead(&p.hurry)
		switch err {
		case nil:
			c.frames.In.Skip(wire.KindHeartbeat.Frame()) // one a second would fill the buffer
		case framed.ErrIdle:
			return nil
		default:
			return err
		}
	}
	return nil
}
