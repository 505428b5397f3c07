//go:build unix

package framed

import (
	"errors"
	"syscall"
)

// IsReset reports whether the other side went away while bytes were on their way.
func IsReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
