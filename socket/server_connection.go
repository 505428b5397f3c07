package socket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"

	"github.com/rxipc/rxipc/socket/internal/answers"
	"github.com/rxipc/rxipc/socket/internal/framed"
	"github.com/rxipc/rxipc/socket/internal/wire"
)

// Connection is the server's end of a connection. Its receiver reads it once, with Exchanges or
// Messages, or closes it. Send and Close may be called from any goroutine.
type Connection struct {
	frames    framed.Conn
	config    *Config
	id        uint64
	admission admission
	answers   answers.Queue[*Handling]
	exchange  exchangeState

	ending context.Context // done once the connection is to end, or has
	cancel context.CancelCauseFunc

	away     atomic.Pointer[peek] // reads while a message is handled; see stepAway
	nextPeek atomic.Int64         // when, on the clock of frames; zero while the session reads

	err     atomic.Pointer[error] // the first
	claimed atomic.Bool           // a session reads it, or it was closed unread
	ours    bool                  // the client is of rxipc, too; the reader's, and the handler's
	slow    atomic.Bool           // a handler took long, so its answer leaves at once
}

// exchangeState is what the connection knows of the exchange that is being handled. It is the
// handler's meanwhile.
type exchangeState struct {
	message  Message
	held     *Held      // once Hold was called
	handling *Handling  // for the hooks; its Held's once that was called
	refused  *Error     // of the latest Respond, if its messages could not be sent
	loan     *wire.Loan // has its content, if that is lent
}

// Held is an exchange that is answered later. Its holder may call Respond or Reject at any time,
// from any goroutine, while the connection lasts. The answers to later messages of the client wait
// until then.
type Held struct {
	Message
	c        *Connection
	answered atomic.Bool
	entry    answers.Entry[*Handling] // with the argument of the hook that is called in the end
}

// peek is a look at a connection whose session does not read, because a message is being
// handled, or because too many answers wait. It notices that the client is gone. It reads ahead
// until the usual buffer is full, to notice that the client closes.
type peek struct {
	done  chan struct{} // closed once the connection is read no more
	hurry atomic.Bool   // a goroutine waits for done
}

// noPeek says that no peek reads the connection.
var noPeek = new(peek)

func newConnection(conn net.Conn, config *Config, timers *framed.Timers) *Connection {
	c := &Connection{config: config, id: connectionIDs.Add(1)}
	c.ending, c.cancel = context.WithCancelCause(context.Background())
	c.frames = framed.New(conn, timers, &c.ending, nil)
	c.frames.In.Extended = true
	c.frames.Out = wire.NewOutput(wire.MarkedStart)
	return c
}

// Conn returns the underlying net.Conn, for its addresses and its credentials. Reading from it
// or writing to it breaks the protocol.
func (c *Connection) Conn() net.Conn { return c.frames.Net }

// Context is done when the connection has ended, or is about to end: after Close, when the
// context of the run that reads it ends, or when the client is gone. While a message is handled
// or held, it is done within a second after the client has gone:
//
//   - Over unix sockets the death of a client is always noticed. Over other connections it is
//     noticed only after the handler has returned, if the client's unread messages do not fit
//     into a buffer of 64 KiB.
//   - A connection.close of the client is answered while the handler works. It is answered after
//     the handler has returned, if there are unread messages before it that do not fit into
//     that buffer.
//
// The cause of the context wraps [io.ErrUnexpectedEOF] if the client died. The remaining
// messages of a client that is gone are neither handled nor acknowledged.
//
// A handler that works for long uses the context for its work. It also ends a stream that is
// pushed to the client:
//
//	operators.TakeUntilDone[Message](c.Context())(pushed)
func (c *Connection) Context() context.Context { return c.ending }

// Err returns why the connection has ended. It is nil before the end, and after an orderly close
// by either side. It wraps io.ErrUnexpectedEOF if the client left without a close, ErrProtocol or
// ErrTooLarge if the client sent something invalid, and ErrTooSlow or ErrSilent if a time limit
// has passed. It wraps the error of the handler if that rejected a message or panicked. Otherwise
// it is the error of the underlying net.Conn.
func (c *Connection) Err() error {
	if err := c.err.Load(); err != nil {
		return *err
	}
	return nil
}

// Send sends messages to the client at any time, beside the answers: all of them, in this order,
// in one write. It returns when they are written, and does not wait for acknowledgements. If one
// of them cannot be sent, Send sends none and fails with ErrTooLarge, ErrReserved or ErrInvalid.
// If ctx ends first, Send fails with its cause; the messages are sent nevertheless if their first
// byte has been written. After the end of the connection Send fails with net.ErrClosed.
func (c *Connection) Send(ctx context.Context, messages ...Message) error {
	if err := check(messages, c.config.MaxMessage); err != nil {
		return &Error{Op: "send", Err: err}
	}
	if err := c.frames.Lock(ctx); err != nil {
		return &Error{Op: "send", Err: err}
	}
	before := c.frames.Out.Extent()
	for _, m := range messages {
		c.frames.Out.AddMessage(m.wire())
	}
	_, err := c.frames.FlushSince(ctx, before)
	c.frames.Unlock()
	if err != nil {
		return &Error{Op: "send", Err: c.closedOr(ctx, err)}
	}
	callHookEach(c.config.Log, c.config.Hooks.Pushed, c, messages...)
	return nil
}

// exchangeOf returns the exchange with an id, without the message if it is not being handled.
func (c *Connection) exchangeOf(id uint64) Exchange {
	x := Exchange{c: c, id: id}
	if c.answers.IsOpen(id) {
		x.Message = c.exchange.message
	}
	return x
}

// end makes the connection end for a reason. All calls that block in it return.
func (c *Connection) end(reason error) {
	c.cancel(reason)
	c.frames.End()
}

// over returns why the connection is to end, or nil. ctx is the context of its reader.
func (c *Connection) over(ctx context.Context) error {
	if ctx.Err() != nil {
		c.end(context.Cause(ctx))
	}
	if c.ending.Err() != nil {
		return context.Cause(c.ending)
	}
	return nil
}

// closedOr returns net.ErrClosed if this side has closed the connection, since net.Conns report
// that differently, and otherwise err. It ends the connection of a client that is too slow.
func (c *Connection) closedOr(ctx context.Context, err error) error {
	if errors.Is(err, ErrTooSlow) {
		c.end(err)
		return err
	}
	if err != nil && ctx.Err() == nil && c.ending.Err() != nil {
		return net.ErrClosed
	}
	return err
}

var (
	errClaimed = errors.New("the connection is being read already")
	errEnough  = errors.New("nothing more is wanted") // by yield or Close: goodbye
	errAgreed  = errors.New("the client closed")      // and was answered
	errLeft    = fmt.Errorf("the client is gone: %w", io.ErrUnexpectedEOF)
)
