package unixsock

import "errors"

// The sentinels of the package. Package socket has them under the same names, and says when
// a caller gets them.
var (
	ErrInvalid      = errors.New("invalid")
	ErrInUse        = errors.New("name already in use")
	ErrNotListening = errors.New("nobody listens")
	ErrBusy         = errors.New("too many connections are waiting")
)
