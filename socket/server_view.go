package socket

import (
	"context"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket/internal/wire"
	"github.com/rxipc/rxipc/stream"
)

// ViewHandler is a [Handler] whose message is lent to it until it returns.
type ViewHandler[C any] func(v View, c Continuation[C], carry C) Continuation[C]

// WithViews is With for handlers that keep no message. The memory of a message's content is used
// for another one as soon as the handler has returned and its answer was written, so large
// messages take a fraction of the time and of the memory. See [View].
//
// If a hook gets the messages ([ServerHooks].Received or Handled), their contents are not lent,
// since the hook may keep them. Nothing else changes.
func (s Server[C]) WithViews(ctx context.Context, handle ViewHandler[C]) fold.Attempt[C] {
	return s.run(ctx, &service[C]{handleView: handle})
}

// ViewExchange is an [Exchange] whose message is lent until yield has returned.
type ViewExchange struct {
	View
	exchange Exchange // its message is lent
}

// ViewExchanges is [Exchanges] for pipelines that keep no message. A message is valid until yield
// has returned. Before a stage that keeps values, map an exchange to what is kept, for instance
// to [View.Message], and answer it, or call [ViewExchange.Hold].
func ViewExchanges(connections stream.Observable[*Connection]) stream.Observable[ViewExchange] {
	return operators.Map(Exchange.withView)(exchangesOf(connections, true))
}

// ViewExchanges is Exchanges for pipelines that keep no message. A message is valid until yield
// has returned.
func (c *Connection) ViewExchanges() stream.Observable[ViewExchange] {
	return operators.Map(Exchange.withView)(c.exchanges(true))
}

// Connection returns the connection of the message.
func (x ViewExchange) Connection() *Connection { return x.exchange.c }

// Context returns the context of the connection, as [Exchange.Context] does.
func (x ViewExchange) Context() context.Context { return x.exchange.Context() }

// Respond adds messages to the answer, as [Exchange.Respond] does.
func (x ViewExchange) Respond(messages ...Message) error { return x.exchange.Respond(messages...) }

// RespondView is Respond with the message itself, or another one whose View is valid. The content
// is not copied if it has 16 KiB or more. Its memory is not used again before it is written.
func (x ViewExchange) RespondView(v View) error { return x.exchange.respond(v) }

// RespondBytes is Respond with a content in a slice. It copies the slice, to memory that is used
// again when the content was written.
func (x ViewExchange) RespondBytes(mediaType MediaType, content []byte) error {
	return x.exchange.respond(viewOfCopy(mediaType, content))
}

// Reject leaves the message unacknowledged, as [Exchange.Reject] does.
func (x ViewExchange) Reject(err error) { x.exchange.Reject(err) }

// Hold keeps the exchange open, as [Exchange.Hold] does. The Held has a copy of the message.
func (x ViewExchange) Hold() *Held { return x.exchange.Hold() }

// withView returns the exchange with a View of its message.
func (x Exchange) withView() ViewExchange { return ViewExchange{x.view(), x} }

// view returns a View of the message, which ends with the handling of the exchange.
func (x Exchange) view() View {
	if x.c.exchange.loan == nil { // a hook may keep the message
		x.c.exchange.loan = wire.NewTerm()
	}
	return viewOf(x.Message, x.c.exchange.loan)
}

// respond adds a message to the answer, as Respond does.
func (x Exchange) respond(v View) (err error) {
	x.respondUnless(&err, &v)
	return err
}

// respondUnless adds a message to the answer, unless *err says that none is added any more.
func (x Exchange) respondUnless(err *error, v *View) {
	v.check()
	if *err == nil {
		var out *wire.Output
		if out, *err = x.answer(v.message); *err == nil {
			v.addTo(out)
		}
	}
	v.used()
}
