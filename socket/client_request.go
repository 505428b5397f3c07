package socket

import (
	"context"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket/internal/wire"
)

// Request sends a message and returns the response to it. Other messages of the server, such as
// pushed ones and second responses, stay for Wait. Each request gets its own response, also when
// several are made at the same time or some gave up. Request fails with a [*SendError] that
// tells whether the request was sent and acknowledged. The error wraps ErrNoResponse when the
// server acknowledged a later message first. [Process.RequestAll] and [Pool] are for many
// requests at the same time.
func (p *Process) Request(ctx context.Context, m Message) fold.Attempt[Message] {
	a, err := p.ask(ctx, m, false)
	if err != nil {
		return fold.Fail[Message](p.failure("request", err))
	}
	return fold.Succeed(a.message)
}

// RequestView is Request for a response that is not kept: use gets a View of it, which is valid
// until use returns. RequestView returns the error of use as it is. If [ClientHooks].Arrived is
// set, the content is not lent, since the hook may keep it. Nothing else changes.
func (p *Process) RequestView(ctx context.Context, m Message, use func(View) error) error {
	a, err := p.ask(ctx, m, true)
	if err != nil {
		return p.failure("request", err)
	}
	return a.lendTo(use)
}

// lendTo calls use with a View of the answer, and ends that.
func (a answer) lendTo(use func(View) error) error {
	if a.loan == nil {
		a.loan = wire.NewTerm()
	}
	defer a.loan.End()
	return use(viewOf(a.message, a.loan))
}

// ask makes a request, for an answer that may have a loan, if lend is set. Its caller ends the loan.
func (p *Process) ask(ctx context.Context, m Message, lend bool) (answer, error) {
	if err := m.check(p.config.MaxMessage); err != nil {
		return answer{}, &SendError{Err: err}
	}
	s, err := p.sendOne(ctx, true, m)
	w := s.by
	if w == nil {
		return answer{}, &SendError{Err: err}
	}
	var a answer
	if err == nil {
		err = p.awaitWith(ctx, p.config.MaxUnread, false, w, func() (ok bool) {
			w.lend = lend
			a, ok = w.take(p)
			return ok
		})
	}
	if err != nil {
		a = p.giveUp(s, err)
	}
	switch a.err {
	case nil:
		return a, nil
	case ErrNoResponse:
		return answer{}, &SendError{Acknowledged: 1, Sent: 1, Err: a.err}
	}
	return answer{}, p.failed(s.span, m, a.err)
}

// giveUp ends the wait of a request with err, or with the answer if that came in the same moment.
func (p *Process) giveUp(s sending, err error) answer {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a, ok := s.by.take(p); ok {
		return a
	}
	p.abandon(s.span)
	s.by.recycle(p)
	return answer{err: err}
}
