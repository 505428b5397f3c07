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

// session is one connection of a peer. One goroutine reads it and reacts to its frames.
// Other goroutines may write.
type session struct {
	peer *Peer
	conn net.Conn
	ctx  context.Context // done when the session or the test has ended
	end  context.CancelFunc
	in   unframe

	heard        bool // used by the reader only: a frame was received
	greeted      bool // used by the reader only: the client has answered the handshake
	acknowledges bool // used by the reader only: the server speaks the 5.x dialect

	writing chan struct{} // holds a token while a goroutine writes; unlike a mutex it does not stop a bubble's clock

	mu      sync.Mutex
	agreed  bool          // close-ok was sent or received
	dead    bool          // die was called
	reading chan struct{} // closed when reading resumes; nil while the session reads
}

func newSession(p *Peer, conn net.Conn) *session {
	s := &session{peer: p, conn: conn, writing: make(chan struct{}, 1)}
	s.ctx, s.end = context.WithCancel(p.bench.Context())
	return s
}

// run reads the session until it ends, and returns how it ended.
func (s *session) run() error {
	defer s.end()
	defer s.conn.Close()
	_ = s.perform(s.peer.reacts(Event{}, s.usual(Event{}))...) // the read fails, too
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

// read reads frames and reacts to them until the session ends.
func (s *session) read() error {
	for {
		e, err := s.next()
		if err != nil {
			return err
		}
		first := !s.heard
		if s.heard = true; first && e == heartbeat && !s.peer.serves {
			continue // the mark of an rxipc server
		}
		if e.is(startOK) {
			e = startOK // without the parameters of an rxipc client
		}
		usual := s.usual(e)
		s.peer.seen.Next(e)
		_ = s.perform(s.peer.reacts(e, usual)...) // the next read fails, too
		if s.over(e == closeOK) {
			return nil
		}
	}
}

// next returns the event of the next frame.
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
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) { // mayRead waits after stopReading
			return Event{}, err
		}
	}
}

// mayRead blocks while reading is stopped.
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

// over reports whether both sides have agreed to close. If now is true they have agreed
// just now.
func (s *session) over(now bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.agreed = s.agreed || now
	return s.agreed
}

// usual returns the events with which the protocol answers an event.
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

// perform performs events. It joins consecutive events that send at once in one write.
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

// misbehave performs an event that is not sent at once.
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
	return s.conn.SetReadDeadline(time.Unix(1, 0)) // ends the blocked read
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
