package socket

import (
	"context"
	"errors"
	"net"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket/internal/wire"
)

// Close ends the connection in an orderly way. It sends connection.close, awaits the server's
// consent until ctx ends or [Config.Grace] has passed, and closes. Unread messages can still be
// read. Close fails when there was no consent. The connection is closed in any case. Closing
// twice is fine.
func (p *Process) Close(ctx context.Context) fold.Attempt[struct{}] {
	p.mu.Lock()
	over := p.closing || p.err != nil
	p.closing = true
	p.mu.Unlock()
	if over {
		return fold.Succeed(struct{}{})
	}
	defer p.shut(net.ErrClosed)
	ctx, cancel := context.WithTimeout(ctx, p.config.Grace)
	defer cancel()
	if err := p.part(ctx); err != nil {
		return fold.Fail[struct{}](p.failure("close", err))
	}
	return fold.Succeed(struct{}{})
}

// part sends connection.close and awaits the server's consent, or its end.
func (p *Process) part(ctx context.Context) error {
	if err := p.frames.Lock(ctx); err != nil {
		p.frames.TryWrite(wire.KindClose)
		return err
	}
	p.frames.Out.AddControl(wire.KindClose)
	err := p.frames.Flush(ctx)
	p.frames.Unlock()
	if err != nil && ctx.Err() != nil {
		return err
	}
	err = p.await(ctx, unlimited, func() bool { return p.agreed })
	if errors.Is(err, net.ErrClosed) || errors.Is(err, ErrDisconnected) {
		return nil
	}
	return err
}
