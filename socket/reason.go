package socket

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"

	"github.com/rxipc/rxipc/socket/internal/wire"
	"github.com/rxipc/rxipc/stream"
)

// Reason returns a word for why a connection ended or a message was not acknowledged. There
// are few words, so that they can be labels of metrics:
//
//	closed         either side closed in an orderly way: nil, ErrDisconnected
//	left           the other side left without a close: io.ErrUnexpectedEOF
//	protocol       the other side broke the protocol: ErrProtocol
//	too_large      the other side sent too large a message: ErrTooLarge
//	too_slow       the other side exceeded a time limit: ErrTooSlow
//	silent         nothing arrived for Config.SilenceTimeout: ErrSilent
//	not_allowed    the server refused the client, or the client does not trust the server:
//	               fs.ErrPermission, ErrRefused, ErrUntrusted
//	too_many       the user of the client has the highest allowed number of connections
//	panic          a handler panicked or called runtime.Goexit; for a client ErrPanicked
//	rejected       a handler rejected the message, or its response could not be sent; for a
//	               client ErrRejected
//	shut           this side had closed the connection before: net.ErrClosed
//	timeout        a deadline passed
//	cancelled      a context was cancelled
//	other          any other error
func Reason(err error) string {
	var p *stream.PanicError
	var e *Error
	switch {
	case err == nil:
		return "closed"
	case errors.Is(err, errUnwound), errors.As(err, &p):
		return "panic"
	case errors.As(err, &e) && e.Op == opHandle: // may wrap any error of the user
		return "rejected"
	}
	for _, named := range reasons {
		if errors.Is(err, named.err) {
			return named.reason
		}
	}
	if wire.IsTimeout(err) {
		return "timeout"
	}
	return "other"
}

// reasons maps the sentinels to words. Sentinels that may wrap others come first.
var reasons = []struct {
	err    error
	reason string
}{
	{ErrProtocol, "protocol"},
	{ErrTooLarge, "too_large"},
	{ErrTooSlow, "too_slow"},
	{ErrSilent, "silent"},
	{errTooMany, "too_many"},
	{ErrRejected, "rejected"},
	{ErrPanicked, "panic"},
	{ErrRefused, "not_allowed"},
	{ErrUntrusted, "not_allowed"},
	{fs.ErrPermission, "not_allowed"},
	{ErrDisconnected, "closed"},
	{io.ErrUnexpectedEOF, "left"},
	{net.ErrClosed, "shut"},
	{context.DeadlineExceeded, "timeout"},
	{context.Canceled, "cancelled"},
}
