package socket

import (
	"cmp"
	"context"
	"log/slog"
	"net"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// Context returns the context of the connection: see [Connection.Context].
func (h *Held) Context() context.Context { return h.c.ending }

// Connection returns the connection of the message.
func (h *Held) Connection() *Connection { return h.c }

// Respond acknowledges the message and sends the responses, or none, in one write. It returns
// when they are written, or when they wait behind an exchange that is still held. If a response
// cannot be sent, Respond answers nothing and fails with ErrTooLarge, ErrReserved or ErrInvalid.
// If ctx ends before the write begins, Respond answers nothing and fails with the cause of ctx. A
// second answer fails with ErrAnswered, an answer after the end of the connection with
// net.ErrClosed.
func (h *Held) Respond(ctx context.Context, responses ...Message) error {
	answered, err := h.respond(ctx, responses)
	if answered {
		h.c.callHandled(h.entry.Info, nil)
	}
	if err != nil {
		return &Error{Op: "respond", Err: err}
	}
	return nil
}

// Reject leaves the message unacknowledged, and ends the connection in an orderly way, as
// [Exchange.Reject] does. The client's earlier messages are answered first, if that happens within
// [Config.Grace]. Its later ones are not acknowledged, even if they were handled. After an answer, and
// after the end of the connection, Reject does nothing.
func (h *Held) Reject(err error) {
	if !h.answered.CompareAndSwap(false, true) || !h.c.answers.RejectHeld(&h.entry) {
		return
	}
	err = cmp.Or(err, ErrRejected)
	h.c.failed(slog.LevelInfo, &Error{Op: opHandle, Err: err})
	h.c.callHandled(h.entry.Info, err)
	h.c.end(errEnough)
}

func (h *Held) respond(ctx context.Context, responses []Message) (answered bool, err error) {
	if err := check(responses, h.c.config.MaxMessage); err != nil {
		return false, err
	}
	if err := h.c.frames.Lock(ctx); err != nil {
		return false, err
	}
	defer h.c.frames.Unlock()
	if !h.answered.CompareAndSwap(false, true) {
		return false, ErrAnswered
	}
	open := h.c.answers.Answer(&h.entry, func(out *wire.Output) {
		h.entry.Info.answered(responses...)
		for _, m := range responses {
			out.AddMessage(m.wire())
		}
	})
	if !open {
		return false, net.ErrClosed
	}
	h.c.answers.MoveHeld(&h.c.frames.Out)
	return true, h.c.closedOr(ctx, h.c.frames.Flush(ctx))
}
