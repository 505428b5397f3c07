package rpc

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
)

// Serve answers the requests of the clients of a name until ctx ends. Then it closes all
// connections in an orderly way, waits until all handlers have returned, and returns
// context.Cause(ctx). It fails when listening fails, as [socket.IPC.Listen] does.
//
// Handlers of calls and streams run on goroutines of their own, at most
// [socket.ServerConfig.MaxHeld] for a connection, 64 by default. The responses leave in the order
// of the requests of a connection: a fast one waits for a slow one before it. The handlers of the
// notifications of a connection run one after the other, and what the client sends next waits. So
// do those of calls that are [Handler.Inline].
func (s Server) Serve(ctx context.Context, ipc *socket.IPC, name socket.Name) error {
	return s.ServeConnections(ctx, ipc.Listen(name))
}

// ServeConnections is [Server.Serve] for any observable of connections, see
// [socket.ServeConnections]. It returns nil if that completes.
func (s Server) ServeConnections(ctx context.Context, connections stream.Observable[*socket.Connection]) error {
	r := s.start()
	defer r.workers.wait()
	served := socket.ServeConnections(connections, fold.Unit()).
		With(ctx, func(m socket.Message, c socket.Continuation[struct{}], _ struct{}) socket.Continuation[struct{}] {
			switch t := targetOf(m.MediaType()); t.kind {
			case "":
				return c.Respond(problemMessage(noMethod(m)))
			case KindCall, KindStream:
				r.begin(t, c.Hold())
				return c
			default:
				if err := r.take(t, c.Connection(), m); err != nil {
					return c.Reject(err)
				}
				return c
			}
		})
	var interrupted *socket.InterruptedError[struct{}]
	if err := served.Err(); errors.As(err, &interrupted) {
		return interrupted.Err
	} else {
		return err
	}
}

// Answer is a stage of a pipeline that answers the exchanges which ask for a method, whether the
// server has it or not. It passes on all others. All is as in [Server.Serve], except that the
// handlers of notifications run on the goroutine of the pipeline. A run returns when all handlers
// have returned.
//
//	stream.Pipe2(
//		socket.Exchanges(ipc.Listen(name)),
//		server.Answer,
//		operators.MapErr(answerOthers),
//	)
func (s Server) Answer(exchanges stream.Observable[socket.Exchange]) stream.Observable[socket.Exchange] {
	return func(ctx context.Context, yield func(socket.Exchange) bool) error {
		r := s.start()
		defer r.workers.wait()
		return exchanges(ctx, func(x socket.Exchange) bool {
			switch t := targetOf(x.MediaType()); t.kind {
			case "":
				return yield(x)
			case KindCall, KindStream:
				r.begin(t, x.Hold())
			default:
				if err := r.take(t, x.Connection(), x.Message); err != nil {
					x.Reject(err)
				} else {
					_ = x.Respond() // a stage behind that buffers does not get it
				}
			}
			return true
		})
	}
}

// Inline returns a handler for [socket.Server.With] that runs the handlers of calls and
// notifications of a connection one after the other, on the goroutine of the connection. So they
// need no locks for what belongs to the connection, and a slow one holds up those behind it. There
// are no streams of answers, and [Client] cannot make calls. The carry stays as it is.
func Inline[C any](s Server) socket.Handler[C] {
	r := s.start()
	return func(m socket.Message, c socket.Continuation[C], _ C) socket.Continuation[C] {
		switch t := targetOf(m.MediaType()); t.kind {
		case "":
			return c.Respond(problemMessage(noMethod(m)))
		case KindCall:
			return c.Respond(r.response(r.inlineCaller(c.Connection()), t, m))
		case KindNotice:
			if err := r.take(t, c.Connection(), m); err != nil {
				return c.Reject(err)
			}
			return c
		default:
			return c.Respond(problemMessage(ErrUnknownMethod.Detailf("%s %s: this server has calls and notifications only", t.kind, t.name)))
		}
	}
}

// noMethod is the problem of a message that asks for nothing.
func noMethod(m socket.Message) *Problem {
	return ErrUnknownMethod.Detailf("the media type is %s, which has no parameter %q", m.MediaType(), string(KindCall))
}

// run is what the handlers of a server's run share.
type run struct {
	routes  map[target]route
	workers *workers[job]
	streams streams
	calls   calls
}

// route is the handler of a method with the middleware around it.
type route struct {
	next   Next
	inline bool
}

