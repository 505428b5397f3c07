package sockettest

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// DefaultBuffer is how many bytes a connection holds each way unless told
// otherwise.
const DefaultBuffer = 64 << 10

// Conn is one end of a connection in memory. It behaves as a unix socket of Linux does:
//
//   - What is written waits in a buffer of bounded size until the other side reads
//     it; a Write that finds it full blocks. Writes at the same time do not mingle.
//   - After the other side has closed, or closed its way here, a Read gets what it
//     had written and then io.EOF, and a Write fails with EPIPE. If it closed with
//     bytes unread, a Read fails with ECONNRESET in place of the io.EOF.
//   - Close wakes whoever blocks, with net.ErrClosed, which is also what any later
//     call fails with. Closing twice is an error.
//   - A deadline ends calls, those that block already included, with
//     os.ErrDeadlineExceeded. What a Write has written by then stays written.
//
// Other than net.Pipe it holds bytes, as many as a kernel would. What blocks in it
// is durably blocked in a bubble of [testing/synctest], so virtual time goes on. Its
// methods may be called from any goroutine.
type Conn struct {
	in, out       *flow
	local, remote Addr
}

// Pipe returns the two ends of a connection that holds so many bytes each way,
// [DefaultBuffer] if that is zero.
func Pipe(buffer int) (*Conn, *Conn) { return pipe(buffer, "", "") }

func pipe(buffer int, client, server Addr) (*Conn, *Conn) {
	if buffer <= 0 {
		buffer = DefaultBuffer
	}
	there, back := newFlow(buffer), newFlow(buffer)
	return &Conn{back, there, client, server}, &Conn{there, back, server, client}
}

// Addr is the address of who listens: its name. Others have an empty one.
type Addr string

// Network returns "memory".
func (Addr) Network() string { return "memory" }

// String returns the name, or @ for an empty one, as of a unix socket.
func (a Addr) String() string {
	if a == "" {
		return "@"
	}
	return string(a)
}

// Read reads what has come, waiting for the first byte.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.in.read(p)
	return n, c.failure("read", err)
}

// Write writes all of p, waiting for room.
func (c *Conn) Write(p []byte) (int, error) {
	n, err := c.out.write(p)
	return n, c.failure("write", err)
}

// Close ends both ways.
func (c *Conn) Close() error {
	unread, first := c.in.stopReading(true)
	if !first {
		return c.failure("close", net.ErrClosed)
	}
	c.out.stopWriting(true, unread)
	return nil
}

// CloseRead ends the way here: what has come is dropped, a Read finds io.EOF, and
// the other side's writes fail.
func (c *Conn) CloseRead() error {
	if c.in.isClosed() {
		return c.failure("close", net.ErrClosed)
	}
	c.in.stopReading(false)
	return nil
}

// CloseWrite ends the way there: the other side finds io.EOF behind what was written,
// and may go on writing.
func (c *Conn) CloseWrite() error {
	if c.in.isClosed() {
		return c.failure("close", net.ErrClosed)
	}
	c.out.stopWriting(false, false)
	return nil
}

// LocalAddr is the address of this end, an [Addr].
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr is the address of the other end, an [Addr].
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets both deadlines.
func (c *Conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// SetReadDeadline sets when reads fail; the zero time is never.
func (c *Conn) SetReadDeadline(t time.Time) error {
	return c.failure("set", c.in.setDeadline(&c.in.reader, t))
}

// SetWriteDeadline sets when writes fail; the zero time is never.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	return c.failure("set", c.out.setDeadline(&c.out.writer, t))
}

// failure is the structured error of an operation; io.EOF stays as it is.
func (c *Conn) failure(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &net.OpError{Op: op, Net: c.local.Network(), Source: c.local, Addr: c.remote, Err: err}
}

// flow is one way of a connection. Nobody blocks with its mutex in hand, so a bubble
// is never kept waiting for it.
type flow struct {
	mu      sync.Mutex
	changed sync.Cond
	limit   int
	data    []byte // written and not read yet
	reader  side
	writer  side
	writing bool // a Write is at work
	reset   bool // the writer closed with bytes unread
}

// side is one end of a flow.
type side struct {
	closed   bool // its connection is
	stopped  bool // nothing goes through it any more
	deadline time.Time
	alarm    *time.Timer // wakes all at the deadline
}

func newFlow(limit int) *flow {
	f := &flow{limit: limit}
	f.changed.L = &f.mu
	return f
}

// check is why a side may not go on.
func (s *side) check() error {
	switch {
	case s.closed:
		return net.ErrClosed
	case !s.deadline.IsZero() && !time.Now().Before(s.deadline):
		return os.ErrDeadlineExceeded
	}
	return nil
}

func (f *flow) read(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		if err := f.reader.check(); err != nil {
			return 0, err
		}
		switch {
		case len(p) == 0:
			return 0, nil
		case f.reader.stopped:
			return 0, io.EOF
		case len(f.data) > 0:
			n := copy(p, f.data)
			f.data = append(f.data[:0], f.data[n:]...)
			f.changed.Broadcast()
			return n, nil
		case f.reset:
			return 0, errReset
		case f.writer.stopped:
			return 0, io.EOF
		}
		f.changed.Wait()
	}
}

func (f *flow) write(p []byte) (n int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.writing && f.writable() == nil {
		f.changed.Wait()
	}
	if err := f.writable(); err != nil || len(p) == 0 {
		return 0, err
	}
	f.writing = true
	defer func() {
		f.writing = false
		f.changed.Broadcast()
	}()
	for {
		room := min(f.limit-len(f.data), len(p)-n)
		f.data = append(f.data, p[n:n+room]...)
		if n += room; n == len(p) {
			return n, nil
		}
		f.changed.Broadcast()
		f.changed.Wait()
		if err := f.writable(); err != nil {
			return n, err
		}
	}
}

// writable is why nothing can be written.
func (f *flow) writable() error {
	if err := f.writer.check(); err != nil {
		return err
	}
	if f.writer.stopped || f.reader.stopped {
		return errPipe
	}
	return nil
}

// stopReading ends the reader's side, and reports whether bytes were left unread and
// whether its connection was open.
func (f *flow) stopReading(closed bool) (unread, open bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	unread, open = len(f.data) > 0, !f.reader.closed
	f.data = nil
	f.reader.stop(closed)
	f.changed.Broadcast()
	return unread, open
}

// stopWriting ends the writer's side.
func (f *flow) stopWriting(closed, reset bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reset = f.reset || reset
	f.writer.stop(closed)
	f.changed.Broadcast()
}

func (s *side) stop(closed bool) {
	s.stopped, s.closed = true, s.closed || closed
	if s.closed && s.alarm != nil {
		s.alarm.Stop()
	}
}

func (f *flow) isClosed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reader.closed
}

func (f *flow) setDeadline(s *side, t time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
	if s.alarm != nil {
		s.alarm.Stop()
	}
	f.changed.Broadcast()
	s.deadline = time.Time{}
	if t.IsZero() {
		return nil
	}
	now := time.Now()
	left := t.Sub(now)
	s.deadline = now.Add(left) // by the clock that the alarm goes by
	if left > 0 {
		s.alarm = time.AfterFunc(left, f.wake)
	}
	return nil
}

// wake lets all who wait look again.
func (f *flow) wake() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changed.Broadcast()
}
