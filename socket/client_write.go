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
	offered  bool // what the connection does not take at once is left to a call that waits
}

// write writes messages and owed frames. If the connection fails, it is read to its end for the
// reason.
func (p *Process) write(ctx context.Context, b batch) (span, error) {
	if err := p.frames.Lock(ctx); err != nil {
		return span{}, err
	}
	s, err := p.writeNumbered(ctx, b)
	p.frames.Unlock()
	callHookEach(p.config.Log, p.config.Hooks.Sent, p, b.messages[:s.count]...)
	if err == nil || err == errTaken || ctx.Err() != nil {
		return s, err
	}
	if reason := p.await(ctx, p.config.MaxUnread, func() bool { return false }); !errors.Is(reason, ErrUnread) {
		err = reason
	}
	return s, err
}

func (p *Process) writeNumbered(ctx context.Context, b batch) (s span, err error) {
	if s.first, err = p.number(b); err != nil {
		return span{}, err
	}
	p.debts.AddTo(&p.frames.Out) // a response may have come since Lock, and made room for b
	s.count = len(b.messages)
	before := p.frames.Out.Extent()
	for _, m := range b.messages {
		p.frames.Out.AddMessage(m.wire())
	}
	switch {
	case !b.offered:
		var begun bool
		if begun, err = p.frames.FlushSince(ctx, before); !begun {
			s.count = 0
		}
	case b.request: // the server is likely to be busy writing answers
		err = p.frames.FlushNow()
	default: // a moment of waiting costs much less than another goroutine
		err = p.frames.FlushSoon()
	}
	if b.offered && err != nil { // the rest is never written
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
func (p *Process) number(b batch) (first uint64, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.err != nil:
		return 0, p.err
	case p.closing:
		return 0, net.ErrClosed
	case !p.isFree():
		return 0, errTaken
	}
	first = p.sent + 1
	p.sent += uint64(len(b.messages))
	p.deliveries.send(first, b.messages)
	for n := first; b.request && n <= p.sent; n++ {
		p.replies.push(reply{number: n})
	}
	return first, nil
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
		p.replies.cut(count)
		p.settled = min(p.settled, p.replies.len())
	}
}

// errTaken is why a message must not be sent now.
var errTaken = errors.New("the server takes one message at a time, and the one before is not answered")
