package socket

import (
	"errors"
	"fmt"

	"github.com/rxipc/rxipc/socket/internal/unixsock"
)

// Name is the name of a process that others can reach: one or more of the letters
// a to z and A to Z, the digits, '-' and '_', the rule of innmind/ipc. Only
// ParseName and MustParseName make one, so a Name that is not zero is always good.
// Names are compared with ==, case matters.
type Name struct{ text string }

// ParseName checks text and makes it a Name. It fails with ErrInvalid, telling
// which byte is not allowed.
func ParseName(text string) (Name, error) {
	if err := unixsock.CheckName(text); err != nil {
		return Name{}, &Error{Op: "parse name", Err: err}
	}
	return Name{text}, nil
}

// MustParseName is ParseName for names known when the program is written; it
// panics when the name is not good.
func MustParseName(text string) Name {
	name, err := ParseName(text)
	if err != nil {
		panic(err)
	}
	return name
}

// String returns the name as it was parsed, empty for the zero Name.
func (n Name) String() string { return n.text }

// IsZero tells whether n is the zero Name, which names nobody.
func (n Name) IsZero() bool { return n.text == "" }

// MarshalText implements encoding.TextMarshaler. The zero Name has no text and
// fails with ErrInvalid.
func (n Name) MarshalText() ([]byte, error) {
	if err := n.check(); err != nil {
		return nil, &Error{Op: "marshal name", Err: err}
	}
	return []byte(n.text), nil
}

// UnmarshalText implements encoding.TextUnmarshaler with the rules of ParseName.
// After an error n is as it was.
func (n *Name) UnmarshalText(text []byte) error {
	name, err := ParseName(string(text))
	if err != nil {
		return err
	}
	*n = name
	return nil
}

// check refuses the zero Name, for those who are about to use it.
func (n Name) check() error {
	if n.IsZero() {
		return fmt.Errorf("%w: the zero Name names nobody", ErrInvalid)
	}
	return nil
}

// ofName adds the operation and the name to an error, unless that is an *Error already.
func ofName(op string, name Name, err error) error {
	var structured *Error
	if errors.As(err, &structured) {
		return err
	}
	return &Error{Op: op, Name: name.String(), Err: err}
}
