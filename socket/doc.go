// Package socket lets processes on one machine exchange messages by name, over the protocol
// of innmind/ipc. Connections and messages are observables of package stream, so servers and
// clients are pipelines.
//
// # Server
//
// The usual server gives each message to a function and keeps a carry, folded
// with a monoid over all connections:
//
//	total := socket.Serve(ipc, name, fold.Sum[int]()).
//		Monitor(func(total int, next socket.Next[int]) socket.Next[int] {
//			if total == 42 {
//				return next.Finish()
//			}
//			return next
//		}).
//		With(ctx, func(m socket.Message, c socket.Continuation[int], count int) socket.Continuation[int] {
//			return c.Respond(m).CarryWith(count + 1)
//		})
//
// It is made of [IPC.Listen], the observable of connections, and [Connection.Exchanges], the
// observable of one connection's messages with the means to answer each. [Exchanges] merges
// the messages of all connections into one ordered stream, for a server with a single state.
//
// # Acknowledgements
//
// The server acknowledges an [Exchange] once the pipeline's yield has returned, in the same
// write as its responses. So an acknowledged message has been handled. A message that a stage
// filtered out is acknowledged, too. A message whose handler panicked is not.
//
// [Exchange.Hold] is for answers that are given later, or from another goroutine. They leave
// in the order of the messages. A pipeline must hold exchanges, or answer them, before a stage
// that buffers, such as [operators.ObserveOn]: see [Exchanges]. [Commit] acknowledges many held
// exchanges after one fsync. [Continuation.Reject] and
// [Exchange.Reject] leave a message unacknowledged, with an error.
//
// A handler that works for long uses [Continuation.Context], or [Exchange.Context]: it ends
// within a second when the client is gone.
//
// # Client
//
// [IPC.ConnectTo] waits for a server, [IPC.Dial] does not. Both return a [Process]. [Send],
// [Wait] and [Request] chain on it with package fold, and Get turns each result into plain Go.
//
// [Process.SendAll] and [Process.RequestAll] are the same as stages of a pipeline, with many
// messages in flight. [IPC.Pool] serves many callers at the same time. [IPC.Follow] emits what
// a server pushes, across its restarts.
//
// # Why a call failed
//
// Each error wraps a sentinel for the way in which the call ended, and tells the last known
// reason. If a context ended, the error wraps its cause, too.
//
//	nobody listens on the name               ErrNotListening
//	the queue of connections is full         ErrBusy
//	the socket's mode denies                 fs.ErrPermission
//	Config.Servers does not trust it         ErrUntrusted
//	connected, and nothing came              ErrNoHandshake
//	the server speaks another protocol       ErrProtocol, which names it
//	Config.Clients refuses this process      ErrRefused; with ErrBusy: too many of its user
//	the server closed the connection         ErrDisconnected, and one of
//	  it ends                                ErrShutdown
//	  its handler rejected the message       ErrRejected
//	  its handler panicked                   ErrPanicked
//	  the message is too large for it        ErrTooLarge, which tells its limit
//	  this side was too slow, or silent      ErrTooSlow, ErrSilent
//	  this side broke the protocol           ErrProtocol
//	the server is gone without a word        io.ErrUnexpectedEOF
//	nothing comes, no heartbeat either       ErrSilent, see Config.SilenceTimeout
//	a frame that began does not end          ErrTooSlow
//	it sent what it must not                 ErrProtocol, ErrTooLarge
//	no response to a request                 ErrNoResponse
//	too many messages are unread             ErrUnread, which tells the limit
//	all connections of a Pool are busy       ErrNoConnection
//	it was closed by this side               net.ErrClosed
//
// Servers of rxipc tell the reasons behind ErrDisconnected. For other servers the error names
// what may have happened.
//
// # Access
//
// By default processes of the same user, and root, may talk. Nobody else may write to the
// folder of the sockets, the sockets are private, and both sides ask the system for the user at
// the other end before they read a byte. [Unix] tells how to share a folder. [Config] has the
// [Authorizer] of each side, such as [Users], [Groups] and [Named], and how many connections it
// lets in.
// [Connection.Peer] returns the process at the other end.
//
// # Restart
//
// A server takes over the sockets of a manager of services, such as systemd, with
// [Unix].Inherit, and reports its state to it with package socket/systemd. [IPC.HandOver]
// replaces a running server by a new process, and no client is refused.
//
// # Logs and hooks
//
// [Config].Log gets lines for an operator, with the name, the number of the connection, its
// client, and a reason (see [Reason]):
//
//	Error  a handler or hook panicked, an answer could not be sent
//	Warn   a client was refused, or broke the protocol or a limit
//	Info   a handler rejected a message
//	Debug  a connection was opened or closed
//
// [slog.Default] gets the errors by default, and nothing else. Messages have no line. [Hooks]
// are called for each message, for metrics and traces. The module socket/otel makes hooks for
// OpenTelemetry, and has a table of all that is reported.
//
// A handler of [Server.With] that panics ends its own connection only, unless
// [Server.LetPanic] is used. In your own pipeline the panic reaches you.
//
// # Limits
//
// [Config] has all limits. PROTOCOL.md describes the bytes on the wire.
//
// # Memory
//
// An idle connection costs a server
//
//	what reads it                               memory         it holds
//	Server.With or Exchanges, on Linux          2 to 2.6 KiB   no goroutine, no buffer
//	Connection.Exchanges or Messages            6 KiB          a goroutine with a stack of 4 KiB
//	any, on another system                      6 KiB          the same
//	any, on Windows or over no socket           10 to 70 KiB   the same, and a read buffer
//
// The first row counts heartbeats, no hooks, and a small carry. The connection is idle once it
// got no message for one to two seconds. One goroutine waits for all idle connections with
// epoll(7), and starts one for a connection when something comes, which takes some 10
// microseconds. Without a descriptor for epoll the second row holds. A read buffer has 4 KiB,
// or 64 KiB once a read has filled those.
//
// A large message costs mostly the memory that is new for it. [Server.WithViews],
// [ViewExchanges], [Connection.ViewExchanges], [Process.RequestView] and [Pool.RequestView] lend a
// message instead: their functions get a [View], which is valid until they return, and its memory is used again
// for the next message. A server that answers with the View copies nothing. For requests of 1 MiB
// that takes half of the time. A View that is used later panics, and says how to keep the
// message.
//
// While bytes come and go a connection borrows
//
//   - 64 KiB for the time of a read. What came is kept in 4 KiB if it fits there, otherwise in
//     these, until it is handled. While a handler takes more than half a second, the
//     connection is read ahead into the same buffer, to notice that the client closes.
//   - the content of the message that is coming: 64 KiB at once, or as much as the client has
//     sent before, up to 1 MiB. Beyond that it is at most four times what has come, and never
//     more than [Config.MaxMessage]. A buffer that is outgrown stays until it is copied.
//   - 512 bytes for up to 16 small messages that came together. Their contents share memory, so a
//     program that keeps one of them keeps that of the others.
//   - as much as the content, and up to a quarter more, if contents are lent: until the message has been handled
//     and an answer with its View was written. Up to 64 MiB of such memory are kept for use
//     again, in all of the program. The program gives back what it did not need between two
//     garbage collections. Go has one at least every two minutes.
//   - the answers that are not written yet: 32 KiB, and those of one exchange. Contents of
//     16 KiB and more are not copied, but kept until they are written.
//
// So this is what a hostile client makes a server hold, at most, for each connection:
//
//	what it does                           memory it pins            for how long          setting
//	connects, and says nothing             an idle connection        HandshakeTimeout      HandshakeTimeout
//	begins a message                       68 KiB                    FrameTimeout          FrameTimeout
//	the same, after one that was as long   1 MiB                     FrameTimeout          FrameTimeout
//	sends a quarter of a message           1.25 times MaxMessage     FrameTimeout          MaxMessage
//	reads no answers                       32 KiB, and the answers   twice WriteTimeout    WriteTimeout
//	                                       of one exchange
//	sends while its answers are held       MaxHeldBytes, and one     until they are given  MaxHeldBytes,
//	                                       message                                         MaxHeld
//
// [ServerConfig.MaxConnections] limits the connections, and [ServerConfig.MaxPerUser] those of
// another user.
package socket
