package socket

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket/internal/framed"
	"github.com/rxipc/rxipc/socket/internal/wire"
	"github.com/rxipc/rxipc/stream"
)

// Messages emits the messages of the connection. Each is acknowledged when yield has returned. It
// is [Connection.Exchanges] without the methods to answer.
func (c *Connection) Messages() stream.Observable[Message] {
	return operators.Map(func(x Exchange) Message { return x.Message })(c.Exchanges())
}

// Exchanges emits the messages of the connection, each with methods to answer it. The run does the
// handshake and the heartbeats. It owns the connection and closes it when it returns.
//
// An exchange is acknowledged, together with its responses, when yield has returned. The run
// completes when the connection ends, by whichever side and for whichever reason, so a client
// that breaks the protocol or dies fails no pipeline. [Connection.Err] returns the reason. When
// yield returns false, or when ctx ends, the run sends connection.close and waits for the
// client's answer, up to [Config.Grace].
//
// The run waits for the client on its caller's goroutine. [Server.With] and [Exchanges] need no
// goroutine for a silent client, on Linux.
//
// It is hot: a second run of the same connection fails. The run of a connection that has ended, or
// was closed unread, is empty.
func (c *Connection) Exchanges() stream.Observable[Exchange] { return c.exchanges(false) }

// exchanges is Exchanges or, if contents are to be lent, ViewExchanges.
func (c *Connection) exchanges(lend bool) stream.Observable[Exchange] {
	return func(ctx context.Context, yield func(Exchange) bool) error {
		stage := stream.Buffering(ctx)
		var unanswered error
		s := newSession(c, nil)
		s.lend = lend
		_, err := s.serve(ctx, func(_ context.Context, x Exchange) bool {
			more, err := x.settle(yield(x), stage)
			unanswered = err
			return more
		})
		return cmp.Or(unanswered, err)
	}
}

// handleFunc gives an exchange to its handler, waits until the exchange is concluded, and reports
// whether to go on.
type handleFunc func(context.Context, Exchange) bool

// handledBy returns a handleFunc whose handler is yield itself.
func handledBy(yield func(Exchange) bool) handleFunc {
	return func(_ context.Context, x Exchange) bool {
		more := yield(x)
		x.c.answers.Conclude(x.id)
		return more
	}
}

// Close makes the connection end in an orderly way. Its Exchanges complete, as if the client had
// closed it. A connection that was not read yet is closed at once. A second Close does nothing.
func (c *Connection) Close() {
	c.end(errEnough)
	if c.claimed.CompareAndSwap(false, true) {
		c.cleanUp()
	}
}

// unclaimed returns the error of a run that may not read the connection.
func (c *Connection) unclaimed() error {
	if c.ending.Err() != nil {
		return nil
	}
	return &Error{Op: "read", Err: errClaimed}
}

// outcome ends the talk as its error demands, and returns the error of the run.
func (c *Connection) outcome(ctx context.Context, err error) error {
	if cause := context.Cause(c.ending); cause == errAgreed || cause == errLeft {
		err = cause // noticed while a message was handled
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

// talk reads frames and has messages handled until the connection ends, or until its session is
// to park. It fails with framed.ErrIdle then.
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
	acknowledgement := c.config.Dialect.acknowledgement().Frame() // a client has many of them to pushed messages
	for {
		c.frames.In.Skip(acknowledgement)
		f, ok, err := c.frames.In.Next()
		switch {
		case err != nil:
			c.writeReady() // what came before it counts
			return err
		case !ok:
			return nil
		case f.Kind == wire.KindMessage && c.frames.Greeted:
			err = c.handle(ctx, f, handle)
		case f.Kind == wire.KindMessage: // before, 4.4 drops it, too
			f.Loan.End()
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

// flushAndRead writes the answers and reads the next bytes.
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

// receive reads the next bytes. It waits for them unless the session is to park.
func (c *Connection) receive() error {
	if c.frames.Parking.Load().Rests() && c.frames.Greeted && c.frames.In.Idle() {
		return c.frames.Look(c.ending)
	}
	return c.frames.Fill(c.ending)
}

// writeReady writes the answers, if there are any, and the bytes that an earlier write left.
func (c *Connection) writeReady() error {
	if !c.answers.IsReady() && !c.frames.Unfinished() {
		return nil
	}
	return c.write(c.ending, wire.NoControl)
}

// makeRoom waits until one more exchange may be held.
func (c *Connection) makeRoom() error {
	if c.answers.HasRoom(c.config.MaxHeld, c.config.MaxHeldBytes) {
		return nil
	}
	if err := c.writeReady(); err != nil { // the client may wait for it
		return err
	}
	return c.answers.AwaitRoom(c.ending, c.config.MaxHeld, c.config.MaxHeldBytes)
}

// handle has a message handled, and those that the reader holds behind it, if they are alike. The
// timers may read the connection meanwhile.
func (c *Connection) handle(ctx context.Context, f wire.Frame, handle handleFunc) error {
	var contents [wire.MaxAlike]string
	mediaType, n, loan := c.frames.In.Alike(&contents)
	c.stepAway()
	defer c.endHandling()
	err := c.handleOne(ctx, messageOf(f.Message), f.Loan, handle)
	for _, content := range contents[:n] {
		if err != nil {
			loan.Release() // it is not handled
			continue
		}
		err = c.handleOne(ctx, Message{MediaType{mediaType}, content}, loan, handle)
	}
	return err
}

// handleOne has one message handled. Its answer waits for those of the messages that
// the reader holds already, unless that takes long.
func (c *Connection) handleOne(ctx context.Context, m Message, loan *wire.Loan, handle handleFunc) error {
	if err := c.makeRoom(); err != nil {
		loan.End()
		return err
	}
	c.exchange.message, c.exchange.loan = m, loan
	c.exchange.held, c.exchange.refused = nil, nil
	id := c.answers.Begin(c.config.Dialect.acknowledgement())
	more := handle(c.ending, Exchange{Message: m, c: c, id: id})
	answered := c.answers.End()
	c.exchange.loan.End()
	if !more || !answered { // the next acknowledgement would be taken for this one's
		return errEnough
	}
	if err := c.over(ctx); err != nil {
		return err
	}
	if c.answers.Pending() >= wire.FlushAt || c.slow.Load() {
		c.slow.Store(false)
		return c.write(c.ending, wire.NoControl)
	}
	return nil
}

// endHandling makes the caller the reader again and forgets the last message.
func (c *Connection) endHandling() {
	c.comeBack()
	c.exchange = exchangeState{handling: c.exchange.handling}
}

// write writes the answers and then a control frame, or none, in one write.
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

// failed keeps the first reason for which the connection ended, and logs each of them.
func (c *Connection) failed(level slog.Level, err error) {
	c.err.CompareAndSwap(nil, &err)
	c.log(level, "connection ended", because(err)...)
}

// cleanUp closes the connection and releases its resources.
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
