package socket

import (
	"context"
	"sync"
	"sync/atomic"
)

// supply is the feed of a flight whose messages come from a source, on a goroutine of its
// own. As many as the window allows are read of the source and not concluded.
type supply struct {
	limit int
	room  chan struct{} // one token for a source that waits
	wake  chan struct{} // one token for a flight that rests

	mu      sync.Mutex
	came    fifo[Message] // not taken
	open    int           // came, not concluded
	full    bool          // the source waits
	ended   bool
	resting bool
	parked  *Process // to be roused

	roused atomic.Bool
}

func newSupply(limit int) *supply {
	return &supply{limit: limit, room: make(chan struct{}, 1), wake: make(chan struct{}, 1)}
}

// push adds a message, waiting for room, and reports whether ctx lasted.
func (s *supply) push(ctx context.Context, m Message) bool {
	s.mu.Lock()
	for s.open >= s.limit {
		s.full = true
		s.mu.Unlock()
		select {
		case <-s.room:
		case <-ctx.Done():
			return false
		}
		s.mu.Lock()
	}
	s.open++
	s.came.push(m)
	s.tell()
	s.mu.Unlock()
	return true
}

// end says that nothing more will come.
func (s *supply) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.tell()
}

// tell wakes the flight if it asked for it, s.mu held.
func (s *supply) tell() {
	if s.resting {
		s.resting = false
		s.wake <- struct{}{}
	}
	if s.parked != nil {
		s.roused.Store(true)
		s.parked.rouse()
		s.parked = nil
	}
}

func (s *supply) take(room int, queue *fifo[Message]) (ended bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parked = nil
	s.roused.Store(false)
	room = min(room, s.came.len())
	queue.push(s.came.all()[:room]...)
	s.came.drop(room)
	return s.ended && s.came.len() == 0
}

func (s *supply) park(p *Process) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || s.came.len() > 0 {
		return false
	}
	s.parked = p
	return true
}

func (s *supply) arrived() bool { return s.roused.Load() }

func (s *supply) rest(ctx context.Context, _ *Process) error {
	s.mu.Lock()
	if s.ended || s.came.len() > 0 {
		s.mu.Unlock()
		return nil
	}
	s.resting = true
	s.mu.Unlock()
	select {
	case <-s.wake:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *supply) landed(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open -= n
	if s.full && n > 0 {
		s.full = false
		s.room <- struct{}{}
	}
}
