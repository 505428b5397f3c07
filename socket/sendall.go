package socket

import (
	"context"

	"github.com/rxipc/rxipc/stream"
)

// SendAll sends what an observable emits, and emits each message once the process has
// acknowledged it, in order: [Process.Send] as an operator.
//
//	sent, err := stream.Pipe3(lines, operators.Map(socket.Text), process.SendAll, operators.Count[socket.Message]()).Last(ctx).Get()
//
// [Config.Window] and [Config.WindowBytes] bound how many messages are in flight, and
// how many more are read ahead of the source, which has a goroutine of its own. A run
// completes when the source has and everything is acknowledged; a failure of the source ends it after
// that, too. When a message cannot be sent or is not acknowledged, or ctx ends, it fails
// with a [*SendError], that tells which messages of the run arrived. When yield wants no
// more, what is in flight stays so, see [Process.InFlight]. Responses are kept as Send
// keeps them.
func (p *Process) SendAll(messages stream.Observable[Message]) stream.Observable[Message] {
	return p.flown("send", false, messages)
}

// RequestAll sends what an observable emits, and emits the response to each message, in
// order: [Process.Request] as an operator. It is like SendAll in everything else: a
// request is in flight until its response has been emitted.
// It fails with ErrNoResponse, in a [*SendError], at a request without a response, after
// the responses to those before.
func (p *Process) RequestAll(messages stream.Observable[Message]) stream.Observable[Message] {
	return p.flown("request", true, messages)
}

func (p *Process) flown(op string, asking bool, messages stream.Observable[Message]) stream.Observable[Message] {
	return func(ctx context.Context, yield func(Message) bool) error {
		if ctx.Err() != nil {
			return p.failure(op, &SendError{Err: context.Cause(ctx)})
		}
		in := newSupply(p.config)
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
		defer f.recycle()
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
			failed = f.run(ctx, in.take, in, emit)
			return false
		})
		switch {
		case err != nil:
			return err
		case !wanted:
			return nil
		case missing != nil:
			return p.failure(op, &SendError{Acknowledged: f.acknowledged, Sent: f.concluded + f.inFlight, Err: missing})
		case failed != nil:
			return p.failure(op, failed)
		case refused != nil:
			return p.failure(op, &SendError{Acknowledged: f.concluded, Sent: f.concluded, Err: refused})
		default:
			return broken
		}
	}
}
