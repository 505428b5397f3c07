package socket

import (
	"cmp"
	"context"
	"slices"
)

// Continuation is how a handler says what comes after its message. It is a value:
// each method returns a changed one, and the handler returns the last.
type Continuation[C any] struct {
	connection *Connection
	carry      C
	first      Message // of the responses; most answers have just one
	more       []Message
	rejection  error // why the message is rejected; nil: it is not
	responds   bool
	then       then
}

// then is how things go on after an exchange.
type then uint8

const (
	goOn then = iota
	finishConnection
	stopServer
)

// Respond adds messages to what the client gets, together with the acknowledgement.
// When one of them cannot be sent, being too large for instance, the message is
// rejected: it is not acknowledged, the carry stays as it was, and the connection
// ends with the error, which Config.Log gets; Stop counts all the same.
func (c Continuation[C]) Respond(messages ...Message) Continuation[C] {
	if len(messages) == 0 {
		return c
	}
	if !c.responds {
		c.first, c.responds = messages[0], true
		messages = messages[1:]
	}
	c.more = append(slices.Clip(c.more), messages...) // nobody else's
	return c
}

// CarryWith replaces the connection's carry, which stays as it is otherwise.
func (c Continuation[C]) CarryWith(carry C) Continuation[C] {
	c.carry = carry
	return c
}

// Finish ends this connection, after the responses.
func (c Continuation[C]) Finish() Continuation[C] {
	c.then = finishConnection
	return c
}

// Stop ends the server, after the responses: this connection and all others are
// closed in an orderly way, and what they carried is combined.
func (c Continuation[C]) Stop() Continuation[C] {
	c.then = stopServer
	return c
}

// Reject leaves the message unacknowledged, whatever was responded: the carry stays as it
// was, and the connection ends in an orderly way, with err, or [ErrRejected] if that is
// nil, in what [Connection.Err], the log and the hooks tell. Stop counts all the same.
func (c Continuation[C]) Reject(err error) Continuation[C] {
	c.rejection = cmp.Or(err, ErrRejected)
	return c
}

// Context is that of the connection, for the handler's work: it is done within a second
// when the client is gone, and when the server ends. See [Connection.Context].
func (c Continuation[C]) Context() context.Context { return c.connection.ending }

// Connection returns the connection that the message came by, for what its handler
// wants to know of it, or to send to it later.
func (c Continuation[C]) Connection() *Connection { return c.connection }

// respond gives the responses to the exchange, or returns why it is rejected.
func (c Continuation[C]) respond(x Exchange) error {
	switch {
	case c.rejection != nil:
		return c.rejection
	case !c.responds:
		return nil
	}
	if err := x.Respond(c.first); err != nil {
		return err
	}
	return x.Respond(c.more...)
}

// Next is how a monitor says whether the server goes on, and what it carries. It is
// a value: each method returns a changed one, and the monitor returns the last.
type Next[C any] struct {
	carry  C
	finish bool
}

// CarryWith replaces the server's carry, which stays as it is otherwise.
func (n Next[C]) CarryWith(carry C) Next[C] {
	n.carry = carry
	return n
}

// Finish ends the server: all connections are closed in an orderly way, and what
// they carried is combined. The monitor is not asked again.
func (n Next[C]) Finish() Next[C] {
	n.finish = true
	return n
}
