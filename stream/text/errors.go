package text

import (
	"errors"
	"fmt"
)

// ErrTooLong says that a line, record or value has more bytes than [Limit] allows.
var ErrTooLong = errors.New("too long")

// Error says where in a text something could not be read.
type Error struct {
	Unit   string // the kind of item: "line", "record", "value" or "element"
	Number int64  // which one it is, from 1 on
	Offset int64  // bytes that were read before it
	Err    error  // the reason
}

// Error names the place and the reason.
func (e *Error) Error() string {
	return fmt.Sprintf("text: %s %d, at byte %d: %v", e.Unit, e.Number, e.Offset, e.Err)
}

// Unwrap returns the reason.
func (e *Error) Unwrap() error { return e.Err }

// tooLong is an ErrTooLong that names the limit and what helps.
func tooLong(limit int, hint string) error {
	return fmt.Errorf("%w: more than %d bytes; %s", ErrTooLong, limit, hint)
}

func mustHave(function, what string, has bool) {
	if !has {
		panic("text: " + function + " with a nil " + what)
	}
}
