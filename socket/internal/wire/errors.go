package wire

import "errors"

var (
	// ErrProtocol means that the bytes received are not of the protocol.
	ErrProtocol = errors.New("protocol violation")

	// ErrTooLarge means that the content of a message is longer than the limit.
	ErrTooLarge = errors.New("message too large")
)

// IsTimeout reports whether a Read, a Write or a dial failed at its deadline.
func IsTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}
