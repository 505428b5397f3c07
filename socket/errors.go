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

// The sentinels of the package. What the package returns wraps them, mostly
// inside an *Error, so they are tested with errors.Is. Whatever is used after it
// was closed answers with net.ErrClosed.
var (
	// ErrProtocol says that the peer sent bytes that break the wire protocol. The
	// connection they came from cannot be read any further.
	ErrProtocol = wire.ErrProtocol

	// ErrTooLarge says that the content of a message passes the limit: of the
	// sender, found before a byte is written, or of the receiver, found before a
	// byte is stored.
	ErrTooLarge = wire.ErrTooLarge

	// ErrTooSlow says that the other side took longer than it may: to complete the
	// handshake, to finish a frame that it had begun, or to read what it was sent; see
	// Config. It wraps os.ErrDeadlineExceeded.
	ErrTooSlow = framed.ErrTooSlow

	// ErrSilent says that nothing came from the other side, heartbeats included, for
	// Config.SilenceTimeout: it is stopped, hangs, or cannot be reached.
	ErrSilent = framed.ErrSilent

	// ErrReserved says that the content of a message equals a control message of the
	// protocol, innmind/ipc:heartbeat for instance. No media type carries it as a
	// message everywhere: innmind/ipc 5.x tells control messages by their content
	// alone. Any other content will do, such as the same and a space; see
	// [Message.IsReserved].
	ErrReserved = errors.New("content is reserved by the protocol")

	// ErrInvalid says that a name or a media type breaks its grammar, or is the
	// zero value where one is needed.
	ErrInvalid = unixsock.ErrInvalid

	// ErrInUse says that a name is already served. The error names the process if that is
	// known: of a server of rxipc by the lock that it holds, of any other server by the
	// system, on Linux and macOS alone.
	ErrInUse = unixsock.ErrInUse

	// ErrNotListening says that nobody listens on a name now: there is no socket,
	// or one that its server left behind. A server may start later, so trying
	// again makes sense.
	ErrNotListening = unixsock.ErrNotListening

	// ErrHandingOver says that an [IPC.HandOver] is under way, so that another one
	// cannot begin.
	ErrHandingOver = unixsock.ErrHandingOver

	// ErrSuccessor says that the process that was to be handed over to did not take
	// over: it ended, or did not listen on each name before the context ended.
	ErrSuccessor = unixsock.ErrSuccessor

	// ErrBusy says that somebody listens on a name but its queue of connections
	// not accepted yet is full. Trying again, after a moment, makes sense.
	ErrBusy = unixsock.ErrBusy

	// ErrNoConnection says that all connections of a [Pool] have as many requests as they
	// may, until the context of a further one ended. See PoolConfig.
	ErrNoConnection = errors.New("no connection of the pool is free")

	// ErrUntrusted says that [ClientConfig.Servers] does not trust the server that listens on a
	// name. With the authorizers of this package the error wraps fs.ErrPermission, too.
	ErrUntrusted = errors.New("the server is not trusted")

	// ErrRefused says that the server does not let this process in, see Config.Clients. The
	// error wraps ErrBusy, too, when the reason is Config.MaxPerUser: one connection fewer
	// and it may come in.
	ErrRefused = errors.New("the server refused the connection")

	// ErrRejected says that a handler rejected a message: to a client, the first one that
	// the server did not acknowledge. It may be that the response could not be sent. To a
	// server it is the reason where none was given.
	ErrRejected = errors.New("the message was rejected")

	// ErrPanicked says that the server's handler panicked: at the first message that is not
	// acknowledged.
	ErrPanicked = errors.New("the handler panicked")

	// ErrShutdown says that the server closed the connection because it ends.
	ErrShutdown = errors.New("the server shuts down")

	// ErrDisconnected says that the other side closed the connection.
	ErrDisconnected = errors.New("the server closed the connection")

	// ErrUnread says that so many messages are unread that no more are taken in:
	// see Config.MaxUnread.
	ErrUnread = errors.New("too many unread messages")

	// ErrNoResponse says that the server acknowledged a request, and the message after it,
	// without having responded to it.
	ErrNoResponse = errors.New("the request was acknowledged and not responded to")

	// ErrNoHandshake says that a connection was made but the server did not begin the
	// handshake: nothing came, or it closed the connection first. The error says which.
	ErrNoHandshake = errors.New("no handshake")
)

// Error is the structured error of the package: what was being done, to which
// name, and why it failed. Use errors.As to get at it and errors.Is to test what
// it wraps.
type Error struct {
	// Op is what failed: "listen", "connect", "parse name".
	Op string

	// Name is the process name it was about, empty when there is none.
	Name string

	// Err is the cause.
	Err error
}

// Error reads "socket: op name: cause", without the name when there is none.
// An *Error among the causes does not repeat the prefix, nor the same name.
func (e *Error) Error() string { return prefix + e.words("") }

// prefix is what an error of the package begins with.
const prefix = "socket: "

// words is the text without the prefix, and without a name that has been given.
func (e *Error) words(given string) string {
	op := e.Op
	if e.Name != "" && e.Name != given {
		op += " " + e.Name
	}
	return op + ": " + causeText(e.Err, cmp.Or(e.Name, given))
}

// causeText is the text of a cause behind a prefix and a name that have been given.
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

// gaveUp joins the end of ctx, if it has ended, and the reason known last, if there is one.
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

// errClosedHere is net.ErrClosed with the side that closed.
var errClosedHere = fmt.Errorf("it was closed from here: %w", net.ErrClosed)

// errUnwound is why a connection ended whose exchange was given up by a panic or
// runtime.Goexit that went on to who runs the pipeline.
var errUnwound = errors.New("a panic or runtime.Goexit ended the handling")

// errTooMany is why a connection is refused that would be one more than a user may have.
var errTooMany = errors.New("as many as one user may")

// opHandle is the Op of an error of who handled a message.
const opHandle = "handle"
