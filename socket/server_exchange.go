package socket

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"

	"github.com/rxipc/rxipc/socket/internal/answers"
	"github.com/rxipc/rxipc/socket/internal/wire"
	"github.com/rxipc/rxipc/stream"
)

// Exchange is a message of a client, with methods to answer it.
type Exchange struct {
	Message
	c  *Connection
	id uint64 // among those of the connection
}

// Connection returns the connection of the message.
func (x Exchange) Connection() *Connection { return x.c }

// Context returns the context of the connection. It is done within a second when the client is
// gone, and when the server ends. See [Connection.Context].
func (x Exchange) Context() context.Context { return x.c.ending }

// Respond adds messages to the answer. The answer is sent with the acknowledgement after the
// exchange was handled. If one of the messages cannot be sent, Respond adds none of them and
// fails with ErrTooLarge, ErrReserved or ErrInvalid. Unless other messages are responded
// instead, the exchange is then rejected with that error, which [Config.Log] gets, and the
// server goes on. The error wraps [stream.ErrSkip], so that [operators.MapErr] drops the
// exchange. Respond without messages acknowledges the exchange without a response. It may be
// called by the code that handles the exchange, until that returns or calls Hold; later it
// fails with ErrAnswered.
func (x Exchange) Respond(messages ...Message) error {
	out, err := x.answer(messages...)
	if err != nil {
		return err
	}
	for _, m := range messages {
		out.AddMessage(m.wire())
	}
	return nil
}

// answer returns where messages are to be added that can be sent.
func (x Exchange) answer(messages ...Message) (*wire.Output, error) {
	if !x.c.answers.IsOpen(x.id) {
		return nil, &Error{Op: "respond", Err: ErrAnswered}
	}
	if err := check(messages, x.c.config.MaxMessage); err != nil {
		x.c.exchange.refused = &Error{Op: "respond", Err: err}
		return nil, &unsendable{x.c.exchange.refused}
	}
	x.c.exchange.refused = nil
	x.c.exchange.handling.answered(messages...)
	return x.c.answers.Respond(), nil
}

// Reject leaves the message unacknowledged, whatever was responded, and ends the connection in
// an orderly way. [Connection.Err] returns err, or ErrRejected if that is nil. [Config.Log]
// gets a line: an error after a Respond that could not be sent, otherwise information, since
// the handler decided so. Reject may be called by the code that handles the exchange, until
// that returns; later it does nothing.
func (x Exchange) Reject(err error) {
	x.reject(slog.LevelInfo, err)
}

// reject is Reject, with a line of the given level in the log, or of a higher one.
func (x Exchange) reject(level slog.Level, err error) {
	if !x.c.answers.Reject(x.id) {
		return
	}
	if x.c.exchange.refused != nil {
		level = slog.LevelError
	}
	x.c.failed(level, &Error{Op: opHandle, Err: cmp.Or(err, ErrRejected)})
	x.c.end(errEnough)
}

// Hold keeps the exchange open after its handling, for an answer that comes later or from
// another goroutine. The answer includes the messages responded so far. Meanwhile the
// connection's later exchanges are handled. Their answers wait, since answers are sent in the
// order of the messages. Hold may be called by the code that handles the exchange, until that
// returns; later the returned Held fails with ErrAnswered.
//
// Hold is a stage of a pipeline as well: operators.Map(socket.Exchange.Hold).
func (x Exchange) Hold() *Held {
	if x.c.answers.IsHeld(x.id) {
		return x.c.exchange.held
	}
	open := x.c.answers.IsOpen(x.id)
	switch lent := x.c.frames.In.Lend; {
	case lent && open:
		x.Message = x.view().Message()
	case lent:
		x.Message = Message{} // the content may be another one by now
	}
	held := &Held{Message: x.Message, c: x.c}
	if !open {
		held.answered.Store(true)
		return held
	}
	state := &x.c.exchange
	state.held = held
	held.entry.Info, state.handling = state.handling, nil
	held.entry.Size = x.Len()
	x.c.answers.Hold(&held.entry)
	return held
}

