package rpc

import (
	"cmp"
	"context"
	"fmt"
	"reflect"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
)

// Stream is a method that a server answers with a stream of answers. Like a [Method] it is a value
// that both sides share.
//
//	var Tail = rpc.NewStream[TailRequest, Line]("tail")
type Stream[Req, Res any] struct{ definition }

// NewStream returns a stream that JSON encodes. It panics as [NewMethod] does.
func NewStream[Req, Res any](name string) Stream[Req, Res] {
	return Stream[Req, Res]{define(KindStream, name, JSON)}
}

// Doc returns the stream with a documentation, which a server tells on request.
func (s Stream[Req, Res]) Doc(text string) Stream[Req, Res] {
	s.doc = text
	return s
}

// Codecs returns the stream with other codecs, as [Method.Codecs] does.
func (s Stream[Req, Res]) Codecs(codecs ...Codec) Stream[Req, Res] {
	s.definition = s.with(codecs)
	return s
}

// Connector makes a connection for a stream of answers: a [*socket.Pool] waits for a server, a
// [*socket.Process] makes one try. One that was attached has no name to connect to, and fails.
type Connector interface {
	Connect(ctx context.Context) fold.Attempt[*socket.Process]
}

// Window is how many answers of a stream may be on their way: sent by the server, and not taken by
// the yield of the client.
const Window = 64

// Observe emits the answers to a request. Each run is a request of its own, over a connection of
// its own. So a run whose yield takes its time slows this stream alone, for as long as it likes:
// the server sends at most [Window] answers ahead. The caller must be a [Connector], or one with
// middleware from [Use].
//
// A run completes when the server's observable has completed. It fails with an [*Error] that wraps
// a [*Problem] when that has failed, and otherwise the error of the connection: it wraps
// [socket.ErrDisconnected] if the server ended in an orderly way, and io.ErrUnexpectedEOF if it is
// gone without a word. When yield returns false or ctx ends, the connection is closed, which ends
// the server's observable. The time that ctx leaves travels with the request.
func (s Stream[Req, Res]) Observe(caller Caller, request Req) stream.Observable[Res] {
	return func(ctx context.Context, yield func(Res) bool) error {
		m, err := s.encodeWithin(ctx, &request)
		if err == nil {
			m, err = numbered(m, windowParameter, Window)
		}
		if err != nil {
			return s.failed(err)
		}
		next := func(ctx context.Context, call Call) (socket.Message, error) {
			return socket.Message{}, s.observe(ctx, caller, call.Message, yield)
		}
		if u, ok := caller.(used); ok {
			caller, next = u.caller, around(u.middleware, next)
		}
		if _, err := next(ctx, Call{Method: s.name, Kind: KindStream, Message: m}); err != nil {
			return s.failed(err)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return nil
	}
}

// observe sends a request over a connection of its own, and emits its answers.
func (s *Stream[Req, Res]) observe(ctx context.Context, caller Caller, request socket.Message, yield func(Res) bool) error {
	connector, ok := caller.(Connector)
	if !ok {
		return fmt.Errorf("a stream has a connection of its own, and a %T cannot make one: give a Process or a Pool", caller)
	}
	p, err := connector.Connect(ctx).Get()
	if err != nil {
		return err
	}
	defer p.Close(context.WithoutCancel(ctx)) // Config.Grace limits it
	if err := p.Send(ctx, request).Err(); err != nil {
		return err
	}
	// The buffer has room for what is taken and not given back yet, too, so that the reading never stops.
	taken := 0
	return stream.Buffered(s.answers(p), 2*Window, stream.Block)(ctx, func(answer Res) bool {
		if !yield(answer) {
			return false
		}
		if taken++; taken%(Window/2) == 0 {
			_ = p.Send(ctx, creditFor(Window/2)) // answers tells why it fails
		}
		return true
	})
}

// answers emits the answers that a process gets. It reads while they wait to be taken, so that it
// notices heartbeats and the end of the server.
func (s *Stream[Req, Res]) answers(p *socket.Process) stream.Observable[Res] {
	return func(ctx context.Context, yield func(Res) bool) error {
		for {
			m, err := p.Wait(ctx).Get()
			if err != nil {
				return err
			}
			if _, last := m.MediaType().Parameter(endParameter); last {
				return nil
			}
			var answer Res
			if err := s.decode(m, &answer); err != nil {
				return err
			}
			if !yield(answer) {
				return nil
			}
		}
	}
}

// creditFor is the message that lets a server send n answers more.
func creditFor(n uint64) socket.Message {
	m, _ := numbered(socket.Text(""), creditParameter, n)
	return m
}

// endOfStream is the message after the last answer of a stream that completed.
var endOfStream = socket.NewMessage(socket.MustParseMediaType("text/plain; "+endParameter+"=completed"), "")

// HandleStream returns the Handler of a stream. The function is called for each request, and the
// observable that it returns is run. The context of both ends when the client closes the stream or
// is gone, when the time that it had left is over, and when the server ends. The run waits while
// the client has [Window] answers that it has not taken.
//
// When the observable completes, that of the client does. An error of the observable, and a panic,
// are told as [Handle] has it; use [stream.Throw] for an error of the function. Answers leave at
// once, and those that come while others are written leave together.
func HandleStream[Req, Res any](s Stream[Req, Res], f func(context.Context, Req) stream.Observable[Res]) Handler {
	h := Handler{definition: s.definition, request: reflect.TypeFor[Req](), response: reflect.TypeFor[Res]()}
	h.serve = func(ctx context.Context, call Call) (none socket.Message, err error) {
		var request Req
		codec, err := s.read(call.Message, &request)
		if err != nil {
			return none, err
		}
		c, ok := ctx.Value(callerKey{}).(*caller)
		if !ok || c.flow == nil {
			return none, ErrUnknownMethod.Detailf("%s %s: streams need a connection to a server", call.Kind, call.Method)
		}
		defer c.flow.flush() // after a panic, too
		var failed error
		err = f(ctx, request)(ctx, func(answer Res) bool {
			var m socket.Message
			if m, failed = encoded(codec, &answer); failed == nil {
				failed = c.flow.send(ctx, m)
			}
			return failed == nil
		})
		return none, cmp.Or(failed, c.flow.flush(), err)
	}
	return h
}
