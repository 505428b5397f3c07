package nats

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/rxipc/rxipc/socket"
)

// Conn is one end of a session: a [net.Conn] whose bytes travel in messages of NATS.
type Conn struct {
	link          *link
	session       string // token of this end
	local, remote addr

	writing sync.Mutex // held by a Write

	mu       sync.Mutex
	readable sync.Cond
	writable sync.Cond
	err      error // the session was cut
	closed   bool  // Close was called
	silent   int   // periods in which nothing arrived

	// The stream to the other side.
	to, reply string        // subjects of the other end, and of this one; empty: not accepted yet
	accepted  chan struct{} // closed when to is set, or err; only at a client
	pending   []byte        // a message that is not published yet: room for a header, and bytes
	flags     byte          // of the next message
	queued    bool          // link.publish has this Conn
	published chan struct{} // closed when the message of Close is published
	position  uint64        // before pending
	limit     uint64        // that the other side has set
	finished  bool          // CloseWrite was called
	unheard   bool          // the other side reads nothing any more
	writeBy   deadline

	// The stream from the other side.
	chunks   [][]byte
	rest     []byte // of the chunk that is being read
	restCost int    // what the reader gets back for it
	received uint64 // position
	consumed uint64 // position of the reader
	told     uint64 // the limit that the other side knows of
	window   int
	ended    bool // the other side has written all
	readBy   deadline
}

// addr is the address of an end of a session.
type addr string

func (addr) Network() string  { return "nats" }
func (a addr) String() string { return string(a) }

func newConn(l *link, session string, local, remote addr) *Conn {
	c := &Conn{link: l, session: session, local: local, remote: remote, window: min(firstWindow, l.config.Window)}
	c.readable.L, c.writable.L = &c.mu, &c.mu
	c.told = uint64(c.window)
	return c
}

// LocalAddr returns the address of this end. Its text is the name at a server, the subject at a client.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr returns the address of the other end.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// Peer returns the user of the other side as its only name, if [Config.User] is set. It fails with
// errors.ErrUnsupported otherwise.
func (c *Conn) Peer() (socket.Peer, error) {
	if c.link.user == nobody {
		return socket.Peer{}, fmt.Errorf("the transport has no Config.User, so the broker tells no users: %w", errors.ErrUnsupported)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return socket.Peer{UID: -1, GID: -1, Names: []string{last(c.reply)}}, nil
}

// Read reads what has arrived. It waits while there is nothing. It fails with ECONNRESET once the
// session was cut and everything that arrived before was read.
func (c *Conn) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		switch {
		case c.closed:
			return 0, c.failure("read", net.ErrClosed)
		case c.readBy.passed():
			return 0, c.failure("read", os.ErrDeadlineExceeded)
		case len(p) == 0:
			return 0, nil
		case len(c.rest) > 0 || c.nextChunk():
			n := copy(p, c.rest)
			if c.rest = c.rest[n:]; len(c.rest) == 0 {
				c.consume()
			}
			return n, nil
		case c.ended:
			return 0, io.EOF
		case c.err != nil:
			return 0, c.failure("read", c.err)
		}
		c.readable.Wait()
	}
}

// nextChunk begins with the next chunk, if there is one.
func (c *Conn) nextChunk() bool {
	if len(c.chunks) == 0 {
		return false
	}
	c.rest, c.chunks[0] = c.chunks[0], nil
	c.restCost = len(c.rest) + messageCost
	if c.chunks = c.chunks[1:]; len(c.chunks) == 0 {
		c.chunks = nil
	}
	return true
}

// consume lets the other side send as much as was read. It tells that with the next message, or
// at once if half of the window is used up. Then the window grows, too.
func (c *Conn) consume() {
	c.rest = nil
	c.consumed += uint64(c.restCost)
	if int(c.told-c.consumed) > c.window/2 || c.err != nil {
		return
	}
	if grown := min(2*c.window, c.link.config.Window); c.link.reserve(grown - c.window) {
		c.window = grown
	}
	c.signal(0)
}

// Write hands p over to the connection to NATS. It waits while the other side reads nothing and
// its window is full. It fails with EPIPE if the other side has closed the connection, and with
// ECONNRESET if the session was cut.
func (c *Conn) Write(p []byte) (n int, err error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		switch {
		case c.closed || c.finished:
			return n, c.failure("write", net.ErrClosed)
		case c.writeBy.passed():
			return n, c.failure("write", os.ErrDeadlineExceeded)
		case c.unheard:
			return n, c.failure("write", errPipe)
		case c.err != nil:
			return n, c.failure("write", c.err)
		case n == len(p):
			return n, nil
		}
		if room := c.room(); room > 0 {
			part := p[n:min(len(p), n+room)]
			if c.pending == nil {
				c.pending = c.link.buffer()
			}
			c.pending = append(c.pending, part...)
			n += len(part)
			c.signal(0)
			continue
		}
		c.writable.Wait()
	}
}

