package socket

import (
	"context"

	"github.com/rxipc/rxipc/socket/internal/framed"
	"github.com/rxipc/rxipc/socket/internal/wire"
)

// closeReason returns the reason for which the connection is closed, for a client of rxipc. It
// is called after everything has been answered.
func (c *Connection) closeReason() wire.CloseReason {
	why := closeReasonFor(c.Err(), c.config.MaxMessage)
	rejected, held := c.answers.Left()
	blames := why.Code == wire.ReasonRejected || why.Code == wire.ReasonPanicked
	switch {
	case held > 0 && (why.Code == "" || blames && !rejected): // the first one is not that to blame
		why.Code = wire.ReasonUnsettled
	case why.Code != "":
		why.Unsettled = held > 0
	case c.ending.Err() != nil && context.Cause(c.ending) != errEnough:
		why.Code = wire.ReasonShutdown
	}
	return why
}

// tellWhy tells a client of rxipc why the connection is closed without its consent, if the
// connection takes the bytes at once.
func (c *Connection) tellWhy() {
	if c.frames.TryLock() {
		c.offerWhy()
	}
}

// tellWhyLater is tellWhy once every held exchange was answered and each answer is written,
// or the grace has ended. A client knows by the reason which of its messages were handled.
func (c *Connection) tellWhyLater(ctx context.Context) {
	ctx, cancel := c.config.closing(ctx)
	defer cancel()
	c.awaitHeld(ctx)
	if c.frames.Lock(ctx) == nil || c.frames.TryLock() {
		c.offerWhy()
	}
}

// offerWhy writes the answers and the reason of the close to a client of ours, as far as the
// connection takes them at once. It gives back the write lock.
func (c *Connection) offerWhy() {
	defer c.frames.Unlock()
	if !c.ours {
		return
	}
	c.answers.Move(&c.frames.Out)
	c.frames.Out.AddFrames(c.closeReason().Frame())
	c.frames.FlushNow()
}

// agree answers the client's connection.close.
func (c *Connection) agree() error {
	if err := c.write(c.ending, wire.KindCloseOK); err != nil && !framed.IsGone(err) { // it need not wait
		return err
	}
	return errAgreed
}

// awaitHeld waits until every held exchange was answered, unless the client is gone.
func (c *Connection) awaitHeld(ctx context.Context) {
	if !c.frames.IsGone(nil) {
		c.answers.AwaitAnswers(ctx)
	}
}

// sayGoodbye sends connection.close, once every held exchange was answered, and awaits the
// client's consent. The grace limits all of it.
func (c *Connection) sayGoodbye(ctx context.Context) {
	ctx, cancel := c.config.closing(ctx)
	defer cancel()
	c.awaitHeld(ctx)
	if ctx.Err() != nil { // no time left: say so all the same, if it can be said at once
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), framed.OfferTime)
		defer cancel()
	}
	if c.write(ctx, wire.KindClose) != nil {
		c.frames.TryWrite(wire.NoControl)
		return
	}
	for {
		f, ok, err := c.frames.In.Next()
		switch {
		case err != nil, f.Kind == wire.KindCloseOK:
			return
		case !ok:
			err = c.frames.Fill(ctx)
		case f.Kind == wire.KindClose: // both at the same time
			err = c.write(ctx, wire.KindCloseOK)
		}
		if err != nil {
			return
		}
	}
}
