// Package rpc has typed requests over package socket: methods with types for their requests and
// responses, errors and deadlines that travel, streams of answers and notifications.
//
// # Methods
//
// A [Method] is a value that server and client share: a name, and the types of its request and
// response. A [Stream] has any number of answers, a [Notice] none.
//
//	var (
//		Status  = rpc.NewMethod[StatusRequest, StatusReply]("status")
//		Tail    = rpc.NewStream[TailRequest, Line]("tail")
//		Touched = rpc.NewNotice[string]("touched")
//	)
//
// # Server
//
//	server := rpc.NewServer(
//		rpc.Handle(Status, func(ctx context.Context, r StatusRequest) (StatusReply, error) { … }),
//		rpc.HandleStream(Tail, func(ctx context.Context, r TailRequest) stream.Observable[Line] { … }),
//		rpc.HandleNotice(Touched, func(ctx context.Context, file string) error { … }),
//	)
//	err := server.Serve(ctx, ipc, name)
//
// [Server.Serve] is a server of its own. [Server.Answer] is the same as a stage of a pipeline of
// exchanges, and passes on what asks for no method. [Inline] is a handler for [socket.Server.With].
//
// # Client
//
//	reply, err := Status.Call(ctx, pool, StatusRequest{})       // a Pool or a Process
//	err = Tail.Observe(pool, TailRequest{}).ForEach(ctx, print) // over a connection of its own
//	err = Touched.Send(ctx, process, "a.txt", "b.txt")
//
// A [socket.Pool] connects at the first call, waits for a server, and connects again when that has
// restarted. A [socket.Process] from [socket.IPC.Dial] fails at once when there is no server.
//
// # Order and concurrency
//
//	what                    runs                                  the next of the connection
//	a call, a stream        on a goroutine of its own, up to 64   begins meanwhile; its response waits
//	a notification          on the goroutine of the connection    waits until it is handled
//	a call that is Inline   on the goroutine of the connection    waits until it is handled
//	anything, with Inline   on the goroutine of the connection    waits until it is handled
//
// Responses leave in the order of the requests of a connection, as the protocol has it. So a client
// whose calls must not wait for each other uses a pool, which has a connection for each.
//
// # Errors
//
// A [Problem] travels, with its members. Everything else stays in the server: the caller gets
// [ErrFailed], and the log the error.
//
//	what the client tests for       when
//	errors.As a *Problem            the server answered with it
//	ErrUnknownMethod                the server has no such method
//	ErrBadRequest                   the server could not decode the request
//	ErrFailed                       the handler failed
//	socket.ErrPanicked              the handler panicked
//	context.DeadlineExceeded        the time is over, on either side
//	socket.ErrShutdown              the server ended meanwhile
//	socket.ErrTooLarge, ErrReserved the response cannot be sent
//	ErrBadResponse                  this side could not decode the response
//	errors.As a *socket.SendError   the connection failed; it tells what may have been handled
//
// # Deadlines
//
// The time that the context of a caller leaves when it calls travels with the request, in
// milliseconds. The context of the handler ends then, within a second after the client is gone, and
// when the server ends.
//
// # Codecs and other languages
//
// [JSON] is the default. [Text], [Bytes] and a [Codec] of your own are others, by media type. The
// method is a parameter of the media type, application/json; method=status, so that a process in
// PHP takes part with what it has. PROTOCOL.md has the bytes. Each server tells its methods and the
// JSON Schema of their types, see [Describe].
//
// # Middleware
//
// A [Middleware] goes around all handlers of a server, see [Server.Use], or around the calls of a
// client, see [Use]. [Logging] and [Timing] are ready, and package socket/otel has one for traces.
package rpc
