//go:build unix

package framed

import (
	"cmp"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// newRawIO returns the rawIO that suits a connection.
func newRawIO(conn net.Conn) rawIO {
	if !isSocket(conn) {
		return plainIO{conn}
	}
	raw, err := conn.(syscall.Conn).SyscallConn()
	if err != nil {
		return plainIO{conn}
	}
	s := &socketIO{raw: raw}
	s.tryReadFD, s.tryWriteFD = s.readFD, s.writeFD
	return s
}

// socketIO takes a buffer for the moment in which there is something to read: a
// connection that waits has none. It makes the same system calls as Read would.
type socketIO struct {
	raw syscall.RawConn

	// The tries, made to values once and not at each call.
	tryReadFD, tryWriteFD func(uintptr) bool

	// Of a read.
	reader  *wire.Reader
	read    int
	readErr error

	// Of a write.
	out      *wire.Output
	written  int
	writeErr error
}

func (s *socketIO) rawConn() syscall.RawConn { return s.raw }

func (s *socketIO) readOnce(r *wire.Reader) error { return s.readBy(s.tryReadFD, r) }

func (s *socketIO) tryRead(r *wire.Reader) error {
	return s.readBy(func(descriptor uintptr) bool {
		if !s.readFD(descriptor) {
			s.read, s.readErr = 0, ErrIdle
		}
		return true
	}, r)
}

func (s *socketIO) readBy(try func(uintptr) bool, r *wire.Reader) error {
	if err := r.Failure(); err != nil {
		return err
	}
	s.reader = r
	if err := s.raw.Read(try); err != nil {
		return r.Commit(0, err)
	}
	err := r.Commit(s.read, s.readErr)
	r.Release() // whoever handles what came may take long: it has no more room than it takes
	return err
}

func (s *socketIO) readAhead(r *wire.Reader, _ *contextDeadline, _ *atomic.Bool) error {
	if err := r.Failure(); err != nil {
		return err
	}
	s.reader = r
	idle := false
	if err := s.raw.Control(func(descriptor uintptr) { idle = !s.readFD(descriptor) }); err != nil {
		return err
	}
	if idle {
		return ErrIdle
	}
	err := r.Commit(s.read, s.readErr)
	r.Release()
	return err
}

// readFD reads if there is something to read, and reports whether there is.
func (s *socketIO) readFD(descriptor uintptr) bool {
	space := s.reader.Space()
	if len(space) == 0 {
		s.read, s.readErr = 0, nil // full of frames that next has not been asked for
		return true
	}
	for {
		n, err := syscall.Read(int(descriptor), space)
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			s.reader.Release()
			return false
		case err != nil:
			n, err = 0, os.NewSyscallError("read", err)
		case n == 0:
			err = io.EOF
		}
		s.read, s.readErr = n, err
		return true
	}
}

func (s *socketIO) tryWrite(o *wire.Output, writes *contextDeadline) (int, error) {
	n, err := s.writeNow(o)
	if n == 0 && wire.IsTimeout(err) {
		writes.set(time.Time{})
		defer writes.reset()
		return s.writeNow(o)
	}
	return n, err
}

// writeNow writes and does not wait.
func (s *socketIO) writeNow(o *wire.Output) (int, error) {
	s.out, s.written, s.writeErr = o, 0, nil
	failure := s.raw.Write(s.tryWriteFD)
	s.out = nil
	return s.written, cmp.Or(failure, s.writeErr)
}

// writeFD writes what is taken at once. It never asks to wait.
func (s *socketIO) writeFD(descriptor uintptr) bool {
	write := func() (int, error) { return syscall.Write(int(descriptor), s.out.Bytes) }
	if !s.out.IsWhole() {
		pieces := s.out.Pieces()
		write = func() (int, error) { return gather(int(descriptor), pieces) }
	}
	for {
		n, err := write()
		if err == syscall.EINTR {
			continue
		}
		s.written, s.writeErr = max(n, 0), err
		return true
	}
}

func (s *socketIO) isGone(error) (gone bool) {
	s.raw.Control(func(descriptor uintptr) {
		state := []unix.PollFd{{Fd: int32(descriptor)}}
		n, err := unix.Poll(state, 0)
		gone = err == nil && n > 0 && state[0].Revents&(unix.POLLHUP|unix.POLLERR) != 0
	})
	return gone
}
