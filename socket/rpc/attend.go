package rpc

import (
	"context"
	"errors"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
)

// Attend answers the calls that a server makes to its client, and emits what else it pushes. It
// runs in the client, beside the client's own calls over the same process, whose responses it does
// not get. At most 64 calls are handled at a time. It completes when the connection has ended in an
// orderly way, as [socket.Process.Messages] does, and returns when all handlers have returned.
//
// The server answers the messages of a connection in their order. So a handler that the server calls
// while it handles a call of this process makes its own calls over another connection, such as
// those of a pool: over this one the two would wait for each other.
//
//	go clientMethods.Attend(process).ForEach(ctx, func(socket.Message) {})
func (s Server) Attend(process *socket.Process) stream.Observable[socket.Message] {
	return func(ctx context.Context, yield func(socket.Message) bool) error {
		connected, end := context.WithCancel(ctx)
		a := &attending{run: s.start(), room: make(chan struct{}, maxAttended)}
		a.caller = &caller{Context: connected, process: process}
		w := newWorkers(a.answer)
		defer w.wait()
		defer end() // first
		return process.Messages()(ctx, func(m socket.Message) bool {
			t := targetOf(m.MediaType())
			switch t.kind {
			case KindCall, KindStream:
				a.room <- struct{}{}
				w.do(pushed{t, m})
			case KindNotice:
				_, _ = a.handle(a.caller, t, m) // the log has the error
			default:
				return yield(m)
			}
			return true
		})
	}
}

// maxAttended is how many calls of a server a client handles at a time.
const maxAttended = 64

// pushed is a call of a server.
type pushed struct {
	target
	message socket.Message
}

type attending struct {
	*run
	caller *caller
	room   chan struct{}
}

// answer answers a call with a message that has its number.
func (a *attending) answer(p pushed) {
	defer func() { <-a.room }()
	number, ok := numberOf(p.message.MediaType(), callParameter)
	if !ok {
		return // nobody waits for the answer
	}
	err := a.respond(number, a.response(a.caller, p.target, p.message))
	if isUnsendable(err) {
		a.caller.log().Error("response not sent", string(p.kind), p.name, "error", err)
		err = a.respond(number, problemMessage(unsendable(err)))
	}
	if err != nil && !errors.Is(err, context.Cause(a.caller)) {
		a.caller.log().Debug("response not acknowledged", string(p.kind), p.name, "error", err)
	}
}

func (a *attending) respond(number uint64, response socket.Message) error {
	response, err := numbered(response, replyParameter, number)
	if err != nil {
		return err
	}
	return a.caller.process.Send(a.caller, response).Err()
}
