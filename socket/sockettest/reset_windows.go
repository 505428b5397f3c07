package sockettest

import "syscall"

// The errors of the system for a connection whose other side has closed. Windows has the
// same error for reads and writes.
const (
	errReset = syscall.WSAECONNRESET
	errPipe  = syscall.WSAECONNRESET
)
