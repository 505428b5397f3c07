//go:build unix

package socket

import (
	"errors"
	"syscall"
)

// isReset tells whether the other side went away while bytes were on their way.
func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
