package socket

import (
	"context"
	"errors"
	"fmt"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket/internal/fifo"
)

// Send sends messages in order, up to [ClientConfig.Window] ahead of their acknowledgements. It
// waits until all are acknowledged, and returns the process for the next step of a chain. An
// acknowledged message has been handled. Send fails with a [*SendError] that tells which messages
// were sent and acknowledged. It checks all messages before it sends one. Responses that come
// meanwhile are kept for Wait, up to [ClientConfig.MaxUnread]. Beyond that Send fails with
// ErrUnread, so let another goroutine read many responses at the same time.
//
// A server of innmind/ipc 5.x that responds to messages ends when the next message comes before
// the acknowledgement of its response. Send does not know whether a response will come, so use
// Request for such a server.
func (p *Process) Send(ctx context.Context, messages ...Message) fold.Attempt[*Process] {
	if err := p.sendEach(ctx, messages); err != nil {
		return fold.Fail[*Process](p.failure("send", err))
	}
	return fold.Succeed(p)
}

// sendEach is Send.
func (p *Process) sendEach(ctx context.Context, messages []Message) error {
	if err := check(messages, p.config.MaxMessage); err != nil {
		return &SendError{Err: err}
	}
	if len(messages) != 1 {
		take := func(room int, queue *fifo.Queue[Message]) bool { // copies them, so that messages stays on the caller's stack
			n := min(room, len(messages))
			queue.Push(messages[:n]...)
			messages = messages[n:]
			return len(messages) == 0
		}
		w := newSendWindow(p, false)
		defer w.recycle()
		return w.run(ctx, take, nil, nil)
	}
	s, err := p.sendOne(ctx, false, messages[0])
	if err == nil {
		err = p.await(ctx, p.config.MaxUnread, func() bool { return p.acked >= s.first })
	}
	if err != nil {
		if failed := p.failed(s.span, messages[0], err); failed.Acknowledged == 0 {
			return failed
		}
	}
	return nil
}

// sendOne writes a message.
func (p *Process) sendOne(ctx context.Context, request bool, m Message) (sending, error) {
	one := [1]Message{m}
	for {
		s, err := p.write(ctx, batch{messages: one[:], request: request, single: true})
		if err != errTaken {
			return s, err
		}
		if err := p.await(ctx, p.config.MaxUnread, p.isFree); err != nil {
			if ctx.Err() != nil {
				err = fmt.Errorf("%w: %w", err, errTaken)
			}
			return sending{}, err
		}
	}
}

// failed returns the failure of a call that sent one message, or tried to.
func (p *Process) failed(s span, m Message, err error) *SendError {
	if s.count > 0 && p.gone() != nil && p.frames.Discard() <= s.place {
		s.count = 0 // it was left to others, and never left
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	e := &SendError{Acknowledged: p.acknowledged(s), Sent: s.count, Err: err}
	if e.Sent > e.Acknowledged {
		e.ahead = int(s.first - 1 - p.acked)
	}
	if e.Sent > 0 && !errors.Is(err, ErrUnread) {
		e.Err = undone(err, e.Acknowledged, m)
	}
	return e
}
