package sockettest

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/rxipc/rxipc/socket"
)

// session is one connection of a peer. One goroutine reads it and reacts; others may
// write.
type session struct {
	peer *Peer
	conn net.Conn
	ctx  context.Context // done when it has ended, or the test is through
	end  context.CancelFunc
	in   unframe

	heard        bool // the reader's: a frame came
	greeted      bool // the reader's: a client has answered the handshake
	acknowledges bool // the reader's: the server speaks the 5.x dialect

	writing chan struct{} // one token: a bubble does not wait for it

	mu      sync.Mutex
	agreed  bool          // close-ok was sent or received
	dead    bool          // cut off from here
	reading chan struct{} // closed when reading goes on; nil while it does
}

func newSession(p *Peer, conn net.Conn) *session {
	s := &session{peer: p, conn: conn, writing: make(chan struct{}, 1)}
	s.ctx, s.end = context.WithCancel(p.bench.Context())
	return s
}

// run plays the session to its end, and tells how it ended.
func (s *session) run() error {
	defer s.end()
	defer s.conn.Close()
	_ = s.perform(s.peer.reacts(Event{}, s.usual(Event{}))...) // a failure meets the read, too
	err := s.read()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.agreed:
		return nil
	case s.dead:
		return errDied
	case errors.Is(err, socket.ErrProtocol), errors.Is(err, socket.ErrTooLarge):
		return err
	}
	return errGone
}

// read takes in frames and reacts to them, until nothing more comes.
func (s *session) read() error {
	for {
		e, err := s.next()
		if err != nil {
			return err
		}
		first := !s.heard
		if s.heard = true; first && e == heartbeat && !s.peer.serves {
			continue // the mark of a server of rxipc
		}
		if e.is(startOK) {
			e = startOK // that of a client of rxipc
		}
		usual := s.usual(e)
		s.peer.seen.Next(e)
		_ = s.perform(s.peer.reacts(e, usual)...) // a failure meets the next read, too
		if s.over(e == closeOK) {
			return nil
		}
	}
}

// next waits for a frame.
func (s *session) next() (Event, error) {
	for {
		if err := s.mayRead(); err != nil {
			return Event{}, err
		}
		m, ok, err := s.in.next()
		if ok || err != nil {
			return Message(m), err
		}
		err = s.in.fill(s.conn)
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) { // that ends in mayRead
			return Event{}, err
		}
	}
}

// mayRead waits while reading is stopped.
func (s *session) mayRead() error {
	s.mu.Lock()
	reading := s.reading
	s.mu.Unlock()
	if reading != nil {
		select {
		case <-reading:
		case <-s.ctx.Done():
		}
	}
	return s.ctx.Err()
}

// over reports whether both sides have agreed to close, as they have now if told so.
func (s *session) over(now bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.agreed = s.agreed || now
	return s.agreed
}

// usual is how the protocol reacts to an event.
func (s *session) usual(e Event) []Event {
	_, isMessage := e.Message()
	switch {
	case e == Event{} && s.peer.serves:
		return []Event{start}
	case e == start && !s.peer.serves:
		return []Event{startOK}
	case e.is(closing):
		return []Event{closeOK}
	case e == startOK:
		s.greeted = true
	case e == ack:
		s.acknowledges = true
	case isMessage && s.peer.serves && s.greeted && s.peer.bench.Config.Dialect == socket.Dialect4:
		return []Event{received}
	case isMessage && s.peer.serves && s.greeted, isMessage && !s.peer.serves && s.acknowledges:
		return []Event{ack}
	}
	return nil
}

// perform does events, those that send their bytes at once in one write.
func (s *session) perform(events ...Event) error {
	select {
	case s.writing <- struct{}{}:
	case <-s.ctx.Done():
		return net.ErrClosed
	}
	defer func() { <-s.writing }()
	out := ""
	for _, e := range events {
		if e.sendsAtOnce() {
			out += e.wire()
			continue
		}
		if err := s.write(out); err != nil {
			return err
		}
		out = ""
		if err := s.misbehave(e); err != nil {
			return err
		}
	}
	err := s.write(out)
	if slices.Contains(events, closeOK) {
		s.over(true)
		s.conn.Close()
	}
	return err
}

func (s *session) write(bytes string) error {
	if bytes == "" {
		return nil
	}
	_, err := io.WriteString(s.conn, bytes)
	return err
}

// misbehave does what is no sending at once.
func (s *session) misbehave(e Event) error {
	switch e.act {
	case dies:
		err := s.write(e.bytes)
		s.die()
		return err
	case sendsBytes:
		return s.trickle(e)
	case stopsReading:
		return s.stopReading()
	case readsOn:
		return s.readOn()
	}
	return nil
}

func (s *session) trickle(e Event) error {
	for i := range len(e.bytes) {
		if err := s.sleep(e.pause); err != nil {
			return err
		}
		if err := s.write(e.bytes[i : i+1]); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) stopReading() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reading == nil {
		s.reading = make(chan struct{})
	}
	return s.conn.SetReadDeadline(time.Unix(1, 0)) // ends the read that blocks now
}

func (s *session) readOn() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reading != nil {
		close(s.reading)
		s.reading = nil
	}
	return s.conn.SetReadDeadline(time.Time{})
}

func (s *session) sleep(d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-s.ctx.Done():
		return net.ErrClosed
	}
}

// die ends the connection without a word.
func (s *session) die() {
	s.mu.Lock()
	s.dead = true
	s.mu.Unlock()
	s.conn.Close()
	s.end()
}
