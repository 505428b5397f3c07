package socket

import (
	"context"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/socket/internal/framed"
	"github.com/rxipc/rxipc/socket/internal/wire"
)

// halfPipe carries bytes one way, through a buffer. It behaves like a unix socket,
// and blocks on channels alone, so that it works in a bubble of synctest.
type halfPipe struct {
	lock    chan struct{} // one token: a contended mutex would stop virtual time
	data    []byte
	limit   int // of data; a Write waits while it is reached
	ended   bool
	broken  bool
	written []byte // by all Writes
	starts  []int  // where each Write begins in written
	most    int    // bytes a Read takes at most; zero: all
	changed chan struct{}
}

func newHalfPipe(limit int) *halfPipe {
	return &halfPipe{lock: make(chan struct{}, 1), limit: limit, changed: make(chan struct{})}
}

// change runs f and wakes whoever waits.
func (h *halfPipe) change(f func()) {
	h.lock <- struct{}{}
	defer func() { <-h.lock }()
	f()
	close(h.changed)
	h.changed = make(chan struct{})
}

// until runs try, again after each change, until it returns true or one of the ends.
func (h *halfPipe) until(deadline *pipeDeadline, closed <-chan struct{}, try func() bool) error {
	for {
		select {
		case <-closed:
			return &net.OpError{Op: "io", Net: "pipe", Err: net.ErrClosed}
		default:
		}
		expired, moved := deadline.current()
		select {
		case <-expired:
			return &net.OpError{Op: "io", Net: "pipe", Err: os.ErrDeadlineExceeded}
		default:
		}
		h.lock <- struct{}{}
		done, changed := try(), h.changed
		<-h.lock
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-expired:
		case <-moved:
		case <-closed:
		}
	}
}

// pipeDeadline is a deadline whose end is a channel.
type pipeDeadline struct {
	mu    sync.Mutex
	timer *time.Timer
	end   chan struct{}
	move  chan struct{}
}

func newPipeDeadline() *pipeDeadline {
	return &pipeDeadline{end: make(chan struct{}), move: make(chan struct{})}
}

// current returns what closes when the deadline has passed, and when it is moved.
func (d *pipeDeadline) current() (end, moved <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.end, d.move
}

func (d *pipeDeadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	end := make(chan struct{})
	d.end = end
	close(d.move)
	d.move = make(chan struct{})
	if t.IsZero() {
		return
	}
	if left := time.Until(t); left > 0 {
		d.timer = time.AfterFunc(left, func() { close(end) })
	} else {
		close(end)
	}
}

// pipeConn is one end of a duplex pipe.
type pipeConn struct {
	in, out     *halfPipe
	read, write *pipeDeadline
	closed      chan struct{}
	closing     sync.Once
}

// newPipe returns the two ends of a pipe that holds limit bytes each way, as many
// as come when limit is zero.
func newPipe(limit int) (a, b *pipeConn) {
	if limit == 0 {
		limit = 1 << 40
	}
	there, back := newHalfPipe(limit), newHalfPipe(limit)
	end := func(in, out *halfPipe) *pipeConn {
		return &pipeConn{in: in, out: out, read: newPipeDeadline(), write: newPipeDeadline(), closed: make(chan struct{})}
	}
	return end(there, back), end(back, there)
}

func (c *pipeConn) Read(p []byte) (n int, err error) {
	waitErr := c.in.until(c.read, c.closed, func() bool {
		switch {
		case len(c.in.data) > 0:
			if c.in.most > 0 && len(p) > c.in.most {
				p = p[:c.in.most]
			}
			n = copy(p, c.in.data)
			c.in.data = c.in.data[n:]
			close(c.in.changed)
			c.in.changed = make(chan struct{})
		case c.in.broken:
			err = &net.OpError{Op: "read", Net: "pipe", Err: syscall.ECONNRESET}
		case c.in.ended:
			err = io.EOF
		case len(p) > 0:
			return false
		}
		return true
	})
	if waitErr != nil {
		return 0, waitErr
	}
	return n, err
}

func (c *pipeConn) Write(p []byte) (n int, err error) {
	c.begin()
	for n < len(p) && err == nil {
		waitErr := c.out.until(c.write, c.closed, func() bool {
			room := min(c.out.limit-len(c.out.data), len(p)-n)
			switch {
			case c.out.broken, c.out.ended:
				err = &net.OpError{Op: "write", Net: "pipe", Err: syscall.EPIPE}
				return true
			case room <= 0:
				return false
			}
			c.out.written = append(c.out.written, p[n:n+room]...)
			c.out.data = append(c.out.data, p[n:n+room]...)
			n += room
			close(c.out.changed)
			c.out.changed = make(chan struct{})
			return true
		})
		if waitErr != nil {
			return n, waitErr
		}
	}
	return n, err
}

// begin records that a Write begins.
func (c *pipeConn) begin() {
	c.out.change(func() { c.out.starts = append(c.out.starts, len(c.out.written)) })
}