// Exchanges merges the messages of all connections into one ordered stream, for a server with
// one state for all connections (innmind/ipc 4.x). A goroutine for each connection reads a
// message, waits until its exchange is handled, and writes the answer. A slow client therefore
// delays no other. On Linux a silent client has no goroutine (see Memory in the package's
// doc). The run ends as connections does. When it is cancelled or yield returns false, it
// closes all connections.
//
// An exchange is acknowledged when yield has returned. With stages such as
// [operators.ObserveOn], MapParallel, MergeMap, BufferTime and rx.Through yield returns before
// the following stages have handled the exchange ([stream.WithBuffering] marks such a stage).
// Before such a stage, either answer the exchange, with Respond() if there is no response, or
// call Hold and answer it behind the stage:
//
//	stream.Pipe3(
//		socket.Exchanges(ipc.Listen(name)),
//		operators.Map(socket.Exchange.Hold),
//		operators.MapParallel(8, work), // calls h.Respond(ctx, answer)
//	)
//
// The first exchange that reaches such a stage unanswered is not acknowledged, and the run
// fails with [ErrUnanswered].
func Exchanges(connections stream.Observable[*Connection]) stream.Observable[Exchange] {
	return exchangesOf(connections, false)
}

// exchangesOf is Exchanges or, if contents are to be lent, ViewExchanges.
func exchangesOf(connections stream.Observable[*Connection], lend bool) stream.Observable[Exchange] {
	merged := mergeSessions(context.Background(), func(s *session) stream.Observable[Exchange] {
		s.lend = lend
		return handedOver(s)
	})(connections)
	return func(ctx context.Context, yield func(Exchange) bool) error {
		stage := stream.Buffering(ctx)
		var unanswered error
		err := merged(ctx, func(x Exchange) bool {
			if !x.c.answers.Take(x.id) {
				return true // withdrawn meanwhile
			}
			more := false
			defer func() { x.c.answers.Wake(more) }() // a panic concludes nothing, but must not leave it waiting
			more, unanswered = x.settle(yield(x), stage)
			return more
		})
		return cmp.Or(unanswered, err)
	}
}

// settle concludes or rejects the exchange after yield has returned more. If a stage buffers,
// the exchange was not handled yet, unless it was answered or held. Acknowledging it could
// lose it with this process, so settle returns an error then.
func (x Exchange) settle(more bool, stage string) (goOn bool, unanswered error) {
	a, refused := &x.c.answers, x.c.exchange.refused
	switch {
	case a.IsHeld(x.id):
		a.Conclude(x.id)
	case !a.IsOpen(x.id): // it was rejected
	case refused == nil && (stage == "" || a.Responded()):
		a.Conclude(x.id)
	case refused != nil:
		x.reject(slog.LevelError, refused)
	case !more: // and so nobody took it
		a.Reject(x.id)
	default:
		err := fmt.Errorf("%w: the following stage %s buffers it, so the acknowledgement would come before the handling; "+
			"before that stage call Respond, without messages if there is no response, or Hold", ErrUnanswered, stage)
		x.reject(slog.LevelError, err)
		return false, &Error{Op: opHandle, Err: err}
	}
	return more, nil
}

// unsendable is the error of a Respond that could not be sent.
type unsendable struct{ err *Error }

func (u *unsendable) Error() string { return u.err.Error() }

// Unwrap returns the error, and ErrSkip, since only the exchange is lost.
func (u *unsendable) Unwrap() []error { return []error{u.err, stream.ErrSkip} }

// handedOver emits the exchanges of a session for a yield that returns before they are
// handled. The receiver of an exchange takes and concludes it.
func handedOver(s *session) stream.Observable[Exchange] {
	s.first = answers.Begun
	return func(ctx context.Context, yield func(Exchange) bool) error {
		_, err := s.serve(ctx, func(ctx context.Context, x Exchange) bool {
			return yield(x) && s.answers.Await(ctx, x.id)
		})
		return err
	}
}
