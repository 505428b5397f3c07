package socket

import (
	"context"
	"syscall"

	"github.com/rxipc/rxipc/socket/internal/answers"
	"github.com/rxipc/rxipc/socket/internal/framed"
	"github.com/rxipc/rxipc/socket/internal/park"
	"github.com/rxipc/rxipc/stream"
)

// session is the time in which a connection is read, from its being claimed to its end. A
// session in a park.Lot has no goroutine while its client says nothing.
type session struct {
	*Connection
	ends    *watch      // of its run; nil: the session is the only one
	release func() bool // takes back the registration of the only session with its context

	start int64         // when the session was opened, on the clock of frames; for the hooks
	first answers.Phase // in which its exchanges begin
	began bool          // the session has claimed the connection
	lend  bool          // contents are lent to the handler
	spot  park.Spot
}

// newSession returns a session whose exchanges are handled on its goroutine.
func newSession(c *Connection, ends *watch) *session {
	return &session{Connection: c, ends: ends, first: answers.Taken}
}

// mergeSessions runs a session for each connection, all at the same time, and emits what
// they emit: it is operators.MergeMap for sessions that park. begin is called on the
// goroutine of the connections. Its result runs each time the session goes on. The sessions
// end as by Close when open ends.
func mergeSessions[T any](open context.Context, begin func(*session) stream.Observable[T]) stream.Operator[*Connection, T] {
	return func(connections stream.Observable[*Connection]) stream.Observable[T] {
		return stream.Gather(stream.DefaultBuffer, func(g *stream.Group[T]) {
			ends := &watch{open: open}
			lot := park.NewLot(func(watch func()) {
				g.Go(func(context.Context, func(T) bool) error {
					watch()
					return nil
				})
			})
			g.Go(func(ctx context.Context, _ func(T) bool) error {
				return connections(ctx, func(c *Connection) bool {
					s := newSession(c, ends)
					run := begin(s)
					lot.Begin(&s.spot, s, func() { g.Go(run) })
					return true
				})
			})
		})
	}
}

// serve runs the session until it ends, or parks, which it reports. Once parked, the session
// is another goroutine's, which calls serve again for the rest of the session.
//
// A client that says nothing and whose session cannot park costs the stack from here down
// to the read that waits. What is not on that way is in functions of its own, so that the
// frames stay small: a stack that a handler made grow shrinks again only if little of it
// is in use.
func (s *session) serve(ctx context.Context, handle handleFunc) (parked bool, err error) {
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
		err = s.talkOn(ctx, s.withHooks(handle))
	}
	if err == framed.ErrIdle {
		return true, nil
	}
	return false, s.outcome(ctx, err)
}

// talkOn is talk that returns framed.ErrIdle only once the session has parked.
func (s *session) talkOn(ctx context.Context, handle handleFunc) error {
	for {
		if err := s.talk(ctx, handle); err != framed.ErrIdle || s.spot.Park() {
			return err
		}
	}
}

// enter begins the session that has claimed its connection.
func (s *session) enter(ctx context.Context) {
	s.began = true
	s.start = s.frames.Now()
	s.opened()
	s.answers.Start(s.first)
	s.frames.In.Lend = s.lend && !s.config.Hooks.keepMessages()
	if s.ends != nil {
		s.ends.add(ctx, s)
	} else {
		s.release = context.AfterFunc(ctx, func() { s.end(context.Cause(ctx)) })
	}
	if s.spot.Enter(s.config.restAfter) {
		s.frames.Parking.Store(&s.spot)
	}
}

// leave ends the session.
func (s *session) leave() {
	defer s.spot.Leave()
	if !s.began {
		return
	}
	defer s.frames.Parking.Store(nil)
	defer s.closed(s.start)
	if s.ends != nil {
		s.ends.remove(s)
	} else {
		s.release()
	}
	s.cleanUp()
}

// ID, RawConn, Activity and Nudge are for the park.Lot.
func (s *session) ID() uint64 { return s.id }

func (s *session) RawConn() syscall.RawConn { return s.frames.RawConn() }

func (s *session) Activity() uint64 { return s.answers.Activity() }

func (s *session) Nudge() { s.frames.Nudge() }
