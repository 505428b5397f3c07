package socket

import (
	"errors"
	"net"
	"time"
)

// source is how a link reads its frames, and offers what it has to write.
type source interface {
	// fill is the frameReader's, from this source. Where it can it holds no buffer
	// while it waits.
	fill(r *frameReader) error

	// look is fill that fails with errIdle when there is nothing to read, where that
	// can be told.
	look(r *frameReader) error

	// offer writes what is taken at once, or within a moment, whether the context bound
	// to writes has ended or not.
	offer(o *outgoing, writes *interrupt) (int, error)

	// left reports whether the other side is known to have closed the connection,
	// whatever of its bytes is unread.
	left() bool
}

// errIdle says that there is nothing to read.
var errIdle = errors.New("nothing to read")

// plainSource is any connection. While it waits it holds the reader's buffer.
type plainSource struct{ net.Conn }

func (s plainSource) fill(r *frameReader) error { return r.fill(s.Conn) }

func (s plainSource) look(r *frameReader) error { return s.fill(r) }

func (s plainSource) offer(o *outgoing, writes *interrupt) (int, error) {
	writes.set(time.Now().Add(offerTime))
	defer writes.reset()
	return o.writeTo(s.Conn)
}

func (plainSource) left() bool { return false }
