//go:build unix

package socket

import (
	"cmp"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// newSource returns the source that suits a connection.
func newSource(conn net.Conn) source {
	if !isSocket(conn) {
		return plainSource{conn}
	}
	raw, err := conn.(syscall.Conn).SyscallConn()
	if err != nil {
		return plainSource{conn}
	}
	s := &socketSource{raw: raw}
	s.once = s.try
	return s
}

// socketSource takes a buffer for the moment in which there is something to read: a
// connection that waits has none. It makes the same system calls as Read would.
type socketSource struct {
	raw  syscall.RawConn
	once func(uintptr) bool // try, made to a value once and not at each fill

	// Of a fill.
	reader *frameReader
	n      int
	err    error
}

func (s *socketSource) fill(r *frameReader) error {
	if err := r.over(); err != nil {
		return err
	}
	s.reader = r
	if err := s.raw.Read(s.once); err != nil {
		return r.took(0, err)
	}
	return r.took(s.n, s.err)
}

// try reads if there is something to read, and reports whether that is so.
func (s *socketSource) try(descriptor uintptr) bool {
	space := s.reader.space()
	if len(space) == 0 {
		s.n, s.err = 0, nil // full of frames that next has not been asked for
		return true
	}
	for {
		n, err := syscall.Read(int(descriptor), space)
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			s.reader.release()
			return false
		case err != nil:
			n, err = 0, os.NewSyscallError("read", err)
		case n == 0:
			err = io.EOF
		}
		s.n, s.err = n, err
		return true
	}
}

func (s *socketSource) offer(o *outgoing, writes *interrupt) (int, error) {
	n, err := s.writeNow(o)
	if n == 0 && isTimeout(err) {
		writes.set(time.Time{})
		defer writes.reset()
		return s.writeNow(o)
	}
	return n, err
}

// writeNow writes and does not wait.
func (s *socketSource) writeNow(o *outgoing) (written int, err error) {
	failure := s.raw.Write(func(descriptor uintptr) bool {
		for _, piece := range o.pieces() {
			n, failed := syscall.Write(int(descriptor), piece)
			written += max(n, 0)
			if err = failed; err != nil || n < len(piece) {
				break
			}
		}
		return true
	})
	return written, cmp.Or(failure, err)
}

func (s *socketSource) left() (left bool) {
	s.raw.Control(func(descriptor uintptr) {
		state := []unix.PollFd{{Fd: int32(descriptor)}}
		n, err := unix.Poll(state, 0)
		left = err == nil && n > 0 && state[0].Revents&unix.POLLHUP != 0
	})
	return left
}
