package socket

import (
	"context"
	"errors"
	"math"
	"net"
	"strings"
	"sync/atomic"
	"time"
)

// line keeps up one connection of a pool, and replaces it when it breaks. The pool's mu guards it.
type line struct {
	pool    *Pool
	conn    *poolConn // nil: it is not connected
	coming  bool      // it connects for the first time
	leaving bool      // it gets no more calls, and stays until its connection is closed
}

// poolConn is a connection of a line. Calls that have a place on it write and read themselves. While it
// has none for longer than settleTime its line reads, so that the end of the connection is noticed
// before a call is lost with it. The line reads, too, while a response is to come that no call
// awaits any more.
type poolConn struct {
	pool    *Pool
	process *Process
	bell    chan struct{} // a token: the line is to look at it
	used    atomic.Bool   // a call has come, so the line reads no more
	stale   atomic.Bool   // it had no call for PoolConfig.Idle

	// Under the pool's mu.
	up      bool
	late    bool // a write after the death of the server may succeed, as over TCP: the line reads at once
	room    int  // how many calls it may have
	calls   int  // that have a place
	orphans int  // requests without a response whose calls gave up; their places are taken
	served  bool // a call had its response
	watched bool // the line reads, or is about to
	settled bool // it has had no call since Pool.settle ran last
}

// load is how many places are taken, the pool's mu held.
func (k *poolConn) load() int { return k.calls + k.orphans }

// enter gives a place to a call, the pool's mu held.
func (k *poolConn) enter() {
	k.calls++
	k.settled = false
	if k.watched {
		k.used.Store(true)
	}
}

// leave gives the place of a call back. failure is of its request. If that is to be made again, the
// call waits for another place, in its turn. Otherwise c is nil and the call is over, with err.
func (k *poolConn) leave(turn uint64, failure error) (c *call, err error) {
	p := k.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	k.calls--
	again := false
	if failure == nil {
		k.served = true
	} else if reason := k.process.gone(); reason != nil {
		var failed *SendError
		again = errors.As(failure, &failed) && failed.failing() == 0
		k.broken(reason)
	} else {
		k.orphans = k.process.orphans()
	}
	if k.up {
		p.last = k
	}
	k.rest()
	switch {
	case again && p.ctx.Err() != nil:
		failure = &SendError{Err: net.ErrClosed}
	case again:
		p.stats.Retried++
		return p.enqueue(turn), nil
	}
	p.finish(failure)
	p.dispatch()
	return nil, failure
}

// broken notes that the connection has ended, the pool's mu held.
func (k *poolConn) broken(reason error) {
	if k.up && k.pool.ctx.Err() == nil {
		k.pool.stats.Lost++
	}
	k.up, k.pool.down = false, reason
}

// rest has the line look at a connection that no call uses, at once if it is down or a response is
// to come, else when it has had no call for a while, the pool's mu held.
func (k *poolConn) rest() {
	switch {
	case k.calls > 0:
	case !k.up:
		ring(k.bell)
	case k.watched:
	case k.orphans > 0, k.late:
		k.watch()
	default:
		k.pool.rest()
	}
}

// watch has the line read, the pool's mu held.
func (k *poolConn) watch() {
	k.watched = true
	k.used.Store(false)
	ring(k.bell)
}

// rest starts the timer of settle, unless it runs, mu held.
func (p *Pool) rest() {
	if !p.resting {
		p.resting = true
		p.settling.Reset(settleTime)
	}
}

// settle has the lines read whose connections had no call for settleTime.
func (p *Pool) settle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.resting = false
	for _, l := range p.lines {
		switch k := l.conn; {
		case k == nil, !k.up, k.watched, k.calls > 0:
		case k.settled:
			k.watch()
		default:
			k.settled = true
			p.rest()
		}
	}
}

// session connects, and keeps the connection until it was idle for PoolConfig.Idle, or broke while
// no call waits. Then it completes. It emits a value if there was a response.
func (l *line) session(ctx context.Context, yield func(struct{}) bool) error {
	process, err := l.pool.ipc.reach(ctx, l.pool.name, l.pool.keep, func(err error) error { return l.lost(nil, err) })
	if process == nil {
		return err
	}
	defer process.Close(context.WithoutCancel(ctx))
	k := l.connected(process)
	err = l.keep(ctx, k)
	if ctx.Err() != nil {
		process.dismiss(net.ErrClosed)
	}
	if err == nil {
		return nil
	}
	if k.served {
		yield(struct{}{})
	}
	return l.lost(k, err)
}

// connected lets the pool give places on the connection to calls.
func (l *line) connected(process *Process) *poolConn {
	k := &poolConn{pool: l.pool, process: process, bell: make(chan struct{}, 1), up: true, room: 1}
	process.forPool(k.bell)
	k.late = strings.HasPrefix(process.Conn().LocalAddr().Network(), "tcp")
	if process.ours {
		k.room = l.pool.config.InFlight
	}
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	l.conn, l.coming = k, false
	l.pool.down = nil
	l.pool.stats.Connected++
	l.pool.dispatch()
	k.rest()
	return k
}

// keep returns why the connection has ended, once no call uses it any more, or nil if it was idle
// for too long.
func (l *line) keep(ctx context.Context, k *poolConn) error {
	idle := time.AfterFunc(math.MaxInt64, func() {
		k.stale.Store(true)
		k.process.wake()
	})
	defer idle.Stop()
	for {
		select {
		case <-k.bell:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		reads, err := k.look()
		if err != nil {
			return err
		}
		if !reads {
			continue
		}
		k.stale.Store(false)
		idle.Reset(l.pool.config.Idle)
		err = k.process.await(ctx, unlimited, func() bool { return k.used.Load() || k.stale.Load() || len(k.bell) > 0 })
		idle.Stop()
		if err != nil && ctx.Err() != nil {
			return err
		}
		if l.retire(k) {
			return nil
		}
	}
}

// look finds out why the line was rung: to read, or because a place is free, or because the
// connection has ended, whose reason it returns once no call uses it.
func (k *poolConn) look() (reads bool, err error) {
	k.pool.mu.Lock()
	defer k.pool.mu.Unlock()
	if reason := k.process.gone(); reason != nil {
		if k.broken(reason); k.calls == 0 {
			err = reason
		}
		return false, err
	}
	if k.orphans > 0 {
		k.orphans = k.process.orphans()
		k.pool.dispatch()
	}
	return k.watched, nil
}

// retire ends the reading of the line. If the connection was idle for too long, it gets no
// more calls, which retire reports.
func (l *line) retire(k *poolConn) bool {
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	k.watched = false
	if reason := k.process.gone(); reason != nil {
		k.broken(reason)
	} else if k.stale.Load() && k.load() == 0 {
		k.up, l.leaving, l.pool.last = false, true, nil
		return true
	}
	k.rest()
	return false
}

// lost handles the end of a connection, or the failure to connect, whose k is nil. It returns the
// reason, with which the line connects again, or nil if no call waits.
func (l *line) lost(k *poolConn, err error) error {
	p := l.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down = err; k != nil {
		k.broken(err)
	}
	l.conn, l.coming, p.last = nil, false, nil
	p.dispatch()
	if p.waiting.Len() == 0 {
		l.leaving = true
		return nil
	}
	return err
}
