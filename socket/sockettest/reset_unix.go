//go:build unix

package sockettest

import "syscall"

// What the system says of a connection whose other side has gone.
const (
	errReset = syscall.ECONNRESET // with bytes unread
	errPipe  = syscall.EPIPE
)
