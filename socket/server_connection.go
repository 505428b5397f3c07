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

// Connection is the server's side of one client. Whoever gets one reads it, once,
// with Exchanges or Messages, or closes it. Send and Close may be called from any
// goroutine.
type Connection struct {
	frames    framed.Conn
	config    *Config
	id        uint64
	admission admission
	answers   answers.Queue[*Handling]
	exchange  exchangeState

	ending context.Context // done once the connection is to end, or has
	cancel context.CancelCauseFunc

	away     atomic.Pointer[peek] // who reads while a message is handled; see stepAway
	nextPeek atomic.Int64         // when, on the clock of frames; zero while the session reads

	err     atomic.Pointer[error] // the first
	claimed atomic.Bool           // a session reads it, or it was closed unread
	ours    bool                  // the client is of rxipc, too; the reader's, and the handler's
	slow    bool                  // a handler takes so long that its answer waits for no other one; the reader's
}

// exchangeState is what the connection knows of the exchange that is being handled. It is the
// handler's meanwhile.
type exchangeState struct {
	held     *Held     // once Hold was called
	handling *Handling // for the hooks; its Held's once that was called
	refused  *Error    // why the latest Respond failed that could not be sent; nil after one that did not
}

// Held is an exchange whose answer is its holder's: to give at any time, from any
// goroutine, while the connection lasts. Until then its client waits, and so do the
// answers to its later messages.
type Held struct {
	Message
	c        *Connection
	answered atomic.Bool
	entry    answers.Entry[*Handling] // with what the hooks are told once it is answered, or the connection closed
}

// peek is a look at a connection that nobody else reads, because a message of it is being
// handled, or as many answers wait as may. It notices that the client is gone, and reads
// ahead, as much as the usual buffer holds, to notice that it closes.
type peek struct {
	done  chan struct{} // closed once the connection is read no more
	hurry atomic.Bool   // somebody waits for done
}

// noPeek stands for a connection that nobody reads.
var noPeek = new(peek)

func newConnection(conn net.Conn, config *Config, timers *framed.Timers) *Connection {
	c := &Connection{config: config, id: connectionIDs.Add(1)}
	c.ending, c.cancel = context.WithCancelCause(context.Background())
	c.frames = framed.New(conn, timers, &c.ending, nil)
	c.frames.In.Extended = true
	c.frames.Out = wire.NewOutput(wire.MarkedStart)
	return c
}

// Conn returns the connection beneath, for its addresses and for who is behind it.
// Reading from it or writing to it breaks the protocol.
func (c *Connection) Conn() net.Conn { return c.frames.Net }

// Context is done when the connection has ended, or is about to: Close asks it to,
// the context of the run that reads it has ended, or the client is gone. While a message
// is handled, or is held, that takes up to a second to be noticed:
//
//   - A client that dies is noticed at once over unix sockets. Over other connections its
//     unread messages are in the way if they do not fit into a buffer of 64 KiB, and it
//     is noticed once the handler has returned.
//   - A client that says connection.close is answered meanwhile; behind unread messages
//     that do not fit into that buffer it is answered once the handler has returned.
//
// The context's cause wraps [io.ErrUnexpectedEOF] if the client died. Messages of a client
// that is gone, which were not handled by then, are not: none of them was acknowledged.
//
// A handler that works for long takes the context for its work. What is pushed
// to the client for as long as it is there stops by it, too:
//
//	operators.TakeUntilDone[Message](c.Context())(pushed)
func (c *Connection) Context() context.Context { return c.ending }

// Err tells, once the connection has ended, why: nil after an orderly close from
// either side; io.ErrUnexpectedEOF if the client left without one; an error that
// wraps ErrProtocol or ErrTooLarge if it sent what it must not, ErrTooSlow if it took
// longer than it may; else what the connection beneath reported.
func (c *Connection) Err() error {
	if err := c.err.Load(); err != nil {
		return *err
	}
	return nil
}

// Send sends messages to the client, at any time, beside the answers to its own:
// all of them, in this order, in one write. It returns when they are written and
// does not wait for the client to acknowledge them. One that cannot be sent is
// refused, with ErrTooLarge, ErrReserved or ErrInvalid, before any is. When ctx
// ends first its cause is returned; the messages are sent all the same if their
// first byte was. After the end of the connection it fails with net.ErrClosed.
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

// end makes the connection end, for a reason: whatever blocks in it returns.
func (c *Connection) end(reason error) {
	c.cancel(reason)
	c.frames.End()
}

// over returns why the connection is to end, if it is: for a reason of its own, or
// because the context of who reads it has ended.
func (c *Connection) over(ctx context.Context) error {
	if ctx.Err() != nil {
		c.end(context.Cause(ctx))
	}
	if c.ending.Err() != nil {
		return context.Cause(c.ending)
	}
	return nil
}

// closedOr is net.ErrClosed in place of what a connection beneath reports that was
// closed from here: not all say it in the same way. A client that is too slow for who
// writes to it has had its time.
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
