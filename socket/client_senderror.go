package socket

import (
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/rxipc/rxipc/socket/internal/framed"
	"github.com/rxipc/rxipc/socket/internal/wire"
)

// SendError tells which messages arrived. It counts them in the order in which Send was given
// them, or the source of SendAll or RequestAll emitted them.
type SendError struct {
	// Acknowledged is how many messages, from the first on, the server acknowledged. They
	// have been handled.
	Acknowledged int

	// Sent is how many messages were written, with the acknowledged ones, the last one perhaps
	// in part. Messages from Sent on were not written and can be sent again safely. Messages
	// from Acknowledged to Sent may have been handled, see Doubtful.
	Sent int

	// Err is why the others were not acknowledged.
	Err error

	// ahead is how many messages of other calls were written before these, and are not
	// acknowledged.
	ahead int
}

// Doubtful is how many messages, from Acknowledged on, may have been handled without an
// acknowledgement. The messages behind them were not handled, and can be sent again safely.
//
// A server of rxipc acknowledges all handled messages before it closes a connection in an
// orderly way, with ErrDisconnected. So no message is doubtful then. One is if the server closed
// because its handler rejected it or panicked. All unacknowledged messages are doubtful if the
// server still held some of them at the end of its Config.Grace, after any other end (the death
// of the server, the end of a context), and with any server that is not of rxipc.
func (e *SendError) Doubtful() int {
	unacknowledged := e.Sent - e.Acknowledged
	if closed, ok := errors.AsType[*closedError](e.Err); ok {
		return max(0, closed.Doubtful(e.ahead+unacknowledged)-e.ahead)
	}
	return unacknowledged
}

// failing is how many messages, from the first on, must not be sent again as they are: the
// acknowledged and doubtful ones, and the one for which the server closed.
func (e *SendError) failing() int {
	n := e.Acknowledged + e.Doubtful()
	if closed, ok := errors.AsType[*closedError](e.Err); ok && closed.blames() && e.ahead == 0 {
		n = max(n, min(e.Acknowledged+1, e.Sent))
	}
	return n
}

// Error returns the numbers if there were several messages, the cause, and whether the
// unacknowledged messages may have been handled.
func (e *SendError) Error() string {
	text := e.Err.Error()
	if e.Sent >= 2 {
		text = fmt.Sprintf("%d sent, %d of them acknowledged: %s", e.Sent, e.Acknowledged, text)
	}
	doubtful := e.Doubtful()
	unhandled := e.Sent - e.Acknowledged - doubtful
	switch {
	case doubtful == 1:
		text += "; one message may have been handled"
	case doubtful > 1:
		text += fmt.Sprintf("; %d messages may have been handled", doubtful)
	case unhandled == 1:
		return text + "; one message was not handled"
	case unhandled > 1:
		return text + fmt.Sprintf("; %d messages were not handled", unhandled)
	case e.Acknowledged == 1 && e.Sent == 1:
		text += "; the message was handled"
	}
	if unhandled > 0 {
		text += fmt.Sprintf(", %d not", unhandled)
	}
	return text
}

// Unwrap returns the cause.
func (e *SendError) Unwrap() error { return e.Err }

// undone adds to err, the end of a context or connection, what a written message lacks.
func undone(err error, acknowledged int, m Message) error {
	switch {
	case acknowledged > 0:
		return fmt.Errorf("acknowledged, but not responded to: %w", err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%d bytes sent, but not acknowledged: %w", m.Len(), err)
	}
	return fmt.Errorf("sent, but not acknowledged: %w", err)
}

// failure returns the structured error of an operation.
func (p *Process) failure(op string, err error) error {
	var failed *SendError
	sent := errors.As(err, &failed)
	switch {
	case err == net.ErrClosed:
		err = errClosedHere
	case sent && failed.Err == net.ErrClosed:
		failed.Err = errClosedHere
	case sent && op == "send" && p.mayHaveCrossed(failed.Err):
		failed.Err = fmt.Errorf("%w (%s)", failed.Err, crossed)
	}
	return &Error{Op: op, Name: p.name.String(), Err: err}
}

// crossed explains what may have ended a server of innmind/ipc 5.x.
const crossed = "a server of innmind/ipc 5.x that responds ends when the next message comes before its response is acknowledged, " +
	"which Request, RequestAll and Pool see to and Send cannot"

// mayHaveCrossed reports whether crossed may be why the server is gone.
func (p *Process) mayHaveCrossed(err error) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.ours && p.dialect == wire.KindAck && p.sent > 1 && framed.IsGone(err)
}
