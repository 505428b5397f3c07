//go:build !windows

package nats

import "syscall"

// The errors of a connection that was cut, and of one that the other side has closed.
const (
	errReset = syscall.ECONNRESET
	errPipe  = syscall.EPIPE
)
