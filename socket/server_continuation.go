package socket

import (
	"cmp"
	"context"
	"slices"
)

// Continuation is a handler's decision about its message and the connection. It is a value:
// each method returns a changed one, and the handler returns the last.
type Continuation[C any] struct {
	c        *Connection
	id       uint64 // of the exchange
	carry    C
	first    View // the first response; most answers have just one
	rare     *rare
	responds bool
	then     then
}

// rare is what most answers do not have. It is not changed, since several Continuations may share
// it.
type rare struct {
	more      []View // the responses behind the first
	rejection error  // the reason of a rejection; nil without one
}

// rarely returns a copy of what is rare.
func (c *Continuation[C]) rarely() (copied rare) {
	if c.rare != nil {
		copied = *c.rare
	}
	return copied
}

// then is the effect of an exchange on the connection and the server.
type then uint8

const (
	goOn then = iota
	finishConnection
	stopServer
)

// Respond adds messages to the answer, which the client gets together with the
// acknowledgement. If one of them cannot be sent, for instance because it is too large, the
// message is rejected: it is not acknowledged, the carry stays as it was, and the connection
// ends with the error, which Config.Log gets. Stop takes effect nevertheless.
func (c Continuation[C]) Respond(messages ...Message) Continuation[C] {
	for i := range messages {
		c.add(View{message: messages[i]})
	}
	return c
}

// RespondView is Respond with the message of the handler, or another one whose View is still valid when
// the handler returns. The content is not copied if it has 16 KiB or more. Its memory is not used
// again before it is written.
func (c Continuation[C]) RespondView(v View) Continuation[C] {
	c.add(v)
	return c
}

// add adds a response.
func (c *Continuation[C]) add(v View) {
	if !c.responds {
		c.first, c.responds = v, true
		return
	}
	c.addMore(v)
}

// addMore adds a response that is not the first.
func (c *Continuation[C]) addMore(v View) {
	r := c.rarely()
	r.more = append(slices.Clip(r.more), v) // copies the array, too
	c.rare = &r
}

// RespondBytes is Respond with a content in a slice. It copies the slice at once, to memory that
// is used again when the content was written, so it is for one answer: the Continuation must not
// be returned twice.
func (c Continuation[C]) RespondBytes(mediaType MediaType, content []byte) Continuation[C] {
	return c.RespondView(viewOfCopy(mediaType, content))
}

// CarryWith replaces the connection's carry. Without it the carry stays as it is.
func (c Continuation[C]) CarryWith(carry C) Continuation[C] {
	c.carry = carry
	return c
}

// Finish ends this connection, after the responses.
func (c Continuation[C]) Finish() Continuation[C] {
	c.then = finishConnection
	return c
}

// Stop ends the server, after the responses: it closes this connection and all others in an
// orderly way, and combines their carries.
func (c Continuation[C]) Stop() Continuation[C] {
	c.then = stopServer
	return c
}

// Reject leaves the message unacknowledged, whatever the responses. The carry stays as it
// was, and the connection ends in an orderly way. [Connection.Err], the log and the hooks get
// err, or [ErrRejected] if that is nil. Stop takes effect nevertheless.
func (c Continuation[C]) Reject(err error) Continuation[C] {
	r := c.rarely()
	r.rejection = cmp.Or(err, ErrRejected)
	c.rare = &r
	return c
}

// Context returns the context of the connection, for the handler's work. It is done within a
// second when the client is gone, and when the server ends. See [Connection.Context].
func (c Continuation[C]) Context() context.Context { return c.c.ending }

// Connection returns the connection of the message, for example to send to it later.
func (c Continuation[C]) Connection() *Connection { return c.c }

// Hold keeps the message open after the handler has returned, for an answer that comes later or
// from another goroutine: see [Exchange.Hold]. The Held answers the message, so the continuation's
// responses are not sent. The carry changes at once. With does not wait for goroutines of the
// handler: the holder waits for them, or they end with [Held.Context].
func (c Continuation[C]) Hold() *Held { return c.c.exchangeOf(c.id).Hold() }

// isRejected reports whether Reject was called.
func (c *Continuation[C]) isRejected() bool { return c.rare != nil && c.rare.rejection != nil }

// respond adds the responses to the exchange, or returns the reason of its rejection.
func (c *Continuation[C]) respond(x Exchange) error {
	var rejection error
	if c.isRejected() {
		rejection = c.rare.rejection
	}
	if !c.responds {
		return rejection
	}
	held := x.c.answers.IsHeld(x.id)
	err := rejection
	if held && err == nil {
		err = ErrAnswered // by the Held, later
	}
	x.respondUnless(&err, &c.first)
	if c.rare != nil {
		for i := range c.rare.more {
			x.respondUnless(&err, &c.rare.more[i])
		}
	}
	if held {
		return rejection
	}
	return err
}

// Next is a monitor's decision about the server. It is a value: each method returns a changed
// one, and the monitor returns the last.
type Next[C any] struct {
	carry  C
	finish bool
}

// CarryWith replaces the server's carry. Without it the carry stays as it is.
func (n Next[C]) CarryWith(carry C) Next[C] {
	n.carry = carry
	return n
}

// Finish ends the server: it closes all connections in an orderly way, and combines their
// carries. The monitor is not called again.
func (n Next[C]) Finish() Next[C] {
	n.finish = true
	return n
}
