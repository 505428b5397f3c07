package socket

import (
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/rxipc/rxipc/socket/internal/framed"
	"github.com/rxipc/rxipc/socket/internal/wire"
)

// SendError tells which of some messages arrived, counted in the order in which they
// were given to Send, or came from the source of SendAll or RequestAll.
type SendError struct {
	// Acknowledged is how many the server acknowledged, from the first on: those have
	// been handled.
	Acknowledged int

	// Sent is how many were written, those acknowledged among them, the last one
	// perhaps in part. Those from Sent on were not written; to send them again is
	// safe. Those between may have been handled, see Doubtful.
	Sent int

	// Err is the reason why the others were not acknowledged.
	Err error
}

// Doubtful is how many messages may have been handled without being acknowledged, the
// first ones of those behind the acknowledged ones. All that follow were not handled for
// sure, and can be sent again safely.
//
// A server of rxipc acknowledges all that it has handled before it closes a connection in
// good order, with ErrDisconnected: none is doubtful then. One is if the server closed
// because its handler rejected that message, or panicked. All unacknowledged messages are
// doubtful if the server still held some of them when its Config.Grace was up, after any other
// end, such as the death of the server or the end of a context, and with any other server.
func (e *SendError) Doubtful() int {
	unacknowledged := e.Sent - e.Acknowledged
	if closed, ok := errors.AsType[*closedError](e.Err); ok {
		return closed.Doubtful(unacknowledged)
	}
	return unacknowledged
}

// failing is how many of those sent, from the first on, it makes no sense to send again as
// they are: those acknowledged or doubtful, and the one for which the server closed.
func (e *SendError) failing() int {
	n := e.Acknowledged + e.Doubtful()
	if closed, ok := errors.AsType[*closedError](e.Err); ok && closed.blames() {
		n = max(n, min(e.Acknowledged+1, e.Sent))
	}
	return n
}

// Error gives the cause, before it the numbers when there were several messages, and behind
// it whether the unacknowledged messages may have been handled.
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

// undone says of a message that was written what is missing, once ctx has ended or the
// connection has.
func undone(err error, acknowledged int, m Message) error {
	switch {
	case acknowledged > 0:
		return fmt.Errorf("acknowledged, but not responded to: %w", err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%d bytes sent, but not acknowledged: %w", m.Len(), err)
	}
	return fmt.Errorf("sent, but not acknowledged: %w", err)
}

// failure makes the structured error of an operation.
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

// crossed is what may have ended a server of innmind/ipc 5.x.
const crossed = "a server of innmind/ipc 5.x that responds ends when the next message comes before its response is acknowledged, " +
	"which Request, RequestAll and Pool see to and Send cannot"

// mayHaveCrossed reports whether the server may be gone because of that.
func (p *Process) mayHaveCrossed(err error) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.ours && p.dialect == wire.KindAck && p.sent > 1 && framed.IsGone(err)
}
