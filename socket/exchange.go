package socket

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/rxipc/rxipc/stream"
)

// Exchange is a message of a client and the means to answer it.
type Exchange struct {
	Message
	c  *Connection
	id uint64 // of its turn
}

// ErrAnswered says that an exchange has had its answer: it was acknowledged when it
// had been handled, or its Held was answered before.
var ErrAnswered = errors.New("the exchange is answered already")

// ErrUnanswered says that an exchange was left to a stage that buffers without being
// answered or held: see [Exchanges].
var ErrUnanswered = errors.New("the exchange is neither answered nor held")

// Connection returns the connection that the message came by.
func (x Exchange) Connection() *Connection { return x.c }

// Context is that of the connection: it is done within a second when the client is gone,
// and when the server ends. See [Connection.Context].
func (x Exchange) Context() context.Context { return x.c.ending }

// Respond adds messages to the answer, which leaves together with the
// acknowledgement once the exchange has been handled. One that cannot be sent is
// refused, with ErrTooLarge, ErrReserved or ErrInvalid, and none is added then: unless
// others are responded instead, the exchange is rejected with that error, which
// [Config.Log] gets, and the server goes on. The error wraps [stream.ErrSkip], so that
// [operators.MapErr] drops the exchange. With no messages it says that there is nothing to
// say. It is for who handles the exchange, while it does: later, and once it is held, it
// fails with ErrAnswered.
func (x Exchange) Respond(messages ...Message) error {
	if !x.c.turn.open(x.id) || x.c.turn.held != nil {
		return &Error{Op: "respond", Err: ErrAnswered}
	}
	if err := check(messages, x.c.config.MaxMessage); err != nil {
		x.c.turn.refused = &Error{Op: "respond", Err: err}
		return &unsendable{x.c.turn.refused}
	}
	x.c.turn.refused, x.c.turn.responded = nil, true
	x.c.turn.handling.answered(messages...)
	for _, m := range messages {
		x.c.turn.answers.AddMessage(m.wire())
	}
	return nil
}

// Reject leaves the message unacknowledged, whatever was responded, and ends the
// connection in an orderly way. [Connection.Err] returns err, or ErrRejected if that is
// nil. [Config.Log] gets a line: an error after a Respond that could not be sent, otherwise
// information, since the handler decided so. Reject is for the code that handles the
// exchange, and for that time; later it does nothing.
func (x Exchange) Reject(err error) {
	x.reject(slog.LevelInfo, err)
}

// reject is Reject, with a line of that level in the log, or of a higher one.
func (x Exchange) reject(level slog.Level, err error) {
	t := &x.c.turn
	if !t.reject(x.id) {
		return
	}
	if t.refused != nil {
		level = slog.LevelError
	}
	x.c.failed(level, &Error{Op: opHandle, Err: cmp.Or(err, ErrRejected)})
	x.c.end(errEnough)
}

// Hold keeps the exchange open beyond its handling, for an answer that comes later
// or from another goroutine, together with what was responded so far. Meanwhile the
// connection's later exchanges are handled, and their answers wait: they leave in
// the order of the messages. It is for who handles the exchange, while it does;
// later the Held it returns fails with ErrAnswered.
//
// As a function it is a stage of a pipeline: operators.Map(socket.Exchange.Hold).
func (x Exchange) Hold() *Held {
	held := &Held{Message: x.Message, c: x.c}
	if !x.c.turn.open(x.id) {
		held.answered.Store(true)
		return held
	}
	if x.c.turn.held == nil {
		x.c.turn.hold(&x.c.holds, held)
	}
	return x.c.turn.held
}

// Exchanges merges the messages of all connections into one ordered stream, for a
// server that keeps one state for everybody (innmind/ipc 4.x). Each connection is
// read on a goroutine of its own, which waits while its exchange is handled and
// then writes the answer: a slow client keeps nobody waiting. On Linux a client that
// says nothing has no goroutine (see Memory in the package's doc). The run ends as
// connections does; when it is cancelled or has enough, all are closed.
//
// An exchange is acknowledged when yield has returned. Stages such as
// [operators.ObserveOn], MapParallel, MergeMap, BufferTime and rx.Through let it return
// before what follows them has handled the exchange ([stream.WithBuffering] is how they
// say so). An exchange must be answered before such a stage, with Respond() if there is
// nothing to say, or be taken over with Hold and answered behind it:
//
//	stream.Pipe3(
//		socket.Exchanges(ipc.Listen(name)),
//		operators.Map(socket.Exchange.Hold),
//		operators.MapParallel(8, work), // and h.Respond(ctx, answer)
//	)
//
// The first exchange that is left unanswered to such a stage is not acknowledged, and
// fails the run with [ErrUnanswered].
func Exchanges(connections stream.Observable[*Connection]) stream.Observable[Exchange] {
	merged := mergeSessions(context.Background(), handedOver)(connections)
	return func(ctx context.Context, yield func(Exchange) bool) error {
		stage := stream.Buffering(ctx)
		var unanswered error
		err := merged(ctx, func(x Exchange) bool {
			if !x.c.turn.take(x.id) {
				return true // withdrawn meanwhile
			}
			defer x.c.turn.wake() // a panic concludes nothing, but must not leave it waiting
			more, err := x.settle(yield(x), stage)
			x.c.turn.enough, unanswered = !more, err
			return more
		})
		return cmp.Or(unanswered, err)
	}
}

// settle concludes the exchange, or rejects it, once yield has returned what is more.
// Behind a stage that buffers nobody has handled it yet, unless it was answered or held:
// to acknowledge it would lose it with this process, so that is an error.
func (x Exchange) settle(more bool, stage string) (goOn bool, unanswered error) {
	t := &x.c.turn
	switch {
	case !t.open(x.id): // it was rejected
	case t.held != nil, t.refused == nil && (stage == "" || t.responded):
		t.conclude(x.id)
	case t.refused != nil:
		x.reject(slog.LevelError, t.refused)
	case !more: // and so nobody took it
		t.reject(x.id)
	default:
		err := fmt.Errorf("%w: a stage that follows, %s, buffers it, and it would be acknowledged before it was handled; "+
			"before that stage call its Respond, with no messages if there is nothing to say, or Hold it", ErrUnanswered, stage)
		x.reject(slog.LevelError, err)
		return false, &Error{Op: opHandle, Err: err}
	}
	return more, nil
}

// unsendable is the error of a Respond that could not be sent.
type unsendable struct{ err *Error }

func (u *unsendable) Error() string { return u.err.Error() }

// Unwrap returns the error, and that it costs no more than its exchange.
func (u *unsendable) Unwrap() []error { return []error{u.err, stream.ErrSkip} }

// handedOver is the exchanges of a session for a yield that returns before they are
// handled: who gets one takes its turn and concludes it.
func handedOver(s *session) stream.Observable[Exchange] {
	s.first = begun
	return func(ctx context.Context, yield func(Exchange) bool) error {
		_, err := s.serve(ctx, func(ctx context.Context, x Exchange) bool {
			return yield(x) && s.turn.await(ctx, x.id)
		})
		return err
	}
}
