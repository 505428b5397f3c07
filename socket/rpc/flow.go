package rpc

import (
	"context"
	"sync"

	"github.com/rxipc/rxipc/socket"
)

// flow sends the answers of a stream, as many as the client wants. A goroutine writes them, so that
// those that come during a write leave together in the next one.
type flow struct {
	connection *socket.Connection
	limited    bool          // the client says how many it wants
	changed    chan struct{} // one token, for the goroutine that waits in send
	senders    sync.WaitGroup

	mu      sync.Mutex
	left    int // how many the client wants
	waiting []socket.Message
	bytes   int   // of the contents in waiting
	sending bool  // a goroutine writes; it looks into waiting again before it ends
	err     error // of writing
}

// maxWaiting is for how many bytes of answers that wait the next one is taken.
const maxWaiting = 64 << 10

// send takes an answer when the client wants one and not too much waits. It fails if a write before
// has failed.
func (f *flow) send(ctx context.Context, m socket.Message) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.err == nil && (f.limited && f.left <= 0 || len(f.waiting) >= Window || f.bytes >= maxWaiting) {
		if err := f.await(ctx); err != nil {
			return err
		}
	}
	if f.err != nil {
		return f.err
	}
	f.left--
	f.waiting = append(f.waiting, m)
	f.bytes += m.Len()
	if !f.sending {
		f.sending = true
		f.senders.Go(func() { f.write(ctx) })
	}
	return nil
}

// await waits for a change, mu held before and after.
func (f *flow) await(ctx context.Context) error {
	f.mu.Unlock()
	defer f.mu.Lock()
	select {
	case <-f.changed:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// write writes what waits until nothing does.
func (f *flow) write(ctx context.Context) {
	var batch []socket.Message
	for f.take(&batch) {
		err := f.connection.Send(ctx, batch...)
		if isUnsendable(err) && len(batch) > 1 { // none was sent
			err = f.writeEach(ctx, batch)
		}
		clear(batch)
		if err != nil {
			f.fail(err)
		}
	}
}

// writeEach writes answers up to the first that cannot be sent.
func (f *flow) writeEach(ctx context.Context, batch []socket.Message) error {
	for _, m := range batch {
		if err := f.connection.Send(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// take moves what waits to a batch. If there is nothing, the goroutine that writes ends.
func (f *flow) take(batch *[]socket.Message) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	*batch, f.waiting, f.bytes = f.waiting, (*batch)[:0], 0
	f.sending = len(*batch) > 0
	f.change()
	return f.sending
}

func (f *flow) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err, f.waiting = err, nil
}

// flush waits until all answers are written, and returns why they are not.
func (f *flow) flush() error {
	f.senders.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

func (f *flow) allow(n uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left += int(min(n, maxCredit))
	f.change()
}

// change wakes the goroutine that waits in send.
func (f *flow) change() {
	select {
	case f.changed <- struct{}{}:
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
	f := &flow{connection: c, changed: make(chan struct{}, 1)}
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
