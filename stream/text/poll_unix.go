//go:build unix

package text

import (
	"context"
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// pollReader reads from a file that takes no deadline: a terminal, or a pipe that the program
// has inherited, as os.Stdin may be. Each Read waits by poll(2) until the file has something,
// or the context ends.
type pollReader struct {
	ctx  context.Context
	file *os.File
	wake *os.File // the reading end of a pipe whose other end is closed when ctx ends
}

// polling returns a pollReader and its end, and false if the system does not poll such a file:
// macOS does not poll some devices.
func polling(ctx context.Context, file *os.File) (io.Reader, func(), bool) {
	wake, ended, err := os.Pipe()
	if err != nil {
		return nil, nil, false
	}
	r := &pollReader{ctx, file, wake}
	if refused, _, err := r.poll(0); err != nil || refused {
		wake.Close()
		ended.Close()
		return nil, nil, false
	}
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(closed)
		ended.Close()
	})
	return r, func() {
		if stop() {
			ended.Close()
		} else {
			<-closed
		}
		wake.Close()
	}, true
}

// Read blocks in poll alone, unless another reader of the same file takes what poll has seen.
func (r *pollReader) Read(b []byte) (int, error) {
	_, woken, err := r.poll(-1)
	switch {
	case err != nil:
		return 0, err
	case woken || r.ctx.Err() != nil:
		return 0, context.Cause(r.ctx)
	}
	return r.file.Read(b)
}

// poll waits for so many milliseconds at most, without end if that is negative. It returns
// whether the system refuses to poll the file, and whether the context has ended.
func (r *pollReader) poll(milliseconds int) (refused, woken bool, err error) {
	err = control(r.file, func(file int32) error {
		return control(r.wake, func(wake int32) error {
			watched := []unix.PollFd{{Fd: file, Events: unix.POLLIN}, {Fd: wake, Events: unix.POLLIN}}
			_, err := unix.Poll(watched, milliseconds)
			for errors.Is(err, unix.EINTR) {
				_, err = unix.Poll(watched, milliseconds)
			}
			refused, woken = watched[0].Revents&unix.POLLNVAL != 0, watched[1].Revents != 0
			return os.NewSyscallError("poll", err)
		})
	})
	return refused, woken, err
}

// control calls use with the descriptor of a file, which nobody else gets meanwhile.
func control(file *os.File, use func(int32) error) (err error) {
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	if failed := raw.Control(func(descriptor uintptr) { err = use(int32(descriptor)) }); failed != nil {
		return failed
	}
	return err
}
