package socket

import (
	"context"
	"errors"

	"github.com/rxipc/rxipc/fold"
)

// Request sends a message and returns the response to it. Other messages of the server, such as
// pushed ones and second responses, stay for Wait. Each request gets its own response, also when
// several are made at the same time or some gave up. Request fails with a [*SendError] that
// tells whether the request was sent and acknowledged. The error wraps ErrNoResponse when the
// server acknowledged a later message first. [Process.RequestAll] and [Pool] are for many
// requests at the same time.
func (p *Process) Request(ctx context.Context, m Message) fold.Attempt[Message] {
	answer, err := p.request(ctx, m)
	if err != nil {
		return fold.Fail[Message](p.failure("request", err))
	}
	return fold.Succeed(answer)
}

func (p *Process) request(ctx context.Context, m Message) (Message, error) {
	if err := m.check(p.config.MaxMessage); err != nil {
		return Message{}, &SendError{Err: err}
	}
	s, err := p.sendOne(ctx, true, m)
	if err == nil {
		var a answer
		err = p.await(ctx, p.config.MaxUnread, func() (ok bool) {
			a, ok = p.claim(s.first)
			return ok
		})
		switch {
		case err == nil && a.err == nil:
			return a.message, nil
		case err == nil:
			return Message{}, &SendError{Acknowledged: 1, Sent: 1, Err: a.err}
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.abandon(s)
	acknowledged := p.acknowledged(s)
	if s.count > 0 && !errors.Is(err, ErrUnread) {
		err = undone(err, acknowledged, m)
	}
	return Message{}, &SendError{Acknowledged: acknowledged, Sent: s.count, Err: err}
}
