package framed

import (
	"errors"

	"golang.org/x/sys/windows"
)

// IsReset reports whether the other side went away while bytes were on their way.
func IsReset(err error) bool {
	return errors.Is(err, windows.WSAECONNRESET) || errors.Is(err, windows.WSAECONNABORTED)
}
