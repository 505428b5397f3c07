package socket

import (
	"errors"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// source is how a link reads its frames, and offers what it has to write.
type source interface {
	// rawConn returns the socket, nil if the connection is none.
	rawConn() syscall.RawConn

	// fill is that of the wire.Reader, from this source. Where it can it holds no buffer
	// while it waits.
	fill(r *wire.Reader) error

	// look is fill that fails with errIdle when there is nothing to read, where that
	// can be told.
	look(r *wire.Reader) error

	// offer writes what is taken at once, or within a moment, whether the context bound
	// to writes has ended or not.
	offer(o *wire.Output, writes *contextDeadline) (int, error)

	// ahead reads what there is, and waits for it no longer than a moment, nor when hurry
	// is set: it fails with errIdle then. It is for who reads in the place of the reader,
	// whose deadline reads is.
	ahead(r *wire.Reader, reads *contextDeadline, hurry *atomic.Bool) error

	// left reports whether the other side is known to have closed the connection, whatever
	// of its bytes is unread. failure is what the last read failed with, or nil.
	left(failure error) bool
}

// errIdle says that there is nothing to read.
var errIdle = errors.New("nothing to read")

// plainSource is any connection. While it waits it holds the reader's buffer.
type plainSource struct{ net.Conn }

func (plainSource) rawConn() syscall.RawConn { return nil }

func (s plainSource) fill(r *wire.Reader) error { return r.Fill(s.Conn) }

func (s plainSource) look(r *wire.Reader) error { return s.fill(r) }

func (s plainSource) offer(o *wire.Output, writes *contextDeadline) (int, error) {
	writes.set(time.Now().Add(offerTime))
	defer writes.reset()
	return o.WriteAll(s.Conn)
}

func (s plainSource) ahead(r *wire.Reader, reads *contextDeadline, hurry *atomic.Bool) error {
	if err := r.Failure(); err != nil {
		return err
	}
	reads.set(time.Now().Add(offerTime))
	defer reads.reset()
	if hurry.Load() { // now or before set, which may have come last
		reads.set(longAgo)
	}
	err := r.Commit(s.Conn.Read(r.Space()))
	if wire.IsTimeout(err) {
		return errIdle
	}
	return err
}

// left believes in an end of file: here nothing tells a client that only says no more
// from one that is gone.
func (plainSource) left(failure error) bool { return failure != nil && isGone(failure) }

// isSocket reports whether a connection is a socket itself. A type that embeds a socket may
// read and write in its own way.
func isSocket(conn net.Conn) bool {
	switch conn.(type) {
	case *net.UnixConn, *net.TCPConn:
		return true
	}
	return false
}
