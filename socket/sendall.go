package socket

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

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
//
// A message whose content the protocol reserves, see [Message.IsReserved], is left out
// alone: Config.Log gets an error with its number among those of the source, and the run
// fails with ErrReserved, which names the first, once all others are acknowledged. To carry
// such content in another form, map it before. A message that cannot be sent for another
// reason, being too large for instance, ends the run.
//
// Servers that are not of rxipc get one message at a time. One of innmind/ipc 5.x that
// responds to messages ends when the next one comes before it has the acknowledgement of
// its response, which no client can rule out here: take RequestAll.
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
		came, omitted := 0, 0
		var reserved error // for the first that was omitted
		omit := func(m Message) {
			err := fmt.Errorf("message %d is left out: %w", came, m.check(p.config.MaxMessage))
			p.log(slog.LevelError, "message left out", because(err)...)
			if omitted++; omitted == 1 {
				reserved = err
			}
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
					if came++; m.IsReserved() {
						omit(m)
						return true
					}
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
		case omitted > 1:
			reserved = fmt.Errorf("%w, and %d more are", reserved, omitted-1)
		}
		if reserved != nil {
			reserved = p.failure(op, &SendError{Acknowledged: f.concluded, Sent: f.concluded, Err: reserved})
		}
		if broken == nil {
			return reserved
		}
		if reserved == nil {
			return broken
		}
		return errors.Join(broken, reserved)
	}
}
