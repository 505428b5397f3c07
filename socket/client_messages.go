package socket

import (
	"context"
	"errors"
	"net"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/stream"
)

// Wait returns the next unread message from the process. It waits for one until ctx ends.
func (p *Process) Wait(ctx context.Context) fold.Attempt[Message] {
	var m Message
	err := p.await(ctx, unlimited, func() bool {
		if p.inbox.Len() == 0 {
			return false
		}
		m = p.take()
		return true
	})
	if err != nil {
		return fold.Fail[Message](p.failure("wait", err))
	}
	return fold.Succeed(m)
}

// Messages emits the messages from the process, beginning with the unread ones: responses, and
// messages that the server pushes. It completes when the server, or Close, closes the
// connection in an orderly way. It is hot: each message goes to one run, or to Wait.
func (p *Process) Messages() stream.Observable[Message] {
	return func(ctx context.Context, yield func(Message) bool) error {
		for {
			if ctx.Err() != nil { // whatever is unread stays so
				return context.Cause(ctx)
			}
			m, err := p.Wait(ctx).Get()
			switch {
			case err != nil && ctx.Err() != nil:
				return gaveUp(ctx, err)
			case errors.Is(err, ErrDisconnected), errors.Is(err, net.ErrClosed):
				return nil
			case err != nil:
				return err
			case !yield(m):
				return nil
			}
		}
	}
}

// DropUnasked drops all messages that answer no request, now and later. It is for clients that
// only send, or only make requests, to a server that responds or pushes.
func (p *Process) DropUnasked() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unasked = true
	for p.inbox.Len() > 0 {
		p.take()
	}
}

// forPool is DropUnasked for a pool. freed gets a token for each answer to a request that was
// given up.
func (p *Process) forPool(freed chan struct{}) {
	p.mu.Lock()
	p.freed = freed
	p.mu.Unlock()
	p.DropUnasked()
}
