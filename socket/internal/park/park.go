package park

import (
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Session is what a Lot knows of a session. The Lot calls the methods with its lock held.
type Session interface {
	ID() uint64               // differs from that of each other session
	RawConn() syscall.RawConn // the socket that the session reads; nil: it cannot park
	Activity() uint64         // changes with each message
	Nudge()                   // makes a blocked read return, or the next one
}

// Lot has the sessions of one run. Those whose clients say nothing park: they have no
// goroutine, and get one when there is something to read or to look at. One goroutine
// waits for that on behalf of all of them.
//
// A session that gets messages is awake. A timer runs while there are awake sessions. It
// tells each session without a message since the last time to rest, which means to park
// between two frames when there is nothing to read. A session rests until a message comes:
// after a heartbeat it parks again at once.
type Lot struct {
	run  func(watch func())
	poll func() (poller, error)

	mu       sync.Mutex
	sessions int              // that have not ended
	poller   poller           // nil until a session parks
	parked   map[uint64]*Spot // by Session.ID
	awake    []*Spot          // each knows its place
	timer    *time.Timer      // runs Sweep while some are awake
	every    time.Duration    // how often
}

// Spot is the place of a session in a Lot. A nil or zero Spot is that of a session that never
// parks.
type Spot struct {
	lot     *Lot
	session Session
	goOn    func()

	resting atomic.Bool // the session parks instead of waiting; written under lot.mu

	// Under lot.mu; seen is the session's own while it rests.
	place   int32  // in awake, from 1 on; zero outside
	watched bool   // the poller knows the socket
	wanted  bool   // Resume was called while the session had a goroutine
	seen    uint64 // the Activity at the last sweep
}

// unseen is no Activity.
const unseen = ^uint64(0)

// poller waits until there is something to read from one of many sockets.
type poller interface {
	// add makes wait return the id, once, when there is something to read or the client has
	// left. again says that the socket was added before.
	add(id uint64, conn syscall.RawConn, again bool) error

	// wait waits for the next ids, which are valid until its next call. It fails once the
	// poller is closed.
	wait() ([]uint64, error)

	close()
}

// NewLot returns a Lot. run must call watch on another goroutine, one that the run waits for.
func NewLot(run func(watch func())) *Lot { return &Lot{run: run, poll: newPoller} }

// Begin begins a session, with a call of goOn. Each call of goOn must run the session on
// another goroutine, until the session parks or leaves.
func (l *Lot) Begin(s *Spot, session Session, goOn func()) {
	s.lot, s.session, s.goOn = l, session, goOn
	l.mu.Lock()
	l.sessions++
	l.mu.Unlock()
	goOn()
}

// Enter makes the session one that parks, if it can, and reports whether it can. The session
// rests once it had no message for the given time, and for twice that time at the latest.
func (s *Spot) Enter(after time.Duration) bool {
	if !supported || s.lot == nil || s.session.RawConn() == nil {
		return false
	}
	s.lot.mu.Lock()
	defer s.lot.mu.Unlock()
	s.lot.every = after
	s.lot.rouse(s)
	return true
}

// Leave ends the session. A Lot without sessions holds no resources.
func (s *Spot) Leave() {
	l := s.lot
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
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

// rouse puts a session among those awake, mu held.
func (l *Lot) rouse(s *Spot) {
	s.resting.Store(false)
	s.seen = unseen
	l.awake = append(l.awake, s)
	s.place = int32(len(l.awake))
	if len(l.awake) > 1 {
		return
	}
	if l.timer == nil {
		l.timer = time.AfterFunc(l.every, l.Sweep)
	} else {
		l.timer.Reset(l.every)
	}
}

// drop takes a session out of those awake, mu held.
func (l *Lot) drop(s *Spot) {
	if s.place == 0 {
		return
	}
	last := len(l.awake) - 1
	moved := l.awake[last]
	l.awake[s.place-1], moved.place = moved, s.place
	l.awake[last] = nil
	l.awake, s.place = l.awake[:last], 0
}

// Sweep tells the sessions to rest that got no message since the last sweep. The timer of
// the Lot calls it.
func (l *Lot) Sweep() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := len(l.awake) - 1; i >= 0; i-- {
		s := l.awake[i]
		if now := s.session.Activity(); now != s.seen {
			s.seen = now
			continue
		}
		l.drop(s)
		s.resting.Store(true)
		s.session.Nudge()
	}
	if len(l.awake) == 0 {
		l.awake = nil
	} else {
		l.timer.Reset(l.every)
	}
}

// Rests reports whether the session is to park where it would wait.
func (s *Spot) Rests() bool {
	if s == nil || !s.resting.Load() {
		return false
	}
	if s.session.Activity() == s.seen {
		return true
	}
	s.lot.mu.Lock()
	defer s.lot.mu.Unlock()
	s.lot.rouse(s)
	return false
}

// Park lets go of a session that rests, until it is resumed, and reports whether it did.
// Then the session may be running on another goroutine already. Park declines if Resume was
// called since the last call of Park, and the session must look why. It declines too if the
// system cannot watch the socket: the session rests no more then, and waits on its goroutine.
func (s *Spot) Park() bool {
	l := s.lot
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.wanted {
		s.wanted = false
		return false
	}
	if l.watch(s) != nil {
		s.resting.Store(false)
		return false
	}
	l.parked[s.session.ID()] = s
	return true
}

// IsParked reports whether the session has no goroutine.
func (s *Spot) IsParked() bool {
	s.lot.mu.Lock()
	defer s.lot.mu.Unlock()
	return s.lot.parked[s.session.ID()] == s
}

// watch makes the poller watch the socket of a session, mu held.
func (l *Lot) watch(s *Spot) error {
	if l.poller == nil {
		p, err := l.poll()
		if err != nil {
			return err
		}
		l.poller, l.parked = p, map[uint64]*Spot{}
		l.run(func() { l.attend(p) })
	}
	err := l.poller.add(s.session.ID(), s.session.RawConn(), s.watched)
	s.watched = s.watched || err == nil
	return err
}

// attend resumes sessions until the poller is closed, or fails. Sessions that are parked when
// it fails wait on goroutines from then on.
func (l *Lot) attend(p poller) {
	for {
		ready, err := p.wait()
		if err != nil {
			break
		}
		l.mu.Lock()
		for _, id := range ready {
			l.resume(l.parked[id]) // nil for a session that has ended
		}
		l.mu.Unlock()
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

// Resume runs a parked session, so that it looks around. A session that is about to park is
// kept from it. Resume does not make a blocked read return.
func (s *Spot) Resume() {
	if s == nil {
		return
	}
	s.lot.mu.Lock()
	defer s.lot.mu.Unlock()
	s.wanted = !s.lot.resume(s)
}

// resume runs a session if it is parked, and reports whether it is, mu held: attend must not
// end before the session goes on.
func (l *Lot) resume(s *Spot) bool {
	if s == nil || l.parked[s.session.ID()] != s {
		return false
	}
	delete(l.parked, s.session.ID())
	s.goOn()
	return true
}
