package rpc

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/rxipc/rxipc/socket"
)

// flow sends the answers of a stream, as many as the client wants.
type flow struct {
	connection *socket.Connection
	limited    bool          // the client says how many it wants
	left       atomic.Int64  // of those; the sender alone makes it less
	more       chan struct{} // one token: there are more
}

// send sends an answer when the client wants one.
func (f *flow) send(ctx context.Context, m socket.Message) error {
	for f.limited && f.left.Load() <= 0 {
		select {
		case <-f.more:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	f.left.Add(-1)
	return f.connection.Send(ctx, m)
}

func (f *flow) allow(n uint64) {
	f.left.Add(int64(min(n, maxCredit)))
	select {
	case f.more <- struct{}{}:
	default:
	}
}

// maxCredit is the most that one message of a client allows.
const maxCredit = 1 << 20

// streams are the flows of the streams of a run. A connection has one at a time, since answers do not
// say to which stream they belong.
type streams struct {
	mu   sync.Mutex
	open map[*socket.Connection]*flow
}

// begin returns a flow for a connection that has none.
func (s *streams) begin(c *socket.Connection, request socket.Message) (*flow, bool) {
	f := &flow{connection: c, more: make(chan struct{}, 1)}
	if window, ok := numberOf(request.MediaType(), windowParameter); ok {
		f.limited = true
		f.allow(window)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[c] != nil {
		return nil, false
	}
	if s.open == nil {
		s.open = map[*socket.Connection]*flow{}
	}
	s.open[c] = f
	return f, true
}

func (s *streams) end(c *socket.Connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
}

// credit lets the stream of a connection send more answers. A stream that has ended needs none.
func (s *streams) credit(c *socket.Connection, m socket.Message) error {
	n, ok := numberOf(m.MediaType(), creditParameter)
	if !ok {
		return ErrBadRequest.Detailf("the credit of a stream is no number: %s", m.MediaType())
	}
	s.mu.Lock()
	f := s.open[c]
	s.mu.Unlock()
	if f != nil {
		f.allow(n)
	}
	return nil
}
