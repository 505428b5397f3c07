package sockets

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// called is bare multiplexed for many callers: each writes its own request, and a goroutine reads
// the responses and wakes the callers.
var called = func() peer {
	p := multiplexed
	p.name = "bare, a write for each caller"
	p.dial = func(ctx context.Context, place place, message []byte) (conn, error) {
		wire, err := dialWire(ctx, place)
		if err != nil {
			return nil, err
		}
		c := &calledConn{wire: wire, message: message, waiting: make(map[uint32]chan []byte), ended: make(chan struct{})}
		go c.read()
		return c, nil
	}
	return p
}()

type calledConn struct {
	*wire
	message []byte
	ended   chan struct{} // once nothing is read any more

	mu      sync.Mutex
	waiting map[uint32]chan []byte
	next    uint32
}

// read gives each response to its caller.
func (c *calledConn) read() {
	defer close(c.ended)
	for {
		id, err := c.readNumber()
		if err != nil {
			return
		}
		answer, err := c.wire.read()
		if err != nil {
			return
		}
		c.mu.Lock()
		caller := c.waiting[id]
		delete(c.waiting, id)
		c.mu.Unlock()
		caller <- append([]byte(nil), answer...)
	}
}

func (c *calledConn) ask() ([]byte, error) {
	answer := make(chan []byte, 1)
	if err := c.send(answer); err != nil {
		return nil, err
	}
	select {
	case got := <-answer:
		return got, nil
	case <-c.ended:
		return nil, fmt.Errorf("read a response: the connection has ended")
	}
}

func (c *calledConn) send(answer chan []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next++
	c.waiting[c.next] = answer
	c.addNumber(c.next)
	return errors.Join(c.add(c.message), c.flush())
}

func (c *calledConn) askAhead(n, window int, got func([]byte) error) error {
	return callers(n, window, c.ask, got)
}

func (c *calledConn) push(int) error { return errors.ErrUnsupported }

func (c *calledConn) close() error {
	err := c.Close()
	<-c.ended
	return err
}
