package socket

import "context"

// farewell is what a client of ours is told when the connection is closed, after all that
// has been answered.
func (c *Connection) farewell() farewell {
	why := farewellFor(c.Err(), c.config.MaxMessage)
	held := !c.holds.hasRoom(1)
	switch {
	case why.code != "":
		why.unsettled = held
	case held:
		why.code = byeUnsettled
	case c.ending.Err() != nil && context.Cause(c.ending) != errEnough:
		why.code = byeShutdown
	}
	return why
}

// tellWhy tells a client of ours why the connection is closed without its consent, if it
// can be said at once.
func (c *Connection) tellWhy() {
	if !c.ours || !c.writing.tryTake() {
		return
	}
	defer c.release()
	c.turn.move(&c.out)
	c.holds.move(&c.out)
	c.out.frame(c.farewell().frame())
	n, _ := c.source.offer(&c.out, &c.writes)
	c.written(n)
}

// tellWhyLater is tellWhy once what is held was answered, for as long as the grace lasts: a
// client that is told so knows what became of its messages.
func (c *Connection) tellWhyLater(ctx context.Context) {
	ctx, cancel := c.config.closing(ctx)
	defer cancel()
	c.awaitHeld(ctx)
	c.tellWhy()
}

// agree answers the client's connection.close.
func (c *Connection) agree() error {
	if err := c.write(c.ending, kindCloseOK); err != nil && !isGone(err) { // it need not wait
		return err
	}
	return errAgreed
}

// awaitHeld waits until what is held was answered, unless the client is gone.
func (c *Connection) awaitHeld(ctx context.Context) {
	if !c.source.left(nil) {
		c.holds.room(ctx, 1)
	}
}

// sayGoodbye tells the client connection.close, once what is held was answered, and
// awaits its consent, for as long as the grace lasts.
func (c *Connection) sayGoodbye(ctx context.Context) {
	ctx, cancel := c.config.closing(ctx)
	defer cancel()
	c.awaitHeld(ctx)
	if ctx.Err() != nil { // no time left: say so all the same, if it can be said at once
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), offerTime)
		defer cancel()
	}
	if c.write(ctx, kindClose) != nil {
		c.tryWrite(noControl)
		return
	}
	for {
		f, ok, err := c.in.next()
		switch {
		case err != nil, f.kind == kindCloseOK:
			return
		case !ok:
			err = c.fill(ctx)
		case f.kind == kindClose: // both at the same time
			err = c.write(ctx, kindCloseOK)
		}
		if err != nil {
			return
		}
	}
}
