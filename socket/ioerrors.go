package socket

import (
	"errors"
	"fmt"
	"io"
)

// isGone reports whether a read or write failed because the other side is gone.
func isGone(err error) bool {
	return err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) || isReset(err)
}

// unexpected adds io.ErrUnexpectedEOF to an error of isGone: nothing had announced the end.
func unexpected(err error) error {
	switch {
	case isReset(err):
		return fmt.Errorf("%w: %w", io.ErrUnexpectedEOF, err)
	case err == io.EOF:
		return io.ErrUnexpectedEOF
	}
	return err
}
