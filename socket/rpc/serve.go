package rpc

import (
	"context"
	"errors"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
)

// Serve answers the requests of clients of a name until ctx ends, and returns its cause. It fails
// when listening fails, as [socket.IPC.Listen] does. It returns when all handlers have returned.
func (s Server) Serve(ctx context.Context, ipc *socket.IPC, name socket.Name) error {
	return s.Answer(socket.Exchanges(ipc.Listen(name))).ForEach(ctx, func(x socket.Exchange) {
		_ = x.Respond(problemMessage(ErrUnknownMethod.Detailf("the media type is %s, which has no parameter %s", x.MediaType(), KindCall)))
	})
}

// Answer is a stage of a pipeline that answers the exchanges which ask for a method, whether the
// server has it or not. It passes on all others. The handlers run on goroutines of their own, as
// many for a connection as [socket.ServerConfig.MaxHeld]. The run returns when all have returned.
//
//	stream.Pipe2(
//		socket.Exchanges(ipc.Listen(name)),
//		server.Answer,
//		operators.MapErr(answerOthers),
//	)
func (s Server) Answer(exchanges stream.Observable[socket.Exchange]) stream.Observable[socket.Exchange] {
	return func(ctx context.Context, yield func(socket.Exchange) bool) error {
		var handlers sync.WaitGroup
		defer handlers.Wait()
		return exchanges(ctx, func(x socket.Exchange) bool {
			kind, name := methodOf(x.MediaType())
			if kind == "" {
				return yield(x)
			}
			call := Call{Method: name, Kind: kind, Message: x.Message}
			h, ok := s.handlers[kind][name]
			if !ok {
				_ = x.Respond(problemMessage(ErrUnknownMethod.Detailf("%s %s", kind, name)))
				return true
			}
			held := x.Hold()
			handlers.Go(func() { s.answer(h, call, held) })
			return true
		})
	}
}

// answer runs the handler of a held exchange and sends its answer.
func (s Server) answer(h Handler, call Call, held *socket.Held) {
	response, err := s.handle(held.Context(), h, call)
	if err != nil {
		response = problemMessage(err)
	}
	// Only a client that is gone gets no answer, and there is nobody to tell.
	if err := held.Respond(context.WithoutCancel(held.Context()), response); errors.Is(err, socket.ErrTooLarge) || errors.Is(err, socket.ErrReserved) {
		_ = held.Respond(context.WithoutCancel(held.Context()), problemMessage(unsendable(err)))
	}
}

// handle runs the handler of a call within its time, and with the middleware around it. Each
// error is a problem.
func (s Server) handle(ctx context.Context, h Handler, call Call) (socket.Message, error) {
	connection := ctx
	if left, ok := timeoutOf(call.Message.MediaType()); ok {
		limited, cancel := context.WithTimeout(ctx, left)
		defer cancel()
		ctx = limited
	}
	response, err := guarded(ctx, call, around(s.middleware, func(ctx context.Context, call Call) (socket.Message, error) {
		return guarded(ctx, call, func(ctx context.Context, call Call) (socket.Message, error) { return h.serve(ctx, call, nil) })
	}))
	if err != nil {
		return response, public(err, connection, ctx)
	}
	return response, nil
}

// guarded is next, and turns a panic into an error.
func guarded(ctx context.Context, call Call, next Next) (response socket.Message, err error) {
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

// public returns what the caller may know of the error of a handler.
func public(err error, connection, ctx context.Context) *Problem {
	if problem, ok := errors.AsType[*Problem](err); ok && !received(err, problem) {
		return problem
	}
	switch {
	case isPanic(err):
		return errPanicked
	case connection.Err() != nil:
		return errShutdown
	case ctx.Err() != nil && errors.Is(err, context.DeadlineExceeded):
		return errDeadline
	}
	return ErrFailed
}

// received reports whether the problem of an error was told by another server, to a call that the
// handler made.
func received(err error, problem *Problem) bool {
	call, ok := errors.AsType[*Error](err)
	if !ok {
		return false
	}
	within, _ := errors.AsType[*Problem](call)
	return within == problem
}

func isPanic(err error) bool {
	_, ok := errors.AsType[*stream.PanicError](err)
	return ok
}

// unsendable returns the problem of a response that the protocol does not let through.
func unsendable(err error) *Problem {
	if errors.Is(err, socket.ErrTooLarge) {
		return errTooLarge
	}
	return errReserved
}

// timeoutOf returns the time that the caller of a request waits, and whether there is a limit.
func timeoutOf(mt socket.MediaType) (time.Duration, bool) {
	text, ok := mt.Parameter(timeoutParameter)
	if !ok {
		return 0, false
	}
	milliseconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || milliseconds < 0 || milliseconds > int64(time.Duration(1<<63-1)/time.Millisecond) {
		return 0, false
	}
	return time.Duration(milliseconds) * time.Millisecond, true
}

// problemMessage returns an error as a message for the caller.
func problemMessage(err error) socket.Message {
	problem, ok := errors.AsType[*Problem](err)
	if !ok {
		problem = ErrFailed
	}
	content, err := problem.MarshalJSON()
	if err != nil { // only members that RawMessage holds could fail, and With has encoded them
		content, _ = ErrFailed.MarshalJSON()
	}
	return adopted(problemJSON, content)
}
