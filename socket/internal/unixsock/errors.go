package unixsock

import (
	"errors"
	"fmt"
)

// The sentinels of the package. Package socket has them under the same names, and says when
// a caller gets them.
var (
	ErrInvalid      = errors.New("invalid")
	ErrInUse        = errors.New("name already in use")
	ErrNotListening = errors.New("nobody listens")
	ErrBusy         = errors.New("too many connections are waiting")
	ErrHandingOver  = errors.New("a hand-over is under way")
	ErrSuccessor    = errors.New("the successor did not take over")
)

// errHeld is ErrInUse because of a lock, with the same text.
var errHeld = fmt.Errorf("%w", ErrInUse)

// ErrHandedOver is the error of Accept once another process has the socket.
var ErrHandedOver = errors.New("the socket was handed over")
