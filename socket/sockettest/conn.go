package sockettest

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// DefaultBuffer is the number of bytes that a connection holds each way by default.
const DefaultBuffer = 64 << 10

// Conn is one end of a connection in memory. It behaves as a unix socket of Linux does:
//
//   - Written bytes wait in a buffer of bounded size until the other side reads them.
//     A Write blocks while the buffer is full. The bytes of concurrent Writes do not mix.
//   - After the other side has called Close or CloseWrite, Read returns the bytes that
//     it had written and then io.EOF. After the other side has called Close or
//     CloseRead, Write fails with EPIPE. If the other side closed with bytes unread,
//     Read fails with ECONNRESET instead of io.EOF.
//   - Close wakes blocked calls. These and all later calls fail with net.ErrClosed, a
//     second Close included.
//   - A deadline ends later calls and those already blocked, with
//     os.ErrDeadlineExceeded. Bytes that a Write has written by then stay written.
//
// Unlike net.Pipe it buffers bytes, as a kernel does. A call blocked in it is durably
// blocked in a bubble of [testing/synctest], so virtual time goes on. Any goroutine
// may call its methods.
type Conn struct {
	in, out       *flow
	local, remote Addr
}

// Pipe returns the two ends of a connection that holds the given number of bytes each
// way, [DefaultBuffer] if the number is not positive.
func Pipe(buffer int) (*Conn, *Conn) { return pipe(buffer, "", "") }

func pipe(buffer int, client, server Addr) (*Conn, *Conn) {
	if buffer <= 0 {
		buffer = DefaultBuffer
	}
	there, back := newFlow(buffer), newFlow(buffer)
	return &Conn{back, there, client, server}, &Conn{there, back, server, client}
}

// Addr is the address of an end of a connection: the name that a listener listens on,
// and empty for a client.
type Addr string

// Network returns "memory".
func (Addr) Network() string { return "memory" }

// String returns the name, or @ for an empty name, as the address of a unix socket does.
func (a Addr) String() string {
	if a == "" {
		return "@"
	}
	return string(a)
}

// Read reads the bytes that have arrived. It blocks until there is at least one.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.in.read(p)
	return n, c.failure("read", err)
}

// Write writes all of p. It blocks while the buffer is full.
func (c *Conn) Write(p []byte) (int, error) {
	n, err := c.out.write(p)
	return n, c.failure("write", err)
}

// Close closes the connection in both directions.
func (c *Conn) Close() error {
	unread, first := c.in.stopReading(true)
	if !first {
		return c.failure("close", net.ErrClosed)
	}
	c.out.stopWriting(true, unread)
	return nil
}

// CloseRead closes the connection for reading: it drops the bytes that have arrived,
// Read returns io.EOF, and the other side's writes fail.
func (c *Conn) CloseRead() error {
	if c.in.isClosed() {
		return c.failure("close", net.ErrClosed)
	}
	c.in.stopReading(false)
	return nil
}

// CloseWrite closes the connection for writing: the other side reads what was written
// and then io.EOF. It may go on writing.
func (c *Conn) CloseWrite() error {
	if c.in.isClosed() {
		return c.failure("close", net.ErrClosed)
	}
	c.out.stopWriting(false, false)
	return nil
}

// LocalAddr returns the address of this end, an [Addr].
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr returns the address of the other end, an [Addr].
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets the deadlines of reads and writes.
func (c *Conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// SetReadDeadline sets the time at which reads fail. The zero time means never.
func (c *Conn) SetReadDeadline(t time.Time) error {
	return c.failure("set", c.in.setDeadline(&c.in.reader, t))
}

// SetWriteDeadline sets the time at which writes fail. The zero time means never.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	return c.failure("set", c.out.setDeadline(&c.out.writer, t))
}

// failure wraps the error of an operation in a net.OpError. It returns io.EOF unchanged.
func (c *Conn) failure(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &net.OpError{Op: op, Net: c.local.Network(), Source: c.local, Addr: c.remote, Err: err}
}

// flow is one direction of a connection. No goroutine blocks while it holds mu, so mu
// never stops the clock of a bubble.
type flow struct {
	mu      sync.Mutex
	changed sync.Cond
	limit   int
	data    []byte // written and not yet read
	reader  side
	writer  side
	writing bool // a Write is in progress
	reset   bool // the writer closed with bytes unread
}

// side is one end of a flow.
type side struct {
	closed   bool // Close was called on this end
	stopped  bool // this direction was closed at this end
	deadline time.Time
	alarm    *time.Timer // wakes all waiters at the deadline
}

func newFlow(limit int) *flow {
	f := &flow{limit: limit}
	f.changed.L = &f.mu
	return f
}

// check returns the error with which a call on this side has to end, or nil.
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

// writable returns the error with which a write has to end, or nil.
func (f *flow) writable() error {
	if err := f.writer.check(); err != nil {
		return err
	}
	if f.writer.stopped || f.reader.stopped {
		return errPipe
	}
	return nil
}

// stopReading closes the reader's side. It returns whether bytes were unread and
// whether the connection was open.
func (f *flow) stopReading(closed bool) (unread, open bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	unread, open = len(f.data) > 0, !f.reader.closed
	f.data = nil
	f.reader.stop(closed)
	f.changed.Broadcast()
	return unread, open
}

// stopWriting closes the writer's side.
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
	s.deadline = now.Add(left) // on the monotonic clock, as the alarm
	if left > 0 {
		s.alarm = time.AfterFunc(left, f.wake)
	}
	return nil
}

// wake makes all waiters check again whether they may go on.
func (f *flow) wake() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changed.Broadcast()
}
