package socket

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync/atomic"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket/internal/answers"
	"github.com/rxipc/rxipc/socket/internal/framed"
	"github.com/rxipc/rxipc/socket/internal/wire"
	"github.com/rxipc/rxipc/stream"
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

// Close asks the connection to end in an orderly way: its Exchanges complete, as if
// the client had closed it. A connection that nobody reads is closed at once.
// Closing twice is fine.
func (c *Connection) Close() {
	c.end(errEnough)
	if c.claimed.CompareAndSwap(false, true) {
		c.cleanUp()
	}
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

// Messages is the connection's messages alone, each acknowledged when it has been
// handled: Exchanges without the means to answer.
func (c *Connection) Messages() stream.Observable[Message] {
	return operators.Map(func(x Exchange) Message { return x.Message })(c.Exchanges())
}

// Exchanges is the connection's messages, each with the means to answer it. The
// run does the handshake, answers heartbeats, and owns the connection: when it
// returns, that is closed.
//
// An exchange is acknowledged, with what it was responded, when yield has returned.
// The run completes when the connection ends, whichever side ended it and however:
// a client that breaks the protocol or dies concerns nobody else, and what was
// folded of its messages stays folded; [Connection.Err] tells why it ended. When
// yield has had enough, or ctx ends, the client is told connection.close and its
// consent is awaited, up to [Config.Grace].
//
// The run waits for the client on its caller's goroutine; [Server.With] and [Exchanges]
// have none for clients that say nothing, where they can.
//
// It is hot: one run reads a connection, a second one fails. The run of a connection
// that has ended, or was closed unread, is empty.
func (c *Connection) Exchanges() stream.Observable[Exchange] {
	return func(ctx context.Context, yield func(Exchange) bool) error {
		stage := stream.Buffering(ctx)
		var unanswered error
		_, err := newSession(c, nil).serve(ctx, func(_ context.Context, x Exchange) bool {
			more, err := x.settle(yield(x), stage)
			unanswered = err
			return more
		})
		return cmp.Or(unanswered, err)
	}
}

var (
	errClaimed = errors.New("the connection is being read already")
	errEnough  = errors.New("nothing more is wanted") // by yield or Close: goodbye
	errAgreed  = errors.New("the client closed")      // and was answered
	errLeft    = fmt.Errorf("the client is gone: %w", io.ErrUnexpectedEOF)
)

// handleFunc hands an exchange to who handles it, waits until that has concluded
// it, and reports whether to go on.
type handleFunc func(context.Context, Exchange) bool

// handledBy has exchanges handled by who is called with them.
func handledBy(yield func(Exchange) bool) handleFunc {
	return func(_ context.Context, x Exchange) bool {
		more := yield(x)
		x.c.answers.Conclude(x.id)
		return more
	}
}

// unclaimed is what a run returns that may not read the connection.
func (c *Connection) unclaimed() error {
	if c.ending.Err() != nil {
		return nil
	}
	return &Error{Op: "read", Err: errClaimed}
}

// outcome ends the talk as its error demands, and is what the run returns.
func (c *Connection) outcome(ctx context.Context, err error) error {
	if cause := context.Cause(c.ending); cause == errAgreed || cause == errLeft {
		err = cause // what was noticed meanwhile
	}
	switch {
	case err == errAgreed:
	case errors.Is(err, ErrTooSlow), errors.Is(err, ErrSilent): // to agree, too
		c.failed(slog.LevelWarn, &Error{Op: "read", Err: err})
		c.tellWhy()
	case err != errLeft && (err == errEnough || c.ending.Err() != nil):
		c.sayGoodbye(ctx)
	case framed.IsGone(err): // a client that left, a probe among them
		c.failed(slog.LevelDebug, &Error{Op: "read", Err: framed.Unexpected(err)})
	default:
		c.failed(slog.LevelWarn, &Error{Op: "read", Err: err})
		c.tellWhyLater(ctx)
	}
	if err != errEnough && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// talk reads frames, and has messages handled, until the connection ends, or its session
// is to park: that is framed.ErrIdle.
func (c *Connection) talk(ctx context.Context, handle handleFunc) error {
	for {
		if err := c.handleAll(ctx, handle); err != nil {
			return err
		}
		if err := c.flushAndRead(); err != nil {
			return err
		}
	}
}

// greet begins the handshake.
func (c *Connection) greet(ctx context.Context) error {
	if err := c.over(ctx); err != nil {
		return err
	}
	c.frames.Join((*timedConnection)(c))
	c.frames.StartClock()
	return c.write(c.ending, wire.NoControl) // connection.start
}

// handleAll handles the frames that came.
func (c *Connection) handleAll(ctx context.Context, handle handleFunc) error {
	for {
		f, ok, err := c.frames.In.Next()
		switch {
		case err != nil:
			c.writeReady() // what came before it counts
			return err
		case !ok:
			return nil
		case f.Kind == wire.KindMessage && c.frames.Greeted: // before, 4.4 drops it, too
			err = c.handle(ctx, messageOf(f.Message), handle)
		case f.Kind == wire.KindStartOK:
			c.frames.Greeted = true
			c.ours = c.ours || f.IsMarkedStartOK()
		case f.Kind == wire.KindClose:
			return c.agree()
		}
		if err != nil {
			return err
		}
	}
}

// flushAndRead writes the answers there are and reads what comes next.
func (c *Connection) flushAndRead() error {
	if err := c.writeReady(); err != nil {
		return err
	}
	c.nextPeek.Store(0)
	if c.frames.LimitsSilence() {
		c.frames.Listen(c.frames.Now())
	}
	if err := c.receive(); err != nil {
		return err
	}
	if !c.frames.In.Idle() { // else it was called
		now := c.frames.Now()
		c.frames.StopListening()
		c.frames.Heard(now)
		c.peekAfter(now)
	}
	return nil
}

// receive reads what comes next, and waits for it unless the session is to park.
func (c *Connection) receive() error {
	if c.frames.Parking.Load().Rests() && c.frames.Greeted && c.frames.In.Idle() {
		return c.frames.Look(c.ending)
	}
	return c.frames.Fill(c.ending)
}

// writeReady writes the answers there are, if there are any, and what is left of a
// write.
func (c *Connection) writeReady() error {
	if !c.answers.IsReady() && !c.frames.Unfinished() {
		return nil
	}
	return c.write(c.ending, wire.NoControl)
}

// makeRoom waits until one more exchange may be held.
func (c *Connection) makeRoom() error {
	if c.answers.Len() < c.config.MaxHeld {
		return nil
	}
	if err := c.writeReady(); err != nil { // the client may wait for it
		return err
	}
	c.stepAway()
	defer c.comeBack()
	return c.answers.AwaitRoom(c.ending, c.config.MaxHeld)
}

// handle has one message handled. Its answer waits for those of the messages that
// the reader holds already, unless that takes long.
func (c *Connection) handle(ctx context.Context, m Message, handle handleFunc) error {
	if err := c.makeRoom(); err != nil {
		return err
	}
	id := c.answers.Begin(c.config.Dialect.acknowledgement())
	c.exchange.held, c.exchange.refused = nil, nil
	c.stepAway()
	more := handle(c.ending, Exchange{Message: m, c: c, id: id})
	c.comeBack()
	answered := c.answers.End()
	if !more || !answered { // the next acknowledgement would be taken for this one's
		return errEnough
	}
	if err := c.over(ctx); err != nil {
		return err
	}
	if c.answers.Pending() >= wire.FlushAt || c.slow {
		c.slow = false
		return c.write(c.ending, wire.NoControl)
	}
	return nil
}

// write writes the answers there are, and after them a control frame or none, in one
// write.
func (c *Connection) write(ctx context.Context, last wire.Kind) error {
	if err := c.frames.Lock(ctx); err != nil {
		return err
	}
	defer c.frames.Unlock()
	c.answers.Move(&c.frames.Out)
	switch {
	case last == wire.KindClose && c.ours:
		c.frames.Out.AddFrames(c.closeReason().Frame())
	case last != wire.NoControl:
		c.frames.Out.AddControl(last)
	}
	return c.frames.Flush(ctx)
}

// failed keeps why the connection ended, the first reason, and tells the log.
func (c *Connection) failed(level slog.Level, err error) {
	c.err.CompareAndSwap(nil, &err)
	c.log(level, "connection ended", because(err)...)
}

// cleanUp ends what is left of the connection.
func (c *Connection) cleanUp() {
	c.comeBack()
	if c.answers.IsUnwound() {
		c.failed(slog.LevelError, &Error{Op: opHandle, Err: errUnwound})
	}
	c.frames.Net.Close()
	c.admission.leave()
	c.end(cmp.Or(c.Err(), errEnough))
	for _, h := range c.answers.Close() {
		c.callHandled(h, net.ErrClosed)
	}
	c.frames.Shut()
	c.frames.Release()
}
