package socket

import (
	"context"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/stream"
)

// SendAll sends what an observable emits, and emits each message once the process has
// acknowledged it, in order: [Process.Send] as an operator.
//
//	sent, err := stream.Pipe2(lines, operators.Map(socket.Text), process.SendAll).Count(ctx)
//
// [Config.Window] bounds how many messages are read of the source, which has a goroutine
// of its own, and not emitted yet; the source waits with one more. A run completes when
// the source has and everything is acknowledged; a failure of the source ends it after
// that, too. When a message cannot be sent or is not acknowledged, or ctx ends, it fails
// with a [*SendError], that tells which messages of the run arrived. When yield wants no
// more, what is in flight stays so, see [Process.InFlight]. Responses are kept as Send
// keeps them.
func (p *Process) SendAll(messages stream.Observable[Message]) stream.Observable[Message] {
	return p.flown("send", false, messages)
}

// RequestAll sends what an observable emits, and emits the response to each message, in
// order: [Process.Request] as an operator. It is like SendAll in everything else: up to
// [Config.Window] requests are read of the source whose responses have not been emitted.
// It fails with ErrNoResponse, in a [*SendError], at a request without a response, after
// the responses to those before.
func (p *Process) RequestAll(messages stream.Observable[Message]) stream.Observable[Message] {
	return p.flown("request", true, messages)
}

func (p *Process) flown(op string, asking bool, messages stream.Observable[Message]) stream.Observable[Message] {
	return func(ctx context.Context, yield func(Message) bool) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		in := newSupply(p.config.Window)
		wanted := true
		var missing error
		emit := func(m Message, err error) bool {
			if missing = err; err != nil {
				return false
			}
			wanted = yield(m)
			return wanted
		}
		f := newFlight(p, asking)
		var refused, broken, failed error
		err := stream.Gather(1, func(g *stream.Group[*supply]) {
			g.Go(func(ctx context.Context, push func(*supply) bool) error {
				defer in.end()
				if !push(in) {
					return nil
				}
				broken = messages(ctx, func(m Message) bool {
					refused = m.check(p.config.MaxMessage)
					return refused == nil && in.push(ctx, m)
				})
				return nil
			})
		})(ctx, func(in *supply) bool {
			failed = f.run(ctx, in, emit)
			return false
		})
		switch {
		case err != nil:
			return err
		case !wanted:
			return nil
		case missing != nil:
			return p.failure(op, &SendError{Acknowledged: f.concluded, Sent: f.concluded + f.inFlight, Err: missing})
		case failed != nil:
			return p.failure(op, failed)
		case refused != nil:
			return p.failure(op, &SendError{Acknowledged: f.concluded, Sent: f.concluded, Err: refused})
		default:
			return broken
		}
	}
}

// Request sends a message and gives the response to it. The messages of a server that
// come beside, pushed or a second response, stay for Wait. Each request gets its own
// response, also when several are made at the same time, and when others gave up on
// theirs. It fails with a [*SendError] that tells whether the request was sent, and
// acknowledged: with ErrNoResponse when the server acknowledged a later message without
// having responded. For many at the same time take [Process.RequestAll] or a [Pool].
func (p *Process) Request(ctx context.Context, m Message) fold.Attempt[Message] {
	answer, err := p.request(ctx, m)
	if err != nil {
		return fold.Fail[Message](p.failure("request", err))
	}
	return fold.Succeed(answer)
}

func (p *Process) request(ctx context.Context, m Message) (Message, error) {
	if err := m.check(p.config.MaxMessage); err != nil {
		return Message{}, &SendError{Err: err}
	}
	s, err := p.sendOne(ctx, true, m)
	if err == nil {
		var a answer
		err = p.await(ctx, p.config.MaxUnread, func() (ok bool) {
			a, ok = p.claim(s.first)
			return ok
		})
		switch {
		case err == nil && a.err == nil:
			return a.message, nil
		case err == nil:
			return Message{}, &SendError{Acknowledged: 1, Sent: 1, Err: a.err}
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.abandon(s)
	return Message{}, &SendError{Acknowledged: p.acknowledged(s), Sent: s.count, Err: err}
}
