package socket

import (
	"errors"

	"golang.org/x/sys/windows"
)

// isRefused tells whether an error of connecting means that nobody listens.
func isRefused(err error) bool { return errors.Is(err, windows.WSAECONNREFUSED) }

// isBusy tells whether an error of connecting means that the queue of the listener
// is full. Windows refuses the connection instead.
func isBusy(error) bool { return false }

// isReset tells whether the other side went away while bytes were on their way.
func isReset(err error) bool {
	return errors.Is(err, windows.WSAECONNRESET) || errors.Is(err, windows.WSAECONNABORTED)
}
