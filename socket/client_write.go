package socket

import (
	"context"
	"errors"
	"net"
	"slices"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// batch is messages that leave together.
type batch struct {
	messages []Message
	request  bool // each awaits a response
	single   bool // it is the only message of a call
}

// sending is messages that have numbers, and the way in which they leave.
type sending struct {
	span
	by      *waiter // for the response to a single request
	offered bool    // what the connection does not take at once is left to a call that waits
	shared  bool    // it may leave with the messages of other calls
}

// write writes messages and owed frames. If the connection fails, it is read to its end for the
// reason.
func (p *Process) write(ctx context.Context, b batch) (sending, error) {
	if err := p.frames.Lock(ctx); err != nil {
		return sending{}, err
	}
	s, err := p.writeNumbered(ctx, b)
	if s.shared && err == nil {
		p.frames.UnlockShared(ctx)
	} else {
		p.frames.Unlock()
	}
	callHookEach(p.config.Log, p.config.Hooks.Sent, p, b.messages[:s.count]...)
	if err == nil || err == errTaken || ctx.Err() != nil {
		return s, err
	}
	if reason := p.await(ctx, p.config.MaxUnread, func() bool { return false }); !errors.Is(reason, ErrUnread) {
		err = reason
	}
	return s, err
}

func (p *Process) writeNumbered(ctx context.Context, b batch) (s sending, err error) {
	if s, err = p.number(b); err != nil {
		return sending{}, err
	}
	p.debts.AddTo(&p.frames.Out) // a response may have come since Lock, and made room for b
	s.place = p.frames.Place()
	before := p.frames.Out.Extent()
	for _, m := range b.messages {
		p.frames.Out.AddMessage(m.wire())
	}
	switch {
	case s.shared:
	case !s.offered:
		var begun bool
		if begun, err = p.frames.FlushSince(ctx, before); !begun {
			s.count = 0
		}
	case b.request: // the server is likely to be busy writing answers
		err = p.frames.FlushNow()
	default: // a moment of waiting costs much less than another goroutine
		err = p.frames.FlushSoon()
	}
	if s.offered && err != nil { // the rest is never written
		s.count -= notBegun(b.messages, p.frames.Out.Len())
	}
	p.unnumber(b.request, len(b.messages)-s.count)
	return s, err
}

// notBegun returns how many of the messages have no byte written if the last left bytes are not
// written.
func notBegun(messages []Message, left int) (n int) {
	for _, m := range slices.Backward(messages) {
		if left -= wire.FrameSize(m.wire()); left < 0 {
			break
		}
		n++
	}
	return n
}

// number counts messages as sent before they are written, since their acknowledgements may
// come at once. A message that has left in part when ctx ends will be acknowledged, too. The
// caller holds the write lock.
func (p *Process) number(b batch) (s sending, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.err != nil:
		return s, p.err
	case p.closing:
		return s, net.ErrClosed
	case !p.isFree():
		return s, errTaken
	}
	s.first, s.count, s.offered = p.sent+1, len(b.messages), true
	if b.single {
		p.route(&s, b)
	}
	p.sent += uint64(s.count)
	p.deliveries.send(s.first, b.messages)
	for n := s.first; b.request && n <= p.sent; n++ {
		p.replies.Push(reply{number: n, by: s.by})
	}
	return s, nil
}

// route decides how the message of a call leaves, p.mu held. It is only offered if the connection
// may not take it at once, since the server may be writing an answer, and read nothing until the
// answer is read. It is shared if other calls are likely to write at the same time.
func (p *Process) route(s *sending, b batch) {
	busy := p.sent > p.acked
	large := wire.FrameSize(b.messages[0].wire()) > wire.FlushAt
	s.offered = large || busy || p.frames.Unfinished()
	s.shared = !large && (busy || p.answered > 1)
	if b.request {
		s.by = p.newWaiter()
	}
}

// unnumber takes the last numbers back. The caller has held the write lock since number.
func (p *Process) unnumber(request bool, count int) {
	if count == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent -= uint64(count)
	p.deliveries.unsend(p.sent)
	p.acked = min(p.acked, p.sent) // the server may have acknowledged a message that it did not get
	if request {
		p.replies.Cut(count)
		p.settled = min(p.settled, p.replies.Len())
	}
}

// errTaken is why a message must not be sent now.
var errTaken = errors.New("the server takes one message at a time, and the one before is not answered")
