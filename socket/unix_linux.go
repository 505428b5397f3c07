package socket

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// maxSocketPath is the size of sun_path less its closing zero (unix(7)).
func maxSocketPath() int { return 107 }

// restrictDescriptor sets the permissions of a socket before it is bound, which is
// when Linux gives them to the file: there is no moment at which others may
// connect, whatever the umask is.
func restrictDescriptor(_, _ string, conn syscall.RawConn) error {
	var failure error
	err := conn.Control(func(fd uintptr) { failure = unix.Fchmod(int(fd), 0o600) })
	return errors.Join(err, failure)
}

// restrictPath has nothing left to do; see restrictDescriptor.
func restrictPath(string) error { return nil }
