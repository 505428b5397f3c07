package socket

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync/atomic"
	"time"
)

// line keeps up one connection of a pool, and replaces it when it breaks. It is the
// messageSource of the sendWindow over that connection.
type line struct {
	pool     *Pool
	inFlight fifo[*call] // taken, on the line's goroutine
	idle     *time.Timer // ends the connection when it has had no call for PoolConfig.Idle
	stale    atomic.Bool // idle has fired

	// Under the pool's mu.
	process *Process // the connection
	taken   uint64   // number of calls that process was given
	up      bool
	coming  bool    // it connects for the first time
	leaving bool    // it gets no more calls, and stays until its connection is closed
	room    int     // how many calls it may have
	queue   []*call // not taken
	load    int     // calls in queue and inFlight
	wakeup
}

// session makes calls over one connection, and emits a value for each answer. It completes
// when the connection was idle for PoolConfig.Idle, or broke while no call waits.
func (l *line) session(ctx context.Context, yield func(struct{}) bool) error {
	process, err := l.pool.ipc.reach(ctx, l.pool.name, l.pool.keep, func(err error) error { return l.lost(nil, err) })
	if process == nil {
		return err
	}
	defer process.Close(context.WithoutCancel(ctx))
	process.dropUnasked()
	l.idle = time.AfterFunc(math.MaxInt64, func() { l.stale.Store(true); process.wake() })
	defer l.idle.Stop()
	l.connected(process)
	w := newSendWindow(process, true)
	w.limit = l.pool.config.InFlight
	err = w.run(ctx, l.take, l, func(m Message, err error) bool {
		l.answer(answer{m, err})
		return yield(struct{}{})
	})
	if err != nil {
		return l.lost(w, err)
	}
	return nil
}

// answer answers the first call in flight. It frees the place of the call first.
func (l *line) answer(a answer) {
	l.pool.mu.Lock()
	l.load--
	l.pool.mu.Unlock()
	l.inFlight.all()[0].answer <- a
	l.inFlight.drop(1)
}

// connected lets the pool give calls to the line.
func (l *line) connected(process *Process) {
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	l.process, l.taken = process, 0
	l.up, l.coming, l.room = true, false, 1
	if process.ours {
		l.room = l.pool.config.InFlight
	}
	l.pool.down = nil
	l.pool.stats.Connected++
	l.pool.dispatch()
}

// lost handles the end of a connection. It fails the calls that the server may have handled,
// and puts the others before the calls that wait. It returns the reason, with which the line
// connects again, or nil if no call waits.
func (l *line) lost(w *sendWindow, err error) error {
	p := l.pool
	var failed *SendError
	if errors.As(err, &failed) {
		err = failed.Err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = err
	if l.up && p.ctx.Err() == nil {
		p.stats.Lost++
	}
	l.up, l.coming = false, false
	calls := append(slices.Clone(l.inFlight.all()), l.queue...)
	if w != nil {
		failed = &SendError{Acknowledged: failed.Acknowledged - w.delivered, Sent: w.inFlight, Err: err}
		failing := failed.failing()
		for i, c := range calls[:failing] {
			c.answer <- c.undone(min(1, max(0, failed.Acknowledged-i)), err)
		}
		calls = calls[failing:]
	}
	for _, c := range slices.Backward(calls) {
		if !c.gone {
			c.place, c.by = p.waiting.PushFront(c), nil
			p.stats.Retried++
		}
	}
	l.inFlight, l.queue, l.load = fifo[*call]{}, nil, 0
	p.dispatch()
	if p.waiting.Len() == 0 {
		l.leaving = true
		return nil
	}
	return err
}

func (l *line) take(room int, queue *fifo[Message]) (ended bool) {
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	l.set(nil)
	room = min(room, len(l.queue))
	for _, c := range l.queue[:room] {
		l.taken++
		c.by, c.number = l.process, l.taken
		l.inFlight.push(c)
		queue.push(c.message)
	}
	l.queue = slices.Delete(l.queue, 0, room)
	return !l.up
}

func (l *line) notify(p *Process) bool {
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	if len(l.queue) > 0 {
		return false
	}
	l.set(p)
	return true
}

// wait waits for a call. It reads meanwhile, so that it notices the end of the connection
// before a call is lost with it.
func (l *line) wait(ctx context.Context, p *Process) error {
	if !l.notify(p) {
		return nil
	}
	l.stale.Store(false)
	l.idle.Reset(l.pool.config.Idle)
	err := p.await(ctx, p.config.MaxUnread, func() bool { return l.woken() || l.stale.Load() })
	l.idle.Stop()
	if err != nil || l.woken() {
		return err
	}
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	l.up, l.leaving = false, true // it still makes a call that it was given just now
	return nil
}

func (l *line) conclude(int) {
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	l.pool.dispatch()
}
