// Package socket lets processes on one machine exchange messages by name, over
// the protocol of innmind/ipc, and shows connections and messages as observables
// of package stream, so that servers are pipelines.
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
// It is made of [IPC.Listen], the observable of connections, and
// [Connection.Exchanges], the observable of one connection's messages with the
// means to answer each. [Exchanges] merges those of all connections into one
// ordered stream, for a server that keeps one state for everybody.
//
// # Who acknowledges
//
// An [Exchange] is acknowledged when it has been handled: when the pipeline's
// yield has returned, in the same write as its responses. So a message that was
// filtered out is acknowledged too (that was its handling), one whose handler
// panicked is not, and what was acknowledged has had its effect. To answer later,
// or from another goroutine, take [Exchange.Hold]: the answer is then the
// holder's, and leaves in the order of the messages. Behind a stage that buffers, such as
// [operators.ObserveOn], that is a must: see [Exchanges]. [Continuation.Reject] and
// [Exchange.Reject] leave a message unacknowledged, with an error.
//
// A handler that works for long takes [Continuation.Context], or [Exchange.Context]: it is
// done within a second when the client is gone.
//
// # Client
//
// [IPC.ConnectTo] waits for a server, [IPC.Dial] does not; both give a [Process]; [Send], [Wait] and [Request]
// chain on it with package fold, and every result opens to plain Go with Get.
//
// [Process.SendAll] and [Process.RequestAll] are the same as stages of a pipeline, with
// many messages in flight. [IPC.Pool] is for many callers at the same time, and
// [IPC.Follow] is what a server pushes, across its restarts.
//
// # Why a call failed
//
// Each error wraps a sentinel for the way in which the call ended, and says the reason that
// was known last; when a context ended it wraps its cause, too.
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
//	it was closed from here                  net.ErrClosed
//
// The reasons behind ErrDisconnected come from servers of rxipc; of others the error says
// what may have been.
//
// # Who may talk
//
// By default processes of one user, and root: the folder of the sockets must be in
// nobody else's hands, the sockets are private, and both sides ask the system who is
// at the other end before they listen to it. [Unix] says how to share a folder,
// [Config] whom to let in ([Users], [Groups], an [Authorizer] of your own) and how many
// at a time; [Connection.Peer] is who it is.
//
// # Restart
//
// A server takes over the sockets of a manager of services, such as systemd, with
// [Unix].Inherit, and reports its state to it with package socket/systemd. [IPC.HandOver]
// replaces a running server by a new process without a client being refused.
//
// # Watching a daemon
//
// [Config].Log gets a line about what an operator should know, with the name, the number of
// the connection, its client, and a reason (see [Reason]). Errors are handlers and hooks that
// panicked and answers that could not be sent; by default [slog.Default] gets these and
// nothing else. Warnings are clients that break the protocol or a limit or are refused. A
// message that a handler rejects is information. Connections that come and go are for
// debugging. Messages have no line. [Hooks] are called for each message, and metrics and traces are made of those:
// the module socket/otel does so for OpenTelemetry, and has a table of all that is reported.
//
// A handler of [Server.With] that panics ends its connection alone, unless
// [Server.LetPanic] says otherwise; in a pipeline of your own the panic is yours.
//
// # Limits
//
// What is bounded, and by what, is in [Config]. The bytes on the wire are
// described in PROTOCOL.md.
//
// # Memory
//
// A connection over a socket that waits holds no buffer. With [Server.With] and [Exchanges]
// on Linux it has no goroutine either, once it got no message for one to two seconds:
// one goroutine waits for all of them, with epoll(7), and starts one for a connection when
// something comes, which takes some 10 microseconds. So it costs a server 2 to 2.6 KiB,
// heartbeats included, with no hooks and a small carry.
//
// With [Connection.Exchanges] and [Connection.Messages], on other systems, and when there
// is no descriptor left for epoll, it waits on a goroutine, of which the stack is 4 KiB:
// about 6 KiB in all. (On Windows, and over connections that are no sockets, it holds what
// it reads into besides: 4 KiB, or 64 KiB once a read has filled those.)
//
// A message that is handled for more than half a second has its connection read ahead
// meanwhile, into the same buffer, to notice that the client closes.
//
// While bytes come and go it borrows
//
//   - 64 KiB for the moment of reading; what came is kept in 4 KiB if it fits, until it is
//     handled, and else in those;
//   - the content of the message that is coming: 64 KiB at once, or as much as it has
//     sent before, up to 1 MiB; beyond that, at most four times what has come of it;
//     and never more than [Config.MaxMessage], besides the piece that is outgrown;
//   - the answers that are not written yet: 32 KiB and those of one exchange. Contents
//     from 16 KiB on are not copied, but kept until they are written.
//
// So a client that means harm makes a server hold 68 KiB with a few bytes, up to 1 MiB
// if it has sent a message as long before, and more only by sending a quarter of it, up
// to 1.25 times MaxMessage; by not reading, what the handler answers at once; by
// being held, [ServerConfig.MaxHeld] answers. The first lasts [Config.FrameTimeout] at most,
// the second twice [ServerConfig.WriteTimeout], the third is up to who holds them; and there
// are [ServerConfig.MaxConnections] clients.
package socket
