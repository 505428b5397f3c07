package socket

import (
	"context"
	"sync/atomic"
	"time"
)

// stay is a session: the time in which a connection is read, from its being claimed to its
// end. One that has a lot leaves its goroutine there while the client says nothing, and
// goes on with another one.
type stay struct {
	*Connection
	ends    *watch      // of its run; nil: the session is the only one
	release func() bool // takes back the registration of the only session with its context

	start time.Time // when it was opened, for the hooks
	first uint8     // the phase in which its turns begin
	began bool      // it has claimed the connection

	// The lot's; nil for a session that keeps its goroutine.
	lot     *lot
	goOn    func() // has serve be called, again
	resting atomic.Bool
	watched bool   // the lot's poller knows the connection
	spot    int32  // among those awake, from 1 on; under the lot's mu
	seen    uint64 // the turn at the last sweep; under the lot's mu until it rests
}

// newStay is a session of a connection, whose exchanges are handled where they come.
func newStay(c *Connection, ends *watch) *stay {
	return &stay{Connection: c, ends: ends, first: taken}
}

// serve runs the session until it ends, or parks, which it reports: then it is called
// again for the rest of it, and anything of the session may be another goroutine's by now.
//
// A client that says nothing and whose session cannot park costs the stack from here down
// to the read that waits. What is not on that way is in functions of its own, so that the
// frames stay small: a stack that a handler made grow shrinks again only if little of it
// is in use.
func (s *stay) serve(ctx context.Context, handle handleFunc) (parked bool, err error) {
	defer func() {
		if !parked {
			s.leave()
		}
	}()
	if !s.began {
		if !s.claimed.CompareAndSwap(false, true) {
			return false, s.unclaimed()
		}
		s.enter(ctx)
		err = s.greet(ctx)
	}
	if err == nil {
		err = s.talkOn(ctx, s.told(handle))
	}
	if err == errIdle {
		return true, nil
	}
	return false, s.outcome(ctx, err)
}

// talkOn is talk that returns errIdle only once the session has parked.
func (s *stay) talkOn(ctx context.Context, handle handleFunc) error {
	for {
		if err := s.talk(ctx, handle); err != errIdle || s.lot.park(s) {
			return err
		}
	}
}

// enter begins the session that has claimed its connection.
func (s *stay) enter(ctx context.Context) {
	s.began = true
	s.start = s.opened()
	s.turn.start(s.first)
	if s.ends != nil {
		s.ends.add(ctx, s)
	} else {
		s.release = context.AfterFunc(ctx, func() { s.end(context.Cause(ctx)) })
	}
	if s.lot != nil {
		s.lot.enter(s)
	}
}

// leave ends it.
func (s *stay) leave() {
	if s.lot != nil {
		defer s.lot.leave(s)
	}
	if !s.began {
		return
	}
	defer s.closed(s.start)
	if s.ends != nil {
		s.ends.remove(s)
	} else {
		s.release()
	}
	s.cleanUp()
}

// rests reports whether the session is to park rather than wait, and can.
func (s *stay) rests() bool {
	if s == nil || !s.resting.Load() {
		return false
	}
	if s.turn.state.Load() != s.seen { // a message has come since
		s.lot.rouse(s)
		return false
	}
	return s.greeted && s.in.Idle()
}

// resume has a session that has parked look around; one that has not has a goroutine that
// does, or finds what it is to see when it parks.
func (s *stay) resume() {
	if s != nil {
		s.lot.resume(s.id)
	}
}
