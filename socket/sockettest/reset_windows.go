package sockettest

import "syscall"

// What the system says of a connection whose other side has gone, which makes no
// difference between reading and writing.
const (
	errReset = syscall.WSAECONNRESET
	errPipe  = syscall.WSAECONNRESET
)
