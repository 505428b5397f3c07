package socket

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/rxipc/rxipc/socket/internal/wire"
	"github.com/rxipc/rxipc/stream"
)

// closeReasonFor returns the reason that a client gets for a connection that ends with err.
// limit is the largest content that the server accepts, in bytes.
func closeReasonFor(err error, limit int) wire.CloseReason {
	var p *stream.PanicError
	var e *Error
	switch {
	case err == nil:
		return wire.CloseReason{}
	case errors.Is(err, errUnwound), errors.As(err, &p):
		return wire.CloseReason{Code: wire.ReasonPanicked}
	case errors.As(err, &e) && e.Op == opHandle:
		return wire.CloseReason{Code: wire.ReasonRejected}
	case errors.Is(err, ErrTooLarge):
		return wire.CloseReason{Code: wire.ReasonTooLarge, Limit: limit}
	case errors.Is(err, ErrTooSlow):
		return wire.CloseReason{Code: wire.ReasonTooSlow}
	case errors.Is(err, ErrSilent):
		return wire.CloseReason{Code: wire.ReasonSilent}
	case errors.Is(err, ErrProtocol):
		return wire.CloseReason{Code: wire.ReasonProtocol}
	case errors.Is(err, errTooMany):
		return wire.CloseReason{Code: wire.ReasonTooMany}
	case errors.Is(err, fs.ErrPermission):
		return wire.CloseReason{Code: wire.ReasonRefused}
	}
	return wire.CloseReason{}
}

// closeReasons maps each code to the errors that the client's error wraps besides
// ErrDisconnected, and to its text.
var closeReasons = map[string]struct {
	is   []error
	says string
}{
	wire.ReasonRejected:  {[]error{ErrRejected}, "its handler rejected the first message that is not acknowledged"},
	wire.ReasonPanicked:  {[]error{ErrPanicked}, "its handler panicked at the first message that is not acknowledged"},
	wire.ReasonUnsettled: {[]error{ErrShutdown}, "it shuts down, and messages were still being handled"},
	wire.ReasonTooLarge:  {[]error{ErrTooLarge}, "the content of a message exceeds its limit"},
	wire.ReasonTooSlow:   {[]error{ErrTooSlow}, "this side was too slow to read or to finish a frame"},
	wire.ReasonProtocol:  {[]error{ErrProtocol}, "this side broke the protocol"},
	wire.ReasonRefused:   {[]error{ErrRefused}, "this process may not connect to it"},
	wire.ReasonTooMany:   {[]error{ErrRefused, ErrBusy}, "this user has the highest allowed number of connections"},
	wire.ReasonSilent:    {[]error{ErrSilent}, "this side sent nothing for too long, not even a heartbeat"},
	wire.ReasonShutdown:  {[]error{ErrShutdown}, "it shuts down"},
}

// blames reports whether the server closed the connection because of the first message that it
// had not acknowledged, or because of other bytes at the place of that message.
func (e *closedError) blames() bool {
	return e.Code != "" && e.Code != wire.ReasonShutdown && e.Code != wire.ReasonUnsettled
}

// closedError is ErrDisconnected with the reason that a server of rxipc gave.
type closedError struct{ wire.CloseReason }

func (e *closedError) Error() string {
	if e.Code == "" {
		return ErrDisconnected.Error()
	}
	says := closeReasons[e.Code].says
	if says == "" {
		says = fmt.Sprintf("for the reason %q", e.Code) // the server is of a later version
	}
	if e.Limit > 0 {
		says += fmt.Sprintf(" of %d bytes", e.Limit)
	}
	if e.Unsettled {
		says += ", and messages were still being handled"
	}
	return ErrDisconnected.Error() + ": " + says
}

// Unwrap returns ErrDisconnected and the errors of the reason.
func (e *closedError) Unwrap() []error {
	return append([]error{ErrDisconnected}, closeReasons[e.Code].is...)
}
