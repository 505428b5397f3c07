package socket

import (
	"errors"

	"golang.org/x/sys/windows"
)

// isReset tells whether the other side went away while bytes were on their way.
func isReset(err error) bool {
	return errors.Is(err, windows.WSAECONNRESET) || errors.Is(err, windows.WSAECONNABORTED)
}
