//go:build unix

package sockettest

import "syscall"

// The errors of the system for a connection whose other side has closed.
const (
	errReset = syscall.ECONNRESET // with bytes unread
	errPipe  = syscall.EPIPE
)
