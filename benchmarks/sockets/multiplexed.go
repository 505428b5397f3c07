package sockets

import (
	"context"
	"fmt"
)

// multiplexed is bare with an identifier before each frame, so that many requests may be in flight.
// Both sides write when they have nothing left to read. The client has one goroutine, so no caller
// has to be woken.
var multiplexed = peer{
	id:    "multiplexed",
	name:  "bare multiplexed",
	serve: serveEach(serveMultiplexed),
	dial: func(ctx context.Context, place place, message []byte) (conn, error) {
		wire, err := dialWire(ctx, place)
		if err != nil {
			return nil, err
		}
		return &multiplexedConn{wire: wire, message: message}, nil
	},
}

func serveMultiplexed(w *wire, job job) error {
	for {
		id, err := w.readNumber()
		if err != nil {
			return err
		}
		message, err := w.read()
		if err != nil {
			return err
		}
		w.addNumber(id)
		if err := w.add(job.handle(message)); err != nil {
			return err
		}
		if err := w.flushBeforeWaiting(); err != nil {
			return err
		}
	}
}

// flushBeforeWaiting writes the collected frames, unless more bytes are buffered for reading.
func (w *wire) flushBeforeWaiting() error {
	if w.reader.Buffered() > 0 {
		return nil
	}
	return w.flush()
}

type multiplexedConn struct {
	*wire
	message []byte
	open    map[uint32]bool // the requests in flight
	next    uint32
}

func (c *multiplexedConn) ask() (answer []byte, err error) {
	err = c.askAhead(1, 1, func(got []byte) error {
		answer = got
		return nil
	})
	return answer, err
}

func (c *multiplexedConn) askAhead(n, window int, got func([]byte) error) error {
	if c.open == nil {
		c.open = make(map[uint32]bool, window)
	}
	for sent, came := 0, 0; came < n; came++ {
		for ; sent < n && sent-came < window; sent++ {
			if err := c.send(); err != nil {
				return err
			}
		}
		if err := c.flushBeforeWaiting(); err != nil {
			return err
		}
		if err := c.receive(got); err != nil {
			return err
		}
	}
	return nil
}

func (c *multiplexedConn) send() error {
	c.next++
	c.open[c.next] = true
	c.addNumber(c.next)
	return c.add(c.message)
}

func (c *multiplexedConn) receive(got func([]byte) error) error {
	id, err := c.readNumber()
	if err != nil {
		return err
	}
	if !c.open[id] {
		return fmt.Errorf("read a response: got the identifier %d, which is not in flight", id)
	}
	delete(c.open, id)
	answer, err := c.read()
	if err != nil {
		return err
	}
	return got(answer)
}

func (c *multiplexedConn) push(n int) error { return c.askAhead(n, pushWindow, ignore) }

func (c *multiplexedConn) close() error { return c.Close() }