// room returns how many bytes can join the message that is published next.
func (c *Conn) room() int {
	pending := max(0, len(c.pending)-headerLen)
	allowed := int64(c.limit-c.position) - messageCost
	return int(min(allowed, c.link.longestPiece())) - pending
}

// signal asks for a message with the flags and with what is pending.
func (c *Conn) signal(flags byte) {
	c.flags |= flags
	if !c.queued && c.to != "" {
		c.queued = true
		c.link.enqueue(c)
	}
}

// publish publishes the next message.
func (c *Conn) publish() {
	c.mu.Lock()
	message := c.pending
	if message == nil {
		message = c.link.buffer()
	}
	f := frame{flags: c.flags, position: c.position, limit: c.consumed + uint64(c.window), data: message[headerLen:]}
	if len(f.data) > 0 {
		c.position += uint64(len(f.data) + messageCost)
	}
	if f.flags&flagReset != 0 && c.err != nil {
		message = append(message[:headerLen], c.err.Error()...)
	}
	f.putHeader(message)
	c.told = f.limit
	c.pending, c.flags, c.queued = nil, c.flags&(flagFinish|flagClose), false
	to, reply := c.to, c.reply
	var published chan struct{}
	if f.flags&flagClose != 0 {
		published, c.published = c.published, nil
	}
	c.writable.Broadcast()
	c.mu.Unlock()

	err := c.link.nats.PublishRequest(to, reply, message)
	c.link.recycle(message)
	if err != nil {
		c.cut(fmt.Errorf("%w: publish to NATS: %w", errReset, err), 0)
	}
	if published != nil {
		close(published)
	}
}

// Close closes the connection. The other side reads what was written, and then the end.
func (c *Conn) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	c.readBy.stop()
	c.writeBy.stop()
	c.chunks, c.rest = nil, nil
	c.readable.Broadcast()
	c.writable.Broadcast()
	if c.err == nil && c.to != "" {
		c.published = make(chan struct{})
		c.signal(flagClose)
	}
	published := c.published
	c.mu.Unlock()
	c.link.remove(c)
	if published != nil {
		c.link.await(published)
	}
	return nil
}

// CloseWrite ends the stream to the other side, which reads io.EOF behind what was written. This
// side can go on reading.
func (c *Conn) CloseWrite() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return c.failure("close", net.ErrClosed)
	case c.err != nil:
		return c.failure("close", c.err)
	}
	c.finished = true
	c.writable.Broadcast()
	c.signal(flagFinish)
	return nil
}

// cut ends the session with an error, and sends a message with the flags.
func (c *Conn) cut(err error, flags byte) {
	c.mu.Lock()
	c.cutLocked(err, flags)
	c.mu.Unlock()
	c.link.remove(c)
}

func (c *Conn) cutLocked(err error, flags byte) {
	if c.err != nil || c.closed {
		return
	}
	c.err = err
	if c.pending != nil {
		c.link.recycle(c.pending)
		c.pending = nil
	}
	c.accept()
	c.readable.Broadcast()
	c.writable.Broadcast()
	if flags != 0 {
		c.signal(flags)
	}
}

// accept ends the wait of a client.
func (c *Conn) accept() {
	if c.accepted != nil {
		close(c.accepted)
		c.accepted = nil
	}
}

// SetDeadline sets the deadlines of Read and Write.
func (c *Conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline sets the deadline of Read, also of one that waits.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.setDeadline(&c.readBy, &c.readable, t) }

// SetWriteDeadline sets the deadline of Write, also of one that waits. A Write that fails with
// os.ErrDeadlineExceeded has written the bytes that it counts, and the next one can go on behind them.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.setDeadline(&c.writeBy, &c.writable, t) }

func (c *Conn) setDeadline(d *deadline, waiting *sync.Cond, t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return c.failure("set", net.ErrClosed)
	}
	d.set(t, waiting)
	return nil
}

func (c *Conn) failure(op string, err error) error {
	return &net.OpError{Op: op, Net: "nats", Source: c.local, Addr: c.remote, Err: err}
}

// deadline is a time, and a timer that wakes those who wait.
type deadline struct {
	at    time.Time
	timer *time.Timer
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

func (d *deadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
	}
}

func (d *deadline) set(t time.Time, waiting *sync.Cond) {
	d.at = t
	after := time.Until(t)
	switch {
	case t.IsZero():
		d.stop()
	case after <= 0:
		d.stop()
		waiting.Broadcast()
	case d.timer == nil:
		d.timer = time.AfterFunc(after, func() {
			waiting.L.Lock() // one that has seen no deadline yet waits by now
			defer waiting.L.Unlock()
			waiting.Broadcast()
		})
	default:
		d.timer.Reset(after)
	}
}