// Close ends both ways. Like a unix socket that has bytes unread, it breaks the
// connection for the other side then.
func (c *pipeConn) Close() error {
	c.closing.Do(func() {
		close(c.closed)
		unread := false
		c.in.change(func() {
			unread = len(c.in.data) > 0
			c.in.broken, c.in.data = true, nil
		})
		c.out.change(func() { c.out.ended, c.out.broken = true, c.out.broken || unread })
	})
	return nil
}

func (c *pipeConn) LocalAddr() net.Addr                { return pipeAddr{} }
func (c *pipeConn) RemoteAddr() net.Addr               { return pipeAddr{} }
func (c *pipeConn) SetReadDeadline(t time.Time) error  { c.read.set(t); return nil }
func (c *pipeConn) SetWriteDeadline(t time.Time) error { c.write.set(t); return nil }
func (c *pipeConn) SetDeadline(t time.Time) error {
	c.read.set(t)
	c.write.set(t)
	return nil
}

// recorded returns what each Write of this end brought.
func (c *pipeConn) recorded() (chunks []string) {
	c.out.lock <- struct{}{}
	defer func() { <-c.out.lock }()
	end := len(c.out.written)
	for _, start := range slices.Backward(c.out.starts) {
		if start < end {
			chunks = append(chunks, string(c.out.written[start:end]))
		}
		end = start
	}
	slices.Reverse(chunks)
	return chunks
}

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }

// memory is a Transport in memory.
type memory struct {
	limit int // of the pipes
	lock  chan struct{}
	names map[Name]*memoryListener
}

func newMemory(limit int) *memory {
	return &memory{limit: limit, lock: make(chan struct{}, 1), names: map[Name]*memoryListener{}}
}

type memoryListener struct {
	of      *memory
	name    Name
	waiting chan net.Conn
	failing chan error // makes Accept fail
	closed  chan struct{}
	closing sync.Once
}

func (m *memory) Listen(_ context.Context, name Name) (net.Listener, error) {
	m.lock <- struct{}{}
	defer func() { <-m.lock }()
	if m.names[name] != nil {
		return nil, &Error{Op: "listen", Name: name.text, Err: ErrInUse}
	}
	l := newMemoryListener()
	l.of, l.name = m, name
	m.names[name] = l
	return l, nil
}

func newMemoryListener() *memoryListener {
	return &memoryListener{waiting: make(chan net.Conn, 128), failing: make(chan error, 1), closed: make(chan struct{})}
}

func (m *memory) listener(name Name) *memoryListener {
	m.lock <- struct{}{}
	defer func() { <-m.lock }()
	return m.names[name]
}

func (m *memory) Dial(ctx context.Context, name Name) (net.Conn, error) {
	l := m.listener(name)
	if l == nil {
		return nil, &Error{Op: "dial", Name: name.text, Err: ErrNotListening}
	}
	return l.dial(m.limit)
}

// dial makes a connection that Accept will return.
func (l *memoryListener) dial(limit int) (*pipeConn, error) {
	ours, theirs := newPipe(limit)
	select {
	case <-l.closed:
		return nil, ErrNotListening
	default:
	}
	select {
	case l.waiting <- theirs:
		return ours, nil
	default:
		return nil, ErrBusy
	}
}

func (m *memory) Names(context.Context) (names []Name, err error) {
	m.lock <- struct{}{}
	defer func() { <-m.lock }()
	for name := range m.names {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b Name) int { return strings.Compare(a.text, b.text) })
	return names, nil
}

func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case err := <-l.failing:
		return nil, err
	default:
	}
	select {
	case conn := <-l.waiting:
		return conn, nil
	case err := <-l.failing:
		return nil, err
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *memoryListener) Close() error {
	l.closing.Do(func() {
		if l.of != nil {
			l.of.lock <- struct{}{}
			delete(l.of.names, l.name)
			<-l.of.lock
		}
		close(l.closed)
		for {
			select {
			case conn := <-l.waiting:
				conn.Close()
			default:
				return
			}
		}
	})
	return nil
}

func (l *memoryListener) Addr() net.Addr { return pipeAddr{} }

func TestPipeBehavesLikeASocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newPipe(4)
		b.SetWriteDeadline(time.Now().Add(time.Millisecond))
		if n, err := b.Write([]byte("hello")); n != 4 || !wire.IsTimeout(err) {
			t.Fatalf("write 5 bytes to a pipe of 4: got %d, %v, want 4 and a timeout", n, err)
		}
		got := make([]byte, 8)
		if n, err := a.Read(got); n != 4 || err != nil {
			t.Fatalf("read from the full pipe: got %d, %v, want 4", n, err)
		}
		a.Close()
		b.SetWriteDeadline(time.Time{})
		if _, err := b.Write([]byte("x")); !framed.IsReset(err) {
			t.Fatalf("write to a closed pipe: got %v, want a reset", err)
		}
		if _, err := b.Read(got); err != io.EOF {
			t.Fatalf("read from a closed pipe: got %v, want io.EOF", err)
		}
	})
}
