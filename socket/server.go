package socket

import (
	"context"
	"errors"
	"log/slog"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// Server serves connections, and folds what each carried when it ended into one
// carry. It is a value: Monitor returns a changed one, With runs it.
type Server[C any] struct {
	connections stream.Observable[*Connection]
	monoid      fold.Monoid[C]
	monitor     func(C, Next[C]) Next[C]
	fragile     bool // a handler's panic is not kept from the server
}

// Serve makes a server of the name. Its carry, and that of each connection, starts
// at the monoid's identity; a server that carries nothing has fold.Unit.
func Serve[C any](ipc *IPC, name Name, monoid fold.Monoid[C]) Server[C] {
	return ServeConnections(ipc.Listen(name), monoid)
}

// ServeConnections makes a server of any observable of connections: from another
// listener (see [IPC.Accept]), or filtered, or a test's.
func ServeConnections[C any](connections stream.Observable[*Connection], monoid fold.Monoid[C]) Server[C] {
	return Server[C]{
		connections: connections,
		monoid:      monoid,
		monitor:     func(_ C, next Next[C]) Next[C] { return next },
	}
}

// Monitor lets a function look at the server's carry each time a connection's has
// been combined into it, one call at a time, and decide whether to go on. The order
// is that of combining, near to that in which the connections ended. One that sent
// nothing is combined too, with the identity: so is a probe by [IPC.Names].
func (s Server[C]) Monitor(monitor func(carry C, next Next[C]) Next[C]) Server[C] {
	s.monitor = monitor
	return s
}

// LetPanic lets the panic of a handler end the server: it passes through With, after all
// has been closed, as a [*stream.PanicError], and takes the carry with it. It is for
// programs that rather start afresh than go on with what a panic may have left behind.
func (s Server[C]) LetPanic() Server[C] {
	s.fragile = true
	return s
}

// Handler handles one message of a connection: carry is what the connection carries
// up to now, and what the continuation carries unless it is told otherwise. A
// handler is called one message at a time for a connection, though not always on the
// same goroutine, and at the same time for different connections.
type Handler[C any] func(m Message, c Continuation[C], carry C) Continuation[C]

// With runs the server until its monitor or a handler ends it, and gives the carry.
//
// When ctx ends first, the server closes all connections in an orderly way, as it
// does otherwise, and fails with an *[InterruptedError] that holds the carry. So it
// does when listening fails later; when it fails before there was a connection, the
// error is that of listening. What was acknowledged is in the carry in all of these
// cases.
//
// A panic in a handler ends its connection, in an orderly way but with the message
// unacknowledged, and concerns nobody else: what the connection carried up to the message
// before is combined (changed in place, it is as the panic left it), and [Connection.Err], the log and the hooks get a
// [*stream.PanicError] with the stack. [Server.LetPanic] has it pass through. Always do a
// panic in the monitor or the monoid, and runtime.Goexit in any of them, such as FailNow
// of a test: after all has been closed, and the carry is lost.
//
// A handler answers when it returns; what answers later, or from elsewhere, is a
// pipeline with [Exchange.Hold].
func (s Server[C]) With(ctx context.Context, handle Handler[C]) fold.Attempt[C] {
	open, end := context.WithCancelCause(ctx) // done when no more is to come
	defer end(nil)

	all := &service[C]{open: open, end: end, handler: handle, fragile: s.fragile}
	served := false
	carries := stream.Pipe3(
		s.connections,
		operators.TakeUntilDone[*Connection](open),
		operators.Catch(func(err error) stream.Observable[*Connection] {
			if !served {
				return stream.Throw[*Connection](err)
			}
			end(err) // what the connections carry is not lost with the listener
			return stream.Empty[*Connection]()
		}),
		mergeSessions(open, func(one *session) stream.Observable[C] {
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
	case err != nil: // nobody was served
		return fold.Fail[C](err)
	case cause != nil && cause != errFinished:
		return fold.Fail[C](&InterruptedError[C]{Carry: total, Err: cause})
	}
	return fold.Succeed(total)
}

// errFinished is why a server ends that wants to.
var errFinished = errors.New("finished")

// service is a run of a server, as far as its sessions have to do with it.
type service[C any] struct {
	open    context.Context // until no more is to come
	end     context.CancelCauseFunc
	handler Handler[C]
	fragile bool
}

// foldedSession folds the messages of one session.
type foldedSession[C any] struct {
	*service[C]
	session *session
	carry   C
}

// run runs the session until it parks, or to its end, when it emits what it carried.
func (s *foldedSession[C]) run(ctx context.Context, yield func(C) bool) error {
	parked, err := s.session.serve(ctx, handledBy(s.exchange))
	if parked {
		return nil
	}
	yield(s.carry)
	if err != nil {
		s.end(err) // a failure of this run would cut the others off
	}
	return nil
}

// exchange has an exchange handled, and reports whether to go on.
func (s *foldedSession[C]) exchange(x Exchange) bool {
	next, err := s.handle(x)
	switch {
	case err == nil:
		s.carry = next.carry
	case next.rejection != nil:
		x.Reject(err)
	default: // it panicked, or its answer cannot be sent
		x.reject(slog.LevelError, err)
	}
	if next.then == stopServer {
		s.end(errFinished)
	}
	return err == nil && next.then == goOn
}

// handle has a handler answer an exchange. What it panics with is the error, and carries
// the stack, unless the server is fragile.
func (s *foldedSession[C]) handle(x Exchange) (next Continuation[C], err error) {
	if !s.fragile {
		defer func() {
			if value := recover(); value != nil {
				next, err = Continuation[C]{}, panicked(value)
			}
		}()
	}
	next = s.handler(x.Message, Continuation[C]{connection: s.session.Connection, carry: s.carry}, s.carry)
	return next, next.respond(x)
}

// InterruptedError is what a server fails with that ended before its monitor or a
// handler ended it.
type InterruptedError[C any] struct {
	Carry C     // of the server by then: all that was acknowledged is in it
	Err   error // why it ended: the cause of its context, or what listening failed with
}

// Error tells why the server ended.
func (e *InterruptedError[C]) Error() string {
	return prefix + "server interrupted: " + causeText(e.Err, "")
}

// Unwrap returns why the server ended.
func (e *InterruptedError[C]) Unwrap() error { return e.Err }

// Carry returns what a server carried when it ended, whether it finished or was
// interrupted: nothing for a failure of any other kind.
func Carry[C any](served fold.Attempt[C]) fold.Maybe[C] {
	carry, err := served.Get()
	var interrupted *InterruptedError[C]
	if errors.As(err, &interrupted) {
		return fold.Just(interrupted.Carry)
	}
	return fold.MaybeOf(carry, err == nil)
}
