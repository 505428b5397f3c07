package socket

import (
	"context"
	"net"
	"sync"
	"time"
)

// openCount counts the open connections of a listener, and closes the listener when none is open
// and none is to come: at once if all were ends of socketpairs, to which nobody can connect again,
// otherwise after the idle time.
//
// A connection that is being accepted when the listener is closed is served like any other.
type openCount struct {
	listener net.Listener
	idle     time.Duration // 0: no limit

	mu     sync.Mutex
	open   int
	others bool        // some connection was no end of a pair
	timer  *time.Timer // nil without idle
	closed bool
}

func newOpenCount(listener net.Listener, idle time.Duration) *openCount {
	o := &openCount{listener: listener, idle: max(0, idle)}
	if o.idle > 0 {
		o.timer = time.AfterFunc(o.idle, o.expire)
	}
	return o
}

func (o *openCount) add(c *Connection) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.others = o.others || !isPair(c.frames.Net)
	if o.others && o.timer == nil {
		return
	}
	o.open++
	if o.timer != nil {
		o.timer.Stop()
	}
	context.AfterFunc(c.ending, o.remove)
}

func (o *openCount) remove() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.open--; o.open > 0 || o.closed {
		return
	}
	if !o.others {
		o.close()
	} else if o.timer != nil {
		o.timer.Reset(o.idle)
	}
}

// expire is called when the idle time is over. A connection may have come in the same moment.
func (o *openCount) expire() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.open == 0 && !o.closed {
		o.close()
	}
}

// close closes the listener, mu held.
func (o *openCount) close() {
	o.closed = true
	o.listener.Close()
}

// stop ends the counting, at the end of the run.
func (o *openCount) stop() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	if o.timer != nil {
		o.timer.Stop()
	}
}

// isOver reports whether the listener was closed because no connection is to come.
func (o *openCount) isOver() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.closed
}

// isPair reports whether a connection is an end of a socketpair, which has no name. A connection
// from a listener of unix sockets has the name of the listener. On Linux package net returns "@"
// for no name.
func isPair(conn net.Conn) bool {
	addr, ok := conn.LocalAddr().(*net.UnixAddr)
	return ok && (addr.Name == "" || addr.Name == "@")
}
