package nats

import "syscall"

// The errors of a connection that was cut, and of one that the other side has closed.
const (
	errReset = syscall.WSAECONNRESET
	errPipe  = syscall.WSAECONNRESET
)
