//go:build unix

package socket

import (
	"errors"
	"syscall"
)

// isRefused tells whether an error of connecting means that nobody listens.
func isRefused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

// isBusy tells whether an error of connecting means that the queue of the listener
// is full. Linux says so; the BSDs and macOS refuse the connection, so there a
// foreign server this busy is taken for one that died.
func isBusy(err error) bool { return errors.Is(err, syscall.EAGAIN) }

// isReset tells whether the other side went away while bytes were on their way.
func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
