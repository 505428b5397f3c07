package socket

import (
	"context"
	"errors"
	"log/slog"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// Server serves connections and folds their carries into one carry. It is a value: Monitor
// returns a changed one, With runs it.
type Server[C any] struct {
	connections stream.Observable[*Connection]
	monoid      fold.Monoid[C]
	monitor     func(C, Next[C]) Next[C]
	fragile     bool // a handler's panic is not kept from the server
}

// Serve returns a server of the name. Its carry, and that of each connection, begins with the
// monoid's identity. Use fold.Unit for a server without a carry.
func Serve[C any](ipc *IPC, name Name, monoid fold.Monoid[C]) Server[C] {
	return ServeConnections(ipc.Listen(name), monoid)
}

// ServeConnections returns a server of any observable of connections: from another listener
// (see [IPC.Accept]), filtered, or made by a test.
func ServeConnections[C any](connections stream.Observable[*Connection], monoid fold.Monoid[C]) Server[C] {
	return Server[C]{
		connections: connections,
		monoid:      monoid,
		monitor:     func(_ C, next Next[C]) Next[C] { return next },
	}
}

// Monitor sets a function that is called with the server's carry after each connection's carry
// was combined into it. It decides whether the server goes on. Its calls do not overlap. Their
// order is that of combining, roughly that in which the connections ended. A connection
// without messages, such as a probe by [IPC.Names], is combined too, with the identity.
func (s Server[C]) Monitor(monitor func(carry C, next Next[C]) Next[C]) Server[C] {
	s.monitor = monitor
	return s
}

// LetPanic makes the panic of a handler end the server. The panic passes through With, after
// all connections have been closed, as a [*stream.PanicError], and the carry is lost. It is
// for programs that restart rather than go on with the state that a panic left behind.
func (s Server[C]) LetPanic() Server[C] {
	s.fragile = true
	return s
}

// Handler handles one message of a connection. Carry is the current carry of the connection.
// It stays the carry unless the continuation replaces it. Calls for one connection do not
// overlap, but may be on different goroutines. Calls for different connections are concurrent.
type Handler[C any] func(m Message, c Continuation[C], carry C) Continuation[C]

// With runs the server until its monitor or a handler ends it, and returns the carry.
//
// When ctx ends first, the server closes all connections in an orderly way, and fails with an
// *[InterruptedError] that holds the carry. It does the same when listening fails after the
// first connection. When listening fails before, With fails with that error. In all of these
// cases the carry includes every acknowledged message.
//
// A panic in a handler ends its connection only, in an orderly way and with the message
// unacknowledged. The carry of the connection before the message is combined; a carry that the
// handler had changed in place stays as the panic left it. [Connection.Err], the log and the
// hooks get a [*stream.PanicError] with the stack. With [Server.LetPanic] the panic passes
// through With. A panic in the monitor or the monoid, and runtime.Goexit in any of these
// functions, such as FailNow of a test, always pass through, after all connections have been
// closed; the carry is lost.
//
// A handler's answer is sent when the handler returns. To answer later, or from another
// goroutine, use [Continuation.Hold].
func (s Server[C]) With(ctx context.Context, handle Handler[C]) fold.Attempt[C] {
	return s.run(ctx, &service[C]{handle: handle})
}

// run runs the server with a service that has its handler.
func (s Server[C]) run(ctx context.Context, all *service[C]) fold.Attempt[C] {
	open, end := context.WithCancelCause(ctx) // done when no more connections are accepted
	defer end(nil)

	all.open, all.end, all.fragile = open, end, s.fragile
	served := false
	carries := stream.Pipe3(
		s.connections,
		operators.TakeUntilDone[*Connection](open),
		operators.Catch(func(err error) stream.Observable[*Connection] {
			if !served {
				return stream.Throw[*Connection](err)
			}
			end(err) // the carries of the connections are kept when listening fails
			return stream.Empty[*Connection]()
		}),
		mergeSessions(open, func(one *session) stream.Observable[C] {
			one.lend = all.handleView != nil
			served = true
			return (&foldedSession[C]{service: all, session: one, carry: s.monoid.Identity()}).run
		}),
	)
	total := s.monoid.Identity()
	err := carries.ForEach(context.WithoutCancel(ctx), func(carry C) {
		total = s.monoid.Combine(total, carry)
		if context.Cause(open) != errFinished {
			next := s.monitor(total, Next[C]{carry: total})
			total = next.carry
			if next.finish {
				end(errFinished)
			}
		}
	})
	switch cause := context.Cause(open); {
	case err != nil: // there was no connection
		return fold.Fail[C](err)
	case cause != nil && cause != errFinished:
		return fold.Fail[C](&InterruptedError[C]{Carry: total, Err: cause})
	}
	return fold.Succeed(total)
}

// errFinished is the cause of a server's end that its monitor or a handler decided.
var errFinished = errors.New("finished")

// service is the part of a server's run that its sessions use. It has one of the handlers.
type service[C any] struct {
	open       context.Context // until no more is to come
	end        context.CancelCauseFunc
	handle     Handler[C]
	handleView ViewHandler[C]
	fragile    bool
}

// foldedSession folds the messages of one session into its carry.
type foldedSession[C any] struct {
	*service[C]
	session *session
	carry   C
}

// run runs the session until it parks or ends. At the end it emits the carry.
func (s *foldedSession[C]) run(ctx context.Context, yield func(C) bool) error {
	parked, err := s.session.serve(ctx, handledBy(s.exchange))
	if parked {
		return nil
	}
	yield(s.carry)
	if err != nil {
		s.end(err) // returning the error would cancel the other sessions
	}
	return nil
}

// exchange handles an exchange, and reports whether the session goes on.
func (s *foldedSession[C]) exchange(x Exchange) bool {
	next := Continuation[C]{c: x.c, id: x.id, carry: s.carry}
	err := s.answer(x, &next)
	switch {
	case err == nil:
		s.carry = next.carry
	case next.isRejected():
		x.Reject(err)
	default: // the handler panicked, or its answer cannot be sent
		x.reject(slog.LevelError, err)
	}
	if next.then == stopServer {
		s.end(errFinished)
	}
	return err == nil && next.then == goOn
}

// answer calls the handler for an exchange and adds its responses. It returns a panic of the handler
// as an error with the stack, unless the server is fragile. A Continuation is large, so it is copied
// as seldom as possible.
func (s *foldedSession[C]) answer(x Exchange, next *Continuation[C]) (err error) {
	if !s.fragile {
		defer func() {
			if value := recover(); value != nil {
				*next, err = Continuation[C]{}, panicked(value)
			}
		}()
	}
	if s.handleView != nil {
		*next = s.handleView(x.view(), *next, s.carry)
	} else {
		*next = s.handle(x.Message, *next, s.carry)
	}
	return next.respond(x)
}

// InterruptedError is the error of a server that ended before its monitor or a handler ended
// it.
type InterruptedError[C any] struct {
	Carry C     // the server's carry, which includes every acknowledged message
	Err   error // the cause of its context, or the error of listening
}

// Error returns the text of the reason.
func (e *InterruptedError[C]) Error() string {
	return prefix + "server interrupted: " + causeText(e.Err, "")
}

// Unwrap returns the reason.
func (e *InterruptedError[C]) Unwrap() error { return e.Err }

// Carry returns the carry of an ended server, whether it finished or was interrupted. It
// returns Nothing for any other failure.
func Carry[C any](served fold.Attempt[C]) fold.Maybe[C] {
	carry, err := served.Get()
	var interrupted *InterruptedError[C]
	if errors.As(err, &interrupted) {
		return fold.Just(interrupted.Carry)
	}
	return fold.MaybeOf(carry, err == nil)
}
