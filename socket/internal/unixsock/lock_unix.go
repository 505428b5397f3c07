//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package unixsock

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// noFollow makes opening a lock fail if a link is in its place, and not wait if a named pipe is.
const noFollow = unix.O_NOFOLLOW | unix.O_NONBLOCK

// tryLock uses flock, whose lock belongs to the open file. So it excludes other listeners of the
// same process, which a lock of fcntl would not.
func tryLock(file *os.File) error { return flock(file, unix.LOCK_EX|unix.LOCK_NB) }

func unlock(file *os.File) error { return flock(file, unix.LOCK_UN) }

func isLocked(err error) bool { return errors.Is(err, unix.EWOULDBLOCK) }

func flock(file *os.File, how int) error {
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var failure error
	err = raw.Control(func(fd uintptr) {
		for failure = unix.EINTR; failure == unix.EINTR; {
			failure = unix.Flock(int(fd), how)
		}
	})
	return errors.Join(err, failure)
}
