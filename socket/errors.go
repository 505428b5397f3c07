package socket

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/rxipc/rxipc/socket/internal/framed"
	"github.com/rxipc/rxipc/socket/internal/unixsock"
	"github.com/rxipc/rxipc/socket/internal/wire"
)

// The sentinels of the package. Its errors wrap them, mostly inside an *Error, so test for
// them with errors.Is. A call on a closed object fails with net.ErrClosed.
var (
	// ErrProtocol means that the peer sent bytes that break the wire protocol. The
	// connection cannot be read any further.
	ErrProtocol = wire.ErrProtocol

	// ErrTooLarge means that the content of a message exceeds a limit: the sender's limit,
	// checked before a byte is written, or the receiver's limit, checked before a byte is
	// stored.
	ErrTooLarge = wire.ErrTooLarge

	// ErrTooSlow means that the other side exceeded a time limit: for the handshake, for
	// finishing a frame that it had begun, or for reading. See Config. It wraps
	// os.ErrDeadlineExceeded.
	ErrTooSlow = framed.ErrTooSlow

	// ErrSilent means that nothing arrived from the other side, heartbeats included, for
	// Config.SilenceTimeout: it is stopped, hangs, or cannot be reached.
	ErrSilent = framed.ErrSilent

	// ErrReserved means that the content of a message equals a control message of the
	// protocol, for instance innmind/ipc:heartbeat. Such a message cannot be sent with any
	// media type, because innmind/ipc 5.x recognises control messages by their content
	// only. Any other content can be sent, for instance the same content followed by a
	// space; see [Message.IsReserved].
	ErrReserved = errors.New("content is reserved by the protocol")

	// ErrInvalid means that a name or a media type breaks its grammar, that a zero value
	// was given for a required value, or that a Config is invalid.
	ErrInvalid = unixsock.ErrInvalid

	// ErrInUse means that another server listens on the name. The error names its process if
	// that is known: for an rxipc server from the lock that it holds, for another server
	// from the system, on Linux and macOS only.
	ErrInUse = unixsock.ErrInUse

	// ErrNotListening means that no server listens on the name now: there is no socket, or
	// only the socket of a server that has ended. A server may start later, so a retry may
	// succeed.
	ErrNotListening = unixsock.ErrNotListening

	// ErrHandingOver means that another [IPC.HandOver] is in progress.
	ErrHandingOver = unixsock.ErrHandingOver

	// ErrSuccessor means that the successor of a hand-over did not take over: it ended, or
	// it did not listen on each name before the context ended.
	ErrSuccessor = unixsock.ErrSuccessor

	// ErrBusy means that a server listens on the name, but its queue of connections that
	// wait to be accepted is full. A retry after a moment may succeed.
	ErrBusy = unixsock.ErrBusy

	// ErrNoConnection means that all connections of a [Pool] had their highest number of
	// requests in flight until the context of a further request ended. See PoolConfig.
	ErrNoConnection = errors.New("no connection of the pool is free")

	// ErrUntrusted means that [ClientConfig.Servers] does not trust the server that listens
	// on the name. With the authorizers of this package the error wraps fs.ErrPermission,
	// too.
	ErrUntrusted = errors.New("the server is not trusted")

	// ErrRefused means that the server refused the connection of this process, see
	// Config.Clients. The error wraps ErrBusy, too, if the reason is Config.MaxPerUser; a
	// retry may succeed when the user has fewer connections.
	ErrRefused = errors.New("the server refused the connection")

	// ErrRejected means that a handler rejected a message, or that its response could not be
	// sent. For a client it is the first message that the server did not acknowledge. For a
	// server it is the reason of a rejection without a reason.
	ErrRejected = errors.New("the message was rejected")

	// ErrPanicked means that the server's handler panicked while it handled the first
	// message that the server did not acknowledge.
	ErrPanicked = errors.New("the handler panicked")

	// ErrShutdown means that the server closed the connection because it ends.
	ErrShutdown = errors.New("the server shuts down")

	// ErrDisconnected means that the other side closed the connection.
	ErrDisconnected = errors.New("the server closed the connection")

	// ErrUnread means that a client has too many unread messages to read further ones, see
	// Config.MaxUnread.
	ErrUnread = errors.New("too many unread messages")

	// ErrNoResponse means that the server acknowledged a request, and the message after it,
	// without a response to the request.
	ErrNoResponse = errors.New("the request was acknowledged and not responded to")

	// ErrAnswered means that an exchange already has its answer: it was acknowledged after its
	// handling, or its Held was answered before.
	ErrAnswered = errors.New("the exchange is answered already")

	// ErrUnanswered means that an exchange reached a stage that buffers without being answered or
	// held: see [Exchanges].
	ErrUnanswered = errors.New("the exchange is neither answered nor held")

	// ErrNoHandshake means that a connection was made but the server did not begin the
	// handshake: it sent nothing, or it closed the connection. The error says which.
	ErrNoHandshake = errors.New("no handshake")
)

// Error is the structured error of the package: the failed operation, the name that it was
// about, and the cause. Get it with errors.As, and test the cause with errors.Is.
type Error struct {
	// Op is the failed operation: "listen", "connect", "parse name".
	Op string

	// Name is the name of the process that the operation was about, empty if there is none.
	Name string

	// Err is the cause.
	Err error
}

// Error returns "socket: op name: cause", without the name if that is empty. It does not
// repeat the prefix and the name of an *Error in the cause.
func (e *Error) Error() string { return prefix + e.words("") }

// prefix begins each error text of the package.
const prefix = "socket: "

// words returns the text without the prefix, and without the name if it equals given.
func (e *Error) words(given string) string {
	op := e.Op
	if e.Name != "" && e.Name != given {
		op += " " + e.Name
	}
	return op + ": " + causeText(e.Err, cmp.Or(e.Name, given))
}

// causeText returns the text of a cause, without the prefix and without the name given.
func causeText(err error, given string) string {
	text := err.Error()
	var inner *Error
	if errors.As(err, &inner) {
		text = strings.Replace(text, inner.Error(), inner.words(given), 1)
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// gaveUp joins the cause of ctx, if ctx has ended, and the last known reason, if there is one.
func gaveUp(ctx context.Context, last error) error {
	cause := context.Cause(ctx)
	switch {
	case ctx.Err() == nil:
		return last
	case last == nil:
		return cause
	case errors.Is(last, cause):
		return last
	}
	return fmt.Errorf("%w: %w", cause, last)
}

// errClosedHere is net.ErrClosed with the side that closed the connection.
var errClosedHere = fmt.Errorf("it was closed by this side: %w", net.ErrClosed)

// errUnwound ends a connection when a panic or runtime.Goexit leaves the handling of its
// exchange and passes to the caller that runs the pipeline.
var errUnwound = errors.New("a panic or runtime.Goexit ended the handling")

// errTooMany means that the user of a client has the highest allowed number of connections.
var errTooMany = errors.New("the user has the highest allowed number of connections")

// opHandle is the Op of an error of a handler.
const opHandle = "handle"
