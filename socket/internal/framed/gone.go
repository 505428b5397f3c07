package framed

import (
	"errors"
	"fmt"
	"io"
)

// IsGone reports whether a read or write failed because the other side is gone.
func IsGone(err error) bool {
	return err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) || IsReset(err)
}

// Unexpected adds io.ErrUnexpectedEOF to an error of IsGone: nothing had announced the end.
func Unexpected(err error) error {
	switch {
	case IsReset(err):
		return fmt.Errorf("%w: %w", io.ErrUnexpectedEOF, err)
	case err == io.EOF:
		return io.ErrUnexpectedEOF
	}
	return err
}
