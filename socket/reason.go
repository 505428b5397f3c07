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

// Reason names in a word why a connection ended or a message was not acknowledged, for
// the labels of metrics and for lines of the log, of which there should be few:
//
//	closed         in an orderly way, by either side: nil, ErrDisconnected
//	left           the other side is gone without a word: io.ErrUnexpectedEOF
//	protocol       it broke the protocol: ErrProtocol
//	too_large      it sent too much: ErrTooLarge
//	too_slow       it took longer than it may: ErrTooSlow
//	silent         nothing came from it for Config.SilenceTimeout: ErrSilent
//	not_allowed    a client that may not connect, or a server that is not trusted:
//	               fs.ErrPermission, ErrRefused, ErrUntrusted
//	too_many       a client whose user has as many connections as one may
//	panic          a handler panicked, or called runtime.Goexit: to a client ErrPanicked
//	rejected       a handler rejected the message, or its response could not be sent: to
//	               a client ErrRejected
//	shut           the connection was closed from here before: net.ErrClosed
//	timeout        a deadline passed
//	cancelled      a context was cancelled
//	other          anything else
func Reason(err error) string {
	var p *stream.PanicError
	var e *Error
	switch {
	case err == nil:
		return "closed"
	case errors.Is(err, errUnwound), errors.As(err, &p):
		return "panic"
	case errors.As(err, &e) && e.Op == opHandle: // with a reason of the user's
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

// reasons names the sentinels, those first that may wrap others.
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
