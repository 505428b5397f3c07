package unixsock

import (
	"errors"
	"fmt"
	"math"
	"os/user"
	"strconv"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// UserNumber returns the number of a user given by name or number. It fails with ErrInvalid.
func UserNumber(name string) (int, error) {
	return accountNumber(name, func() (string, error) {
		found, err := user.Lookup(name)
		if err != nil {
			return "", err
		}
		return found.Uid, nil
	})
}

// GroupNumber returns the number of a group given by name or number. It fails with ErrInvalid.
func GroupNumber(name string) (int, error) {
	return accountNumber(name, func() (string, error) {
		found, err := user.LookupGroup(name)
		if err != nil {
			return "", err
		}
		return found.Gid, nil
	})
}

// nobodysNumber means "no user" or "no group" in system calls such as chown.
const nobodysNumber = math.MaxUint32

// accountNumber returns the number of a user or group: name itself if it is one, otherwise
// the result of lookup.
func accountNumber(name string, lookup func() (string, error)) (int, error) {
	n, err := strconv.ParseUint(name, 10, 32)
	if err != nil {
		found, failed := lookup()
		if failed != nil {
			return 0, fmt.Errorf("%w: %s: %w", ErrInvalid, wire.Quote(name), failed)
		}
		if n, err = strconv.ParseUint(found, 10, 32); err != nil { // Windows has no numbers
			return 0, fmt.Errorf("%w: %s has no number: %w", ErrInvalid, wire.Quote(name), errors.ErrUnsupported)
		}
	}
	if n == nobodysNumber {
		return 0, fmt.Errorf("%w: %s is the number of nobody", ErrInvalid, wire.Quote(name))
	}
	return int(n), nil
}
