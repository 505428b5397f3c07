package socket

import (
	"cmp"
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
// [ClientConfig.Window] and [ClientConfig.WindowBytes] limit how many messages are in flight, and
// how many more are read ahead of the source, which has a goroutine of its own. A run completes
// when the source has completed and all messages are acknowledged. A failure of the source ends
// the run after the acknowledgements, too. When a message cannot be sent or is not acknowledged,
// or ctx ends, the run fails with a [*SendError] that tells which messages arrived. When yield
// wants no more, messages stay in flight, see [Process.InFlight]. Responses are kept as Send
// keeps them. While the source emits nothing, the run reads what comes, and so notices the end of
// the connection.
//
// A message whose content the protocol reserves, see [Message.IsReserved], is left out.
// Config.Log gets an error with its number among the messages of the source, and the run fails
// with ErrReserved, which names the first, once all others are acknowledged. Map such content to
// another form before. A message that cannot be sent for another reason, such as its length,
// ends the run.
//
// Servers that are not of rxipc get one message at a time. A server of innmind/ipc 5.x that
// responds to messages ends when the next message comes before the acknowledgement of its
// response. SendAll does not know whether a response will come, so use RequestAll for it.
func (p *Process) SendAll(messages stream.Observable[Message]) stream.Observable[Message] {
	mustHave("Process.SendAll", messages)
	return p.sendWith("send", false, messages)
}

// RequestAll sends what an observable emits, and emits the response to each message, in
// order: [Process.Request] as an operator. A request is in flight until its response has been
// emitted. A request without a response fails the run with ErrNoResponse, in a [*SendError],
// after the responses before it. All else is as in SendAll.
//
// A run ends with its connection, also when the server restarts in an orderly way. Its SendError
// counts exactly the requests that were handled, that may have been handled, and that were not.
// [Pool.RequestAll] goes on over the next connection.
func (p *Process) RequestAll(messages stream.Observable[Message]) stream.Observable[Message] {
	mustHave("Process.RequestAll", messages)
	return p.sendWith("request", true, messages)
}

func (p *Process) sendWith(op string, request bool, messages stream.Observable[Message]) stream.Observable[Message] {
	return func(ctx context.Context, yield func(Message) bool) error {
		if ctx.Err() != nil {
			return p.failure(op, &SendError{Err: context.Cause(ctx)})
		}
		in := newPrefetcher(p.config)
		wanted := true
		var missing error
		emit := func(m Message, err error) bool {
			if missing = err; err != nil {
				return false
			}
			wanted = yield(m)
			return wanted
		}
		left := omission{config: p.config, who: p}
		w := newSendWindow(p, request)
		defer w.recycle()
		var refused, broken, failed error
		err := stream.Gather(1, func(g *stream.Group[*prefetcher]) {
			g.Go(func(ctx context.Context, push func(*prefetcher) bool) error {
				defer in.end()
				if !push(in) {
					return nil
				}
				broken = messages(ctx, func(m Message) bool {
					if left.out(m) {
						return true
					}
					refused = m.check(p.config.MaxMessage)
					return refused == nil && in.push(ctx, m)
				})
				return nil
			})
		})(ctx, func(in *prefetcher) bool {
			failed = w.run(ctx, in.take, in, emit)
			return false
		})
		switch {
		case err != nil:
			return err
		case !wanted:
			return nil
		case missing != nil:
			return p.failure(op, &SendError{Acknowledged: w.acknowledged, Sent: w.delivered + w.inFlight, Err: missing})
		case failed != nil:
			return p.failure(op, failed)
		case refused != nil:
			return p.failure(op, &SendError{Acknowledged: w.delivered, Sent: w.delivered, Err: refused})
		}
		reserved := left.err()
		if reserved != nil {
			reserved = p.failure(op, &SendError{Acknowledged: w.delivered, Sent: w.delivered, Err: reserved})
		}
		return joined(broken, reserved)
	}
}

// omission counts the messages that a run leaves out because the protocol reserves their content.
type omission struct {
	config *Config
	who    slog.LogValuer // the Process or Pool of the run
	came   int            // messages of the source
	count  int            // of these, left out
	first  error          // for the first one left out
}

// out reports whether a message, the next one of the source, is left out.
func (o *omission) out(m Message) bool {
	o.came++
	if !m.IsReserved() {
		return false
	}
	err := fmt.Errorf("message %d is left out: %w", o.came, m.check(o.config.MaxMessage))
	writeLine(o.config.Log, slog.LevelError, "message left out", o.who, because(err))
	if o.count++; o.count == 1 {
		o.first = err
	}
	return true
}

// err returns an error if messages were left out.
func (o *omission) err() error {
	if o.count > 1 {
		return fmt.Errorf("%w, and %d more are", o.first, o.count-1)
	}
	return o.first
}

// joined joins the failure of a source and another one. It returns a single failure unchanged.
func joined(broken, other error) error {
	if broken == nil || other == nil {
		return cmp.Or(broken, other)
	}
	return errors.Join(broken, other)
}

// mustHave panics when an operator is given no observable.
func mustHave(operator string, messages stream.Observable[Message]) {
	if messages == nil {
		panic(prefix + operator + " of a nil observable")
	}
}
