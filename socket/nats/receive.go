package nats

import (
	"fmt"

	"github.com/nats-io/nats.go"

	"github.com/rxipc/rxipc/socket"
)

// receive takes a message for this end of the session. It never blocks.
func (c *Conn) receive(m *nats.Msg) {
	if noResponders(m) {
		c.lost()
		return
	}
	f, ok := parseFrame(m.Data)
	if !ok {
		return
	}
	c.mu.Lock()
	ended := c.take(f, m.Reply, last(m.Subject))
	c.mu.Unlock()
	if ended {
		c.link.remove(c)
	}
}

// take takes a frame and reports whether the session was cut.
func (c *Conn) take(f frame, reply, from string) (cut bool) {
	switch {
	case c.closed || c.err != nil:
		return false
	case c.to == "":
		if !c.begin(f, reply, from) {
			return c.err != nil
		}
	case from != last(c.reply): // of another user, who cannot be the other side
		return false
	}
	c.silent = 0
	switch {
	case f.flags&flagReset != 0:
		c.cutLocked(fmt.Errorf("%w: the other side has ended the session: %s", errReset, f.data), 0)
		return true
	case f.position != c.received:
		c.cutLocked(fmt.Errorf("%w: bytes were lost: at position %d arrived %d", errReset, c.received, f.position), flagReset)
		return true
	}
	if len(f.data) > 0 {
		c.received += uint64(len(f.data) + messageCost)
		if c.received > c.told {
			c.cutLocked(fmt.Errorf("%w: the other side has sent more than its window", errReset), flagReset)
			return true
		}
		c.chunks = append(c.chunks, f.data)
	}
	if f.limit > c.limit {
		c.limit = f.limit
		c.writable.Broadcast()
	}
	c.takeFlags(f.flags)
	if len(f.data) > 0 || c.ended {
		c.readable.Broadcast()
	}
	return false
}

func (c *Conn) takeFlags(flags byte) {
	if flags&(flagFinish|flagClose) != 0 {
		c.ended = true
	}
	if flags&flagClose != 0 && !c.unheard {
		c.unheard = true
		c.writable.Broadcast()
	}
	if flags&flagPing != 0 {
		c.signal(flagPong)
	}
}

// begin takes the first message that a client gets, and reports whether the session begins.
func (c *Conn) begin(f frame, reply, from string) bool {
	switch {
	case f.flags&flagBusy != 0:
		c.cutLocked(fmt.Errorf("%w: the server has too many connections that wait to be accepted", socket.ErrBusy), 0)
		return false
	case f.flags&flagEnded != 0:
		c.cutLocked(errEnded, 0)
		return false
	case f.flags&flagReset != 0:
		c.cutLocked(fmt.Errorf("%w: the server has closed the session at once: %s", socket.ErrNotListening, f.data), 0)
		return false
	case f.flags&flagAccept == 0 || !c.link.isInbox(reply):
		return false
	}
	c.to = c.link.from(reply)
	c.reply = c.link.reply(c.session, from)
	c.accept()
	return true
}

// errEnded is the error of a session whose listener had ended.
var errEnded = fmt.Errorf("%w: the listener has ended", socket.ErrNotListening)

// lost ends the session after a message that nobody received.
func (c *Conn) lost() {
	c.mu.Lock()
	err := fmt.Errorf("%w: the process of the other side has ended, or its connection to NATS", errReset)
	if c.to == "" {
		err = fmt.Errorf("%w: nobody at the broker has the name", socket.ErrNotListening)
	}
	c.mu.Unlock()
	c.cut(err, 0)
}

// disconnected ends the session.
func (c *Conn) disconnected(err error) { c.cut(fmt.Errorf("%w: %w", errReset, err), flagReset) }

// tick ends a period. A session in which nothing arrived is asked for a sign of life, and ended
// after several periods.
func (c *Conn) tick() {
	c.mu.Lock()
	if c.closed || c.err != nil {
		c.mu.Unlock()
		return
	}
	c.silent++
	silent := c.silent
	if silent > 1 && silent <= silentPeriods {
		c.signal(flagPing)
	}
	c.mu.Unlock()
	if silent > silentPeriods {
		c.cut(fmt.Errorf("%w: nothing arrived from the other side for %v", errReset, silentPeriods*c.link.config.KeepAlive), flagReset)
	}
}

// noResponders reports whether a message is the broker's sign that nobody received one.
func noResponders(m *nats.Msg) bool {
	return len(m.Data) == 0 && m.Header.Get("Status") == "503"
}
