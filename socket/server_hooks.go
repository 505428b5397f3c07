package socket

import (
	"cmp"
	"context"
	"log/slog"
	"time"
)

// answered counts responses, if anybody wants to know.
func (h *Handling) answered(responses ...Message) {
	if h == nil {
		return
	}
	h.Responses += len(responses)
	for _, m := range responses {
		h.Bytes += m.Len()
	}
}

// opened says that the connection begins to be read.
func (c *Connection) opened() {
	c.log(slog.LevelDebug, "connection opened")
	if hook := c.config.Hooks.Opened; hook != nil {
		tell(c.config.Log, hook, c)
	}
}

// closed says that a connection has ended which was opened at start, on the pulse's clock.
func (c *Connection) closed(start int64) {
	err := c.Err()
	if err == nil { // otherwise failed has told
		c.log(slog.LevelDebug, "connection ended", slog.String("reason", Reason(nil)))
	}
	if hook := c.config.Hooks.Closed; hook != nil {
		tell(c.config.Log, hook, Ending{Connection: c, Duration: time.Duration(c.frames.Now() - start), Err: err})
	}
}

// told is handle with the hooks about messages called, if there are any.
func (c *Connection) told(handle handleFunc) handleFunc {
	hooks := &c.config.Hooks
	if hooks.Received == nil && hooks.Handled == nil {
		return handle
	}
	return func(ctx context.Context, x Exchange) bool {
		if hooks.Handled != nil {
			if c.turn.handling == nil {
				c.turn.handling = new(Handling)
			}
			*c.turn.handling = Handling{Connection: c, Message: x.Message, Start: time.Now()}
			defer c.handled(ctx)
		}
		tellEach(c.config.Log, hooks.Received, c, x.Message)
		return handle(ctx, x)
	}
}

// handled says what became of the exchange whose turn it was, unless it is held: that
// is its holder's to say.
func (c *Connection) handled(ctx context.Context) {
	if c.turn.handling == nil {
		return
	}
	var err error
	switch c.turn.phase() {
	case taken:
		err = errUnwound
	case begun, withdrawn:
		err = cmp.Or(c.Err(), context.Cause(ctx), errEnough)
	}
	c.tellHandled(c.turn.handling, err)
	c.turn.handling.Message = Message{} // the next one may be long in coming
}

// tellHandled says what became of a message, if anybody wants to know.
func (c *Connection) tellHandled(h *Handling, err error) {
	if h == nil {
		return
	}
	h.Duration, h.Err = time.Since(h.Start), err
	if err != nil {
		h.Responses, h.Bytes = 0, 0
	}
	tell(c.config.Log, c.config.Hooks.Handled, *h)
}

// Held is how many answers of the connection wait at the moment: those that are held
// (see [Exchange.Hold]), and those behind them. [ServerConfig.MaxHeld] bounds it.
func (c *Connection) Held() int { return int(c.holds.count.Load()) }
