package socket

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// supply is the feed of a flight whose messages come from a source, on a goroutine of its
// own. As many as the window allows are read of the source ahead of the flight, so that
// it finds some when its window opens.
type supply struct {
	limit      int           // read of the source and not concluded
	spare      int           // how many places there are when a source that waits goes on: a wake-up is dear
	limitBytes int           // read of the source and not taken
	room       chan struct{} // one token for a source that waits
	wake       chan struct{} // one token for a flight that rests

	mu      sync.Mutex
	came    fifo[Message] // not taken
	bytes   int           // in those
	open    int           // came, not concluded
	full    bool          // the source waits
	ended   bool
	resting bool
	parked  *Process // to be roused

	roused atomic.Bool
}

func newSupply(config *Config) *supply {
	return &supply{
		limit:      2 * config.Window,
		spare:      (config.Window + 1) / 2,
		limitBytes: max(1, config.WindowBytes),
		room:       make(chan struct{}, 1),
		wake:       make(chan struct{}, 1),
	}
}

// push adds a message, waiting for room, and reports whether ctx lasted.
func (s *supply) push(ctx context.Context, m Message) bool {
	s.mu.Lock()
	for s.open >= s.limit || s.bytes >= s.limitBytes {
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
	s.bytes += wire.FrameSize(m.wire())
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
	taken := s.came.all()[:room]
	for _, m := range taken {
		s.bytes -= wire.FrameSize(m.wire())
	}
	queue.push(taken...)
	s.came.drop(room)
	s.makeRoom()
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
	s.makeRoom()
}

// makeRoom has the source go on if it waits and there is room, s.mu held.
func (s *supply) makeRoom() {
	if s.full && s.limit-s.open >= s.spare && s.bytes <= s.limitBytes/2 {
		s.full = false
		s.room <- struct{}{}
	}
}
