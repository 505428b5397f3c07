package framed

import (
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// rawIO is how a Conn reads its frames, and writes what need not wait.
type rawIO interface {
	// rawConn returns the socket, nil if the connection is none.
	rawConn() syscall.RawConn

	// readOnce reads once, and waits for something to read. Where it can it holds no buffer
	// while it waits.
	readOnce(r *wire.Reader) error

	// tryRead is readOnce that fails with ErrIdle when there is nothing to read, where that
	// can be told.
	tryRead(r *wire.Reader) error

	// readAhead is tryRead for a goroutine that reads in place of the reader, whose deadline
	// reads is. It waits no longer than a moment, nor when hurry is set.
	readAhead(r *wire.Reader, reads *contextDeadline, hurry *atomic.Bool) error

	// tryWrite writes what is taken at once, or within a moment, whether the context bound
	// to writes has ended or not.
	tryWrite(o *wire.Output, writes *contextDeadline) (int, error)

	// isGone reports whether the other side is known to have closed the connection, whatever
	// of its bytes is unread. failure is what the last read failed with, or nil.
	isGone(failure error) bool
}

// plainIO is any connection. While it waits it holds the reader's buffer.
type plainIO struct{ net.Conn }

func (plainIO) rawConn() syscall.RawConn { return nil }

func (p plainIO) readOnce(r *wire.Reader) error { return r.Fill(p.Conn) }

func (p plainIO) tryRead(r *wire.Reader) error { return p.readOnce(r) }

func (p plainIO) tryWrite(o *wire.Output, writes *contextDeadline) (int, error) {
	writes.set(time.Now().Add(OfferTime))
	defer writes.reset()
	return o.WriteAll(p.Conn)
}

func (p plainIO) readAhead(r *wire.Reader, reads *contextDeadline, hurry *atomic.Bool) error {
	if err := r.Failure(); err != nil {
		return err
	}
	reads.set(time.Now().Add(OfferTime))
	defer reads.reset()
	if hurry.Load() { // now or before set, which may have come last
		reads.set(longAgo)
	}
	err := r.Commit(p.Conn.Read(r.Space()))
	if wire.IsTimeout(err) {
		return ErrIdle
	}
	return err
}

// isGone trusts an end of file: here nothing tells a client that only says no more from one
// that is gone.
func (plainIO) isGone(failure error) bool { return failure != nil && IsGone(failure) }

// TryWrite writes what a connection without a Conn takes at once.
func TryWrite(conn net.Conn, o *wire.Output) {
	newRawIO(conn).tryWrite(o, &contextDeadline{set: conn.SetWriteDeadline})
}

// isSocket reports whether a connection is a socket itself. A type that embeds a socket may
// read and write in its own way.
func isSocket(conn net.Conn) bool {
	switch conn.(type) {
	case *net.UnixConn, *net.TCPConn:
		return true
	}
	return false
}
