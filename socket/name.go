package socket

import (
	"errors"
	"fmt"

	"github.com/rxipc/rxipc/socket/internal/unixsock"
)

// Name is the name of a server. It consists of one or more of the letters a to z and A to Z,
// the digits, '-' and '_', as in innmind/ipc. Only ParseName and MustParseName make one, so a
// Name that is not zero is always valid. Names are compared with ==, case matters.
type Name struct{ text string }

// ParseName checks text and converts it to a Name. It fails with ErrInvalid; the error has the
// byte that is not allowed.
func ParseName(text string) (Name, error) {
	if err := unixsock.CheckName(text); err != nil {
		return Name{}, &Error{Op: "parse name", Err: err}
	}
	return Name{text}, nil
}

// MustParseName is ParseName for names that are constant in the program. It panics if the name
// is invalid.
func MustParseName(text string) Name {
	name, err := ParseName(text)
	if err != nil {
		panic(err)
	}
	return name
}

// String returns the name as it was parsed, empty for the zero Name.
func (n Name) String() string { return n.text }

// IsZero reports whether n is the zero Name, which is no server's name.
func (n Name) IsZero() bool { return n.text == "" }

// MarshalText implements encoding.TextMarshaler. It fails with ErrInvalid for the zero Name.
func (n Name) MarshalText() ([]byte, error) {
	if err := n.check(); err != nil {
		return nil, &Error{Op: "marshal name", Err: err}
	}
	return []byte(n.text), nil
}

// UnmarshalText implements encoding.TextUnmarshaler with the rules of ParseName. It does not
// change n if it fails.
func (n *Name) UnmarshalText(text []byte) error {
	name, err := ParseName(string(text))
	if err != nil {
		return err
	}
	*n = name
	return nil
}

// check returns an error for the zero Name.
func (n Name) check() error {
	if n.IsZero() {
		return fmt.Errorf("%w: the name is the zero Name; make one with ParseName", ErrInvalid)
	}
	return nil
}

// ofName wraps an error with the operation and the name, unless it is an *Error already.
func ofName(op string, name Name, err error) error {
	var structured *Error
	if errors.As(err, &structured) {
		return err
	}
	return &Error{Op: op, Name: name.String(), Err: err}
}
