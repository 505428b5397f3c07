package socket

import (
	"context"
	"sync"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// lot is where the sessions of a run park, those of which the client says nothing: they
// have no goroutine, and get one when there is something to read or to look at. One
// goroutine for all of them waits for that.
//
// A session that gets messages is awake. A timer, which runs while there are such
// sessions, looks at what has come since it did the last time; who got nothing is told to
// rest, which is to park as soon as it stands between two frames and there is nothing to
// read. It rests until a message comes: after a heartbeat it parks again at once.
type lot struct {
	run  func(watch func()) // runs watch as a producer of the run
	poll func() (poller, error)

	mu       sync.Mutex
	sessions int              // that have not ended
	poller   poller           // nil until one of them parks
	parked   map[uint64]*stay // by the number of the connection
	awake    []*stay          // each knows its spot
	timer    *time.Timer      // sweeps while some are awake
	every    time.Duration    // how often
}

// poller waits until there is something to read from one of many connections.
type poller interface {
	// add has wait return the number of a connection, once, when there is something to
	// read or the client has left; again is whether it was added before.
	add(c *Connection, again bool) error

	// wait waits for the next numbers, which are good until its next call. It fails
	// once the poller is closed.
	wait() ([]uint64, error)

	close()
}

// mergeStays runs a session for each connection, all at the same time, and emits what
// they emit: it is operators.MergeMap for sessions that park. session is called on the
// goroutine of the connections, and what it returns runs each time its session goes on. The
// sessions end as by Close when open ends.
func mergeStays[T any](open context.Context, session func(*stay) stream.Observable[T]) stream.Operator[*Connection, T] {
	return func(connections stream.Observable[*Connection]) stream.Observable[T] {
		return stream.Gather(stream.DefaultBuffer, func(g *stream.Group[T]) {
			ends := &watch{open: open}
			l := &lot{poll: newPoller, run: func(watch func()) {
				g.Go(func(context.Context, func(T) bool) error {
					watch()
					return nil
				})
			}}
			g.Go(func(ctx context.Context, _ func(T) bool) error {
				return connections(ctx, func(c *Connection) bool {
					s := newStay(c, ends)
					run := session(s)
					l.begin(s, func() { g.Go(run) })
					return true
				})
			})
		})
	}
}

// begin begins a session.
func (l *lot) begin(s *stay, goOn func()) {
	s.lot, s.goOn = l, goOn
	l.mu.Lock()
	l.sessions++
	l.mu.Unlock()
	goOn()
}

// enter makes a session that can park one that does.
func (l *lot) enter(s *stay) {
	if canPark(s.source) {
		s.stay.Store(s)
		l.rouse(s)
	}
}

// leave ends a session. The lot has nothing while there is none.
func (l *lot) leave(s *stay) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.stay.CompareAndSwap(s, nil) // it is another one's if this one found it claimed
	l.drop(s)
	if l.sessions--; l.sessions > 0 {
		return
	}
	if l.timer != nil {
		l.timer.Stop()
	}
	if l.poller != nil {
		l.poller.close()
	}
	l.poller, l.parked, l.awake = nil, nil, nil
}

// unseen is no turn.
const unseen = ^uint64(0)

// rouse counts a session among those awake.
func (l *lot) rouse(s *stay) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.resting.Store(false)
	s.seen = unseen
	l.awake = append(l.awake, s)
	s.spot = int32(len(l.awake))
	if len(l.awake) > 1 {
		return
	}
	l.every = s.config.restAfter
	if l.timer == nil {
		l.timer = time.AfterFunc(l.every, l.sweep)
	} else {
		l.timer.Reset(l.every)
	}
}

// drop takes a session out of those awake, mu held.
func (l *lot) drop(s *stay) {
	if s.spot == 0 {
		return
	}
	last := len(l.awake) - 1
	moved := l.awake[last]
	l.awake[s.spot-1], moved.spot = moved, s.spot
	l.awake[last] = nil
	l.awake, s.spot = l.awake[:last], 0
}

// sweep tells the sessions to rest that got no message since the last time.
func (l *lot) sweep() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := len(l.awake) - 1; i >= 0; i-- {
		s := l.awake[i]
		turn := s.turn.state.Load()
		if turn != s.seen {
			s.seen = turn
			continue
		}
		l.drop(s)
		s.resting.Store(true)
		s.called.Store(true)
		s.conn.SetReadDeadline(longAgo)
	}
	switch {
	case len(l.awake) > 0:
		l.timer.Reset(l.every)
	default:
		l.awake = nil
	}
}

// park lets a session that rests go, until it is resumed. It declines when somebody wants
// something of it; and when the system cannot watch its connection: it rests no more then,
// and waits on its goroutine.
func (l *lot) park(s *stay) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.called.Load() || s.ending.Err() != nil {
		return false
	}
	if l.watch(s) != nil {
		s.resting.Store(false)
		return false
	}
	l.parked[s.id] = s
	return true
}

// watch has the connection of a session watched, mu held.
func (l *lot) watch(s *stay) error {
	if l.poller == nil {
		p, err := l.poll()
		if err != nil {
			return err
		}
		l.poller, l.parked = p, map[uint64]*stay{}
		l.run(func() { l.attend(p) })
	}
	err := l.poller.add(s.Connection, s.watched)
	s.watched = s.watched || err == nil
	return err
}

// attend resumes sessions until the poller is closed, or fails: those that have parked by
// then wait on goroutines from now on.
func (l *lot) attend(p poller) {
	for {
		ready, err := p.wait()
		if err != nil {
			break
		}
		for _, id := range ready {
			l.resume(id)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.poller != p {
		return
	}
	for _, s := range l.parked {
		s.resting.Store(false)
		s.goOn()
	}
	p.close()
	l.poller, l.parked = nil, nil
}

// resume starts the session of a connection, if it has parked. The number of one that has
// ended is nobody's.
func (l *lot) resume(id uint64) {
	l.mu.Lock()
	defer l.mu.Unlock() // after it goes on: attend must not end before
	if s := l.parked[id]; s != nil {
		delete(l.parked, id)
		s.goOn()
	}
}
