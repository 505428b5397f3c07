package socket

import (
	"context"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/stream"
)

// Hooks are functions that are called when something happens, to make metrics and traces of.
// Each may be nil, and costs nothing then. The module socket/otel makes hooks for
// OpenTelemetry.
//
// Queues have no hooks. [Connection.Held], [Process.InFlight] and [Process.Unread] return
// their lengths.
//
// A hook is called on the goroutine of the event, which waits for it. So a hook that blocks
// holds up its connection, and no other one. Hooks of different connections are called at
// the same time. The panic of a hook is logged as an error with its stack, and the
// connection goes on as if the hook had returned. A hook must not call runtime.Goexit (as
// FailNow of a test does). It must not wait for its own connection, to be closed or to take
// a message for instance.
//
// No hook carries a trace from one process to another, since the frames of innmind/ipc have
// no place for one beside the content. To match what a client sent with what a server
// handled, put an identifier into the content.
type Hooks struct {
	ClientHooks // for the client's ends of connections
	ServerHooks // for the server's ends of connections
}

// ClientHooks are the part of [Hooks] that clients call.
type ClientHooks struct {
	// Connected is called when a client's handshake is done. A handshake that fails is the
	// error of [IPC.ConnectTo] alone.
	Connected func(*Process)

	// Disconnected is called when a connection that was connected is closed. The error is
	// nil after [Process.Close], otherwise what ended the connection; see [Reason].
	Disconnected func(*Process, error)

	// Sent is called when a message was written, perhaps in part, for the rest to follow.
	Sent func(*Process, Message)

	// Acknowledged is called once for each message that was sent: when its acknowledgement
	// has come, or when it is known that none will come. It is called before the method that
	// waits for the acknowledgement returns, and perhaps before Sent. When more than 65,536
	// messages of calls that gave up are in flight, it is not called for those beyond.
	Acknowledged func(Delivery)

	// Arrived is called when a message of the server has come.
	Arrived func(*Process, Message)
}

// ServerHooks are the part of [Hooks] that servers call.
type ServerHooks struct {
	// Opened is called when a server begins to read a client's connection, before the
	// handshake. Processes that look whether a server is there (see [IPC.Names]) open a
	// connection and close it.
	Opened func(*Connection)

	// Closed is called once for each connection that was opened, when it has ended.
	Closed func(Ending)

	// Refused is called when a client was turned away before a byte of it was read. It is
	// called on the goroutine that accepts connections, for each client, while the log has
	// one line a second.
	Refused func(Refusal)

	// SocketLost is called when the socket file of a name that is listened on was removed or
	// replaced, so that no new client reached the server. It is called once for each such
	// change, on a goroutine of the listener.
	SocketLost func(SocketLoss)

	// Received is called when a message has come, before it is handled.
	Received func(*Connection, Message)

	// Handled is called once for each message that was received, with what became of it. It
	// is called when the handler has returned, before the acknowledgement is written. For an
	// exchange that is held, it is called on the holder's goroutine once the holder has
	// answered, or when the connection has ended.
	Handled func(Handling)

	// Pushed is called when a message was written with [Connection.Send].
	Pushed func(*Connection, Message)
}

// Delivery is what became of a message that a client sent.
type Delivery struct {
	Process  *Process      // that sent the message
	Bytes    int           // length of its content
	Start    time.Time     // when it began to be written
	Duration time.Duration // from Start until its acknowledgement came, a response with it

	// Err is nil when it was acknowledged, otherwise why it will not be: net.ErrClosed
	// after [Process.Close]. Whether it was handled is not known then.
	Err error
}

// Ending is how a connection ended.
type Ending struct {
	Connection *Connection   // that ended
	Duration   time.Duration // from when it was opened
	Err        error         // what [Connection.Err] returns; see [Reason]
}

// Refusal is why a client was turned away.
type Refusal struct {
	Name string           // that it connected to, or the address of the listener
	Peer fold.Maybe[Peer] // its process, where the connection knows it
	Err  error            // fs.ErrPermission, mostly; see [Reason]
}

// SocketLoss is how a server lost its socket file.
type SocketLoss struct {
	Name Name  // that the server listens on
	Err  error // fs.ErrNotExist when it was removed, ErrInUse when another is in its place

	// Restored: it was made again, and clients reach the server as before. Otherwise they
	// do not, and Err tells why it could not be made. The server looks again every second.
	Restored bool
}

// Handling is what became of a message of a client.
type Handling struct {
	Connection *Connection // that the message came by
	Message    Message     // as it was received
	Start      time.Time   // when it was received

	// Duration is the time from Start until the message was handled. The time of its handler
	// counts, and so do waits for the handling of other messages (see [Exchanges]) and for
	// its holder.
	Duration time.Duration

	Responses int // how many messages it is answered with
	Bytes     int // length of their contents

	// Err is nil for a message that was handled and is acknowledged. It is not nil for one
	// that was rejected, whose handler panicked, or whose connection ended before it was
	// handled or answered. See [Reason].
	Err error
}

// tell calls a hook that is there.
func tell[T any](log *slog.Logger, hook func(T), about T) {
	defer survive(log)
	hook(about)
}

// tellEach calls a hook, if it is there, for each of what is about one connection.
func tellEach[C, T any](log *slog.Logger, hook func(C, T), connection C, each ...T) {
	if hook == nil {
		return
	}
	defer survive(log)
	for _, about := range each {
		hook(connection, about)
	}
}

// survive keeps the panic of a hook from what it was told of.
func survive(log *slog.Logger) {
	if value := recover(); value != nil {
		log.LogAttrs(context.Background(), slog.LevelError, "hook panicked", slog.Any("error", panicked(value)))
	}
}

// panicked is a recovered panic as an error, with the stack it happened on.
func panicked(value any) error {
	if p, handedOn := value.(*stream.PanicError); handedOn {
		return p
	}
	return &stream.PanicError{Value: value, Stack: debug.Stack()}
}
