package socket

import (
	"context"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/stream"
)

// Hooks are functions that are called for events, to make metrics and traces. A nil hook is
// not called and costs nothing. The module socket/otel makes hooks for OpenTelemetry.
//
// Queues have no hooks. [Connection.Held], [Process.InFlight] and [Process.Unread] return
// their lengths.
//
// A hook runs on the goroutine of the event, which waits for it. A hook that blocks therefore
// delays its own connection, and no other one. Hooks of different connections run
// concurrently. The panic of a hook is logged as an error with its stack, and the connection
// goes on as if the hook had returned. A hook must not call runtime.Goexit, as FailNow of a
// test does. It must not wait for its own connection, for instance for its end or for a
// message.
//
// No hook carries a trace from one process to another, since the frames of innmind/ipc have
// no place for one beside the content. To match a sent message with a handled one, put an
// identifier into the content.
type Hooks struct {
	ClientHooks // hooks of the client's ends of connections
	ServerHooks // hooks of the server's ends of connections
}

// ClientHooks are the part of [Hooks] that clients call.
type ClientHooks struct {
	// Connected is called after a client's handshake. [IPC.ConnectTo] alone reports a failed
	// handshake.
	Connected func(*Process)

	// Disconnected is called when a connected connection has been closed. The error is nil
	// after [Process.Close], otherwise the error that ended the connection; see [Reason].
	Disconnected func(*Process, error)

	// Sent is called when a message was written, or a part of it that the rest will follow.
	Sent func(*Process, Message)

	// Acknowledged is called once for each sent message: when its acknowledgement has
	// arrived, or when it is certain that none will. It is called before the method that
	// waits for the acknowledgement returns, and perhaps before Sent. If more than 65,536
	// messages of calls that gave up are in flight, it is not called for the others.
	Acknowledged func(Delivery)

	// Arrived is called when a message of the server has arrived.
	Arrived func(*Process, Message)
}

// ServerHooks are the part of [Hooks] that servers call.
type ServerHooks struct {
	// Opened is called when a server begins to read a client's connection, before the
	// handshake. A process that checks whether a server is there (see [IPC.Names]) opens a
	// connection and closes it.
	Opened func(*Connection)

	// Closed is called once for each opened connection, when it has ended.
	Closed func(Ending)

	// Refused is called when the server refuses a client, before it reads a byte. It runs on
	// the goroutine that accepts connections. It is called for each client, while the log
	// has at most one line a second.
	Refused func(Refusal)

	// SocketLost is called when the socket file of a listening server was removed or
	// replaced, so that no new client reached the server. It is called once for each such
	// change, on a goroutine of the listener.
	SocketLost func(SocketLoss)

	// Received is called when a message has arrived, before it is handled.
	Received func(*Connection, Message)

	// Handled is called once for each received message, with its outcome. It is called when
	// the handler has returned, before the acknowledgement is written. For a held exchange,
	// it is called on the goroutine that answers it, or when the connection has ended.
	Handled func(Handling)

	// Pushed is called when [Connection.Send] has written a message.
	Pushed func(*Connection, Message)
}

// Delivery is the outcome of a message that a client sent.
type Delivery struct {
	Process  *Process      // the sender
	Bytes    int           // length of the content
	Start    time.Time     // when the client began to write it
	Duration time.Duration // from Start until the acknowledgement arrived, a response with it

	// Err is nil if the message was acknowledged. Otherwise it is the reason why it will not
	// be, such as net.ErrClosed after [Process.Close]; the server may have handled it or not.
	Err error
}

// Ending is the end of a connection.
type Ending struct {
	Connection *Connection   // the ended connection
	Duration   time.Duration // from when it was opened
	Err        error         // the result of [Connection.Err]; see [Reason]
}

// Refusal is the refusal of a client by a server.
type Refusal struct {
	Name string           // the name that the client connected to, or the listener's address
	Peer fold.Maybe[Peer] // the client's process, if the connection knows it
	Err  error            // the reason, mostly fs.ErrPermission; see [Reason]
}

// SocketLoss is the loss of a server's socket file.
type SocketLoss struct {
	Name Name  // the name that the server listens on
	Err  error // fs.ErrNotExist if the file was removed, ErrInUse if another took its place

	// Restored reports whether the server made the file again, so that clients reach it as
	// before. Otherwise Err says why it could not, and the server tries again every second.
	Restored bool
}

// Handling is the outcome of a message of a client.
type Handling struct {
	Connection *Connection // the connection of the message
	Message    Message     // the received message
	Start      time.Time   // when the server received it

	// Duration is the time from Start until the message was handled. It includes the time of
	// the handler, waiting for the handling of other messages (see [Exchanges]) and
	// waiting for the holder of the exchange.
	Duration time.Duration

	Responses int // number of messages in the answer
	Bytes     int // length of their contents

	// Err is nil if the message was handled and is acknowledged. It is not nil if the message
	// was rejected, if its handler panicked, or if the connection ended before the message
	// was handled or answered. See [Reason].
	Err error
}

// keepMessages reports whether a hook gets the messages that a server receives. It may keep
// them, so their contents are not lent.
func (h *ServerHooks) keepMessages() bool { return h.Received != nil || h.Handled != nil }

// callHook calls a hook that is not nil.
func callHook[T any](log *slog.Logger, hook func(T), about T) {
	defer recoverHook(log)
	hook(about)
}

// callHookEach calls a hook of one connection, if it is set, for each of several values.
func callHookEach[C, T any](log *slog.Logger, hook func(C, T), connection C, each ...T) {
	if hook == nil {
		return
	}
	defer recoverHook(log)
	for _, about := range each {
		hook(connection, about)
	}
}

// recoverHook logs the panic of a hook.
func recoverHook(log *slog.Logger) {
	if value := recover(); value != nil {
		log.LogAttrs(context.Background(), slog.LevelError, "hook panicked", slog.Any("error", panicked(value)))
	}
}

// panicked converts a recovered panic to an error with the stack of the panic.
func panicked(value any) error {
	if p, handedOn := value.(*stream.PanicError); handedOn {
		return p
	}
	return &stream.PanicError{Value: value, Stack: debug.Stack()}
}