// job is a request that is answered, mostly on a goroutine of its own.
type job struct {
	target
	held *socket.Held
}

func (s Server) start() *run {
	r := &run{routes: map[target]route{}}
	for kind, handlers := range s.handlers {
		for name, h := range handlers {
			r.routes[target{kind, name}] = route{guarded(around(s.middleware, guarded(h.serve))), h.inline}
		}
	}
	r.workers = newWorkers(r.answer)
	return r
}

// begin answers a call or a stream, on a goroutine of its own unless its handler is inline.
func (r *run) begin(t target, held *socket.Held) {
	if r.routes[t].inline {
		r.answer(job{t, held})
		return
	}
	r.workers.do(job{t, held})
}

// take handles a message that is not responded to: a notification, the reply to a call of the
// server, or the credit of a stream.
func (r *run) take(t target, c *socket.Connection, m socket.Message) error {
	switch t.kind {
	case kindReply:
		r.calls.reply(c, m)
		return nil
	case kindCredit:
		return r.streams.credit(c, m)
	}
	_, err := r.handle(r.inlineCaller(c), t, m)
	return err
}

// answer answers a call or a stream.
func (r *run) answer(j job) {
	c := r.caller(j.held.Connection())
	if r.routes[j.target].inline {
		c = r.inlineCaller(c.connection)
	}
	respond := j.respond
	if j.kind == KindStream {
		f, free := r.streams.begin(c.connection, j.held.Message)
		if !free {
			j.respond(problemMessage(errBusy))
			return
		}
		defer r.streams.end(c.connection)
		c.flow = f
		_ = j.held.Respond(context.WithoutCancel(c)) // the client is gone if it fails
		respond = j.end
	}
	response := problemMessage(errPanicked) // if the handler calls runtime.Goexit
	defer func() { respond(response) }()
	response = r.response(c, j.target, j.held.Message)
}

// respond answers a call. Only a client that is gone gets no answer.
func (j job) respond(response socket.Message) {
	ctx := context.WithoutCancel(j.held.Context())
	if err := j.held.Respond(ctx, response); isUnsendable(err) {
		j.held.Connection().Log().Error("response not sent", string(j.kind), j.name, "error", err)
		_ = j.held.Respond(ctx, problemMessage(unsendable(err)))
	}
}

// end ends a stream, with a problem if there is a response.
func (j job) end(response socket.Message) {
	if response == (socket.Message{}) {
		response = endOfStream
	}
	ctx, c := context.WithoutCancel(j.held.Context()), j.held.Connection()
	if err := c.Send(ctx, response); isUnsendable(err) {
		_ = c.Send(ctx, problemMessage(unsendable(err)))
	}
}

// response returns the answer to a call: the response of its handler, or a problem.
func (r *run) response(c *caller, t target, m socket.Message) socket.Message {
	response, err := r.handle(c, t, m)
	if err != nil {
		return problemMessage(err)
	}
	return response
}

// handle runs the handler of a method, within the time of its caller. Its error is a problem for
// the caller. What the problem does not say is logged.
func (r *run) handle(c *caller, t target, m socket.Message) (socket.Message, error) {
	found, ok := r.routes[t]
	if !ok {
		return socket.Message{}, ErrUnknownMethod.Detailf("%s %s", t.kind, t.name)
	}
	ctx := context.Context(c)
	if left, ok := numberOf(m.MediaType(), timeoutParameter); ok && left < maxTimeout {
		limited, cancel := context.WithTimeout(ctx, time.Duration(left)*time.Millisecond)
		defer cancel()
		ctx = limited
	}
	response, err := found.next(ctx, Call{Method: t.name, Kind: t.kind, Message: m})
	if err == nil {
		return response, nil
	}
	problem, hides := public(err, c.Err() != nil, ctx.Err() != nil)
	if hides {
		c.log().Error(problem.Title, string(t.kind), t.name, "error", err)
	}
	return socket.Message{}, problem
}

// maxTimeout is a number of milliseconds, 146 years, that a Duration can hold.
const maxTimeout = 1 << 42

// guarded returns next with a panic turned into an error.
func guarded(next Next) Next {
	return func(ctx context.Context, call Call) (response socket.Message, err error) {
		defer func() {
			if value := recover(); value != nil {
				handedOn, ok := value.(*stream.PanicError)
				if !ok {
					handedOn = &stream.PanicError{Value: value, Stack: debug.Stack()}
				}
				response, err = socket.Message{}, handedOn
			}
		}()
		return next(ctx, call)
	}
}
