package socket

import (
	"cmp"
	"context"
	"github.com/rxipc/rxipc/socket/internal/answers"
	"log/slog"
	"time"
)

// answered counts responses, if a hook needs the number.
func (h *Handling) answered(responses ...Message) {
	if h == nil {
		return
	}
	h.Responses += len(responses)
	for _, m := range responses {
		h.Bytes += m.Len()
	}
}

// opened logs that the server begins to read the connection, and calls the hook.
func (c *Connection) opened() {
	c.log(slog.LevelDebug, "connection opened")
	if hook := c.config.Hooks.Opened; hook != nil {
		callHook(c.config.Log, hook, c)
	}
}

// closed logs the end of the connection and calls the hook. The connection was opened at
// start, on the clock of its timers.
func (c *Connection) closed(start int64) {
	err := c.Err()
	if err == nil { // otherwise failed has logged the end
		c.log(slog.LevelDebug, "connection ended", slog.String("reason", Reason(nil)))
	}
	if hook := c.config.Hooks.Closed; hook != nil {
		callHook(c.config.Log, hook, Ending{Connection: c, Duration: time.Duration(c.frames.Now() - start), Err: err})
	}
}

// withHooks wraps handle with calls of the hooks about messages, if there are any.
func (c *Connection) withHooks(handle handleFunc) handleFunc {
	hooks := &c.config.Hooks
	if !hooks.keepMessages() {
		return handle
	}
	return func(ctx context.Context, x Exchange) bool {
		if hooks.Handled != nil {
			if c.exchange.handling == nil {
				c.exchange.handling = new(Handling)
			}
			*c.exchange.handling = Handling{Connection: c, Message: x.Message, Start: time.Now()}
			defer c.handled(ctx)
		}
		callHookEach(c.config.Log, hooks.Received, c, x.Message)
		return handle(ctx, x)
	}
}

// handled calls the hook for the exchange that was handled, unless it is held. For a held
// exchange its Held calls the hook.
func (c *Connection) handled(ctx context.Context) {
	if c.exchange.handling == nil {
		return
	}
	var err error
	switch c.answers.Phase() {
	case answers.Taken:
		err = errUnwound
	case answers.Begun, answers.Withdrawn:
		err = cmp.Or(c.Err(), context.Cause(ctx), errEnough)
	}
	c.callHandled(c.exchange.handling, err)
	c.exchange.handling.Message = Message{} // releases the content; the next message may be far off
}

// callHandled calls the hook for the outcome of a message, if it is set.
func (c *Connection) callHandled(h *Handling, err error) {
	if h == nil {
		return
	}
	h.Duration, h.Err = time.Since(h.Start), err
	if err != nil {
		h.Responses, h.Bytes = 0, 0
	}
	callHook(c.config.Log, c.config.Hooks.Handled, *h)
}

// Held returns the number of waiting answers of the connection: held answers
// (see [Exchange.Hold]), and the answers behind them. [ServerConfig.MaxHeld] limits it.
func (c *Connection) Held() int { return c.answers.Len() }
