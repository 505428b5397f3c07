package socket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket/internal/wire"
)

// settleTime is how long an acknowledgement that a client owes may wait for
// company.
const settleTime = 5 * time.Millisecond

// Send sends messages in order, several ahead of their acknowledgements as
// [ClientConfig.Window] says, waits until all are acknowledged, and gives the process, for the
// next step of a chain. An acknowledged message has been handled. When one cannot be
// sent or is not acknowledged it fails with a [*SendError] that tells which were; one
// that must not be sent is found before any is. Responses that come meanwhile are kept
// for Wait, up to [ClientConfig.MaxUnread]: beyond that Send fails with ErrUnread, so have
// another goroutine read them at the same time if they are many.
//
// A server of innmind/ipc 5.x that responds to messages ends when the next one comes before
// it has the acknowledgement of its response. Send does not know whether there will be one,
// so no client can rule that out: take Request for such a server.
func (p *Process) Send(ctx context.Context, messages ...Message) fold.Attempt[*Process] {
	if err := p.sendEach(ctx, messages); err != nil {
		return fold.Fail[*Process](p.failure("send", err))
	}
	return fold.Succeed(p)
}

// SendError tells which of some messages arrived, counted in the order in which they
// were given to Send, or came from the source of SendAll or RequestAll.
type SendError struct {
	// Acknowledged is how many the server acknowledged, from the first on: those have
	// been handled.
	Acknowledged int

	// Sent is how many were written, those acknowledged among them, the last one
	// perhaps in part. Those from Sent on were not written; to send them again is
	// safe. Those between may have been handled, see Doubtful.
	Sent int

	// Err is the reason why the others were not acknowledged.
	Err error
}

// Doubtful is how many messages may have been handled without being acknowledged, the
// first ones of those behind the acknowledged ones. All that follow were not handled for
// sure, and can be sent again safely.
//
// A server of rxipc acknowledges all that it has handled before it closes a connection in
// good order, with ErrDisconnected: none is doubtful then. One is if the server closed
// because its handler rejected that message, or panicked. All unacknowledged messages are
// doubtful if the server still held some of them when its Config.Grace was up, after any other
// end, such as the death of the server or the end of a context, and with any other server.
func (e *SendError) Doubtful() int {
	unacknowledged := e.Sent - e.Acknowledged
	if closed, ok := errors.AsType[*closedError](e.Err); ok {
		return closed.Doubtful(unacknowledged)
	}
	return unacknowledged
}

// failing is how many of those sent, from the first on, it makes no sense to send again as
// they are: those acknowledged or doubtful, and the one for which the server closed.
func (e *SendError) failing() int {
	n := e.Acknowledged + e.Doubtful()
	if closed, ok := errors.AsType[*closedError](e.Err); ok && closed.blames() {
		n = max(n, min(e.Acknowledged+1, e.Sent))
	}
	return n
}

// Error gives the cause, before it the numbers when there were several messages, and behind
// it whether the unacknowledged messages may have been handled.
func (e *SendError) Error() string {
	text := e.Err.Error()
	if e.Sent >= 2 {
		text = fmt.Sprintf("%d sent, %d of them acknowledged: %s", e.Sent, e.Acknowledged, text)
	}
	doubtful := e.Doubtful()
	unhandled := e.Sent - e.Acknowledged - doubtful
	switch {
	case doubtful == 1:
		text += "; one message may have been handled"
	case doubtful > 1:
		text += fmt.Sprintf("; %d messages may have been handled", doubtful)
	case unhandled == 1:
		return text + "; one message was not handled"
	case unhandled > 1:
		return text + fmt.Sprintf("; %d messages were not handled", unhandled)
	case e.Acknowledged == 1 && e.Sent == 1:
		text += "; the message was handled"
	}
	if unhandled > 0 {
		text += fmt.Sprintf(", %d not", unhandled)
	}
	return text
}

// undone says of a message that was written what is missing, once ctx has ended or the
// connection has.
func undone(err error, acknowledged int, m Message) error {
	switch {
	case acknowledged > 0:
		return fmt.Errorf("acknowledged, but not responded to: %w", err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%d bytes sent, but not acknowledged: %w", m.Len(), err)
	}
	return fmt.Errorf("sent, but not acknowledged: %w", err)
}

// Unwrap returns the cause.
func (e *SendError) Unwrap() error { return e.Err }

// sendEach is Send.
func (p *Process) sendEach(ctx context.Context, messages []Message) error {
	if err := check(messages, p.config.MaxMessage); err != nil {
		return &SendError{Err: err}
	}
	if len(messages) != 1 {
		take := func(room int, queue *fifo[Message]) bool { // copies: those given stay on the caller's stack
			n := min(room, len(messages))
			queue.push(messages[:n]...)
			messages = messages[n:]
			return len(messages) == 0
		}
		f := newFlight(p, false)
		defer f.recycle()
		return f.run(ctx, take, nil, nil)
	}
	s, err := p.sendOne(ctx, false, messages[0])
	if err == nil {
		err = p.await(ctx, p.config.MaxUnread, func() bool { return p.acked >= s.first })
	}
	if err != nil {
		if s.count > 0 && !errors.Is(err, ErrUnread) {
			err = undone(err, 0, messages[0])
		}
		return &SendError{Sent: s.count, Err: err}
	}
	return nil
}

// sendOne writes a message. What the connection may not swallow at once is only offered:
// the server might itself be writing an answer, and not read before that is read.
func (p *Process) sendOne(ctx context.Context, asking bool, m Message) (span, error) {
	offered := wire.FrameSize(m.wire()) > wire.FlushAt || p.left.Load() || p.InFlight() > 0
	one := [1]Message{m}
	for {
		s, err := p.write(ctx, batch{messages: one[:], asking: asking, offered: offered})
		if err != errTaken {
			return s, err
		}
		if err := p.await(ctx, p.config.MaxUnread, p.isFree); err != nil {
			if ctx.Err() != nil {
				err = fmt.Errorf("%w: %w", err, errTaken)
			}
			return span{}, err
		}
	}
}

// errTaken is why a message must not be sent now.
var errTaken = errors.New("the server takes one message at a time, and the one before is not answered")

// isFree reports whether one more message may be sent, p.mu held. To a server that is not
// of ours the next one is sent once the one before was acknowledged, and if it speaks the
// 5.x dialect, once each request was responded to: it ends when a message reaches it where
// it awaits the acknowledgement of its response.
func (p *Process) isFree() bool {
	return p.ours || p.acked == p.sent && (p.dialect != wire.KindAck || p.settled == p.replies.len())
}

// InFlight is how many messages were written and are not known to be acknowledged: those
// of a Send that is under way, or that gave up on them. Acknowledgements are taken in
// while something waits.
func (p *Process) InFlight() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return int(p.sent - p.acked)
}

// batch is messages that leave together.
type batch struct {
	messages []Message
	asking   bool // each awaits a reply
	offered  bool // what the connection does not take at once is left for who waits
}

// span is messages that were written, wholly or in part, by their numbers among all of
// the connection.
type span struct {
	first uint64
	count int
}

// write writes messages, and what is owed. A connection that does not take them any more
// is read to its end for the reason.
func (p *Process) write(ctx context.Context, b batch) (span, error) {
	if err := p.acquire(ctx); err != nil {
		return span{}, err
	}
	s, err := p.writeNumbered(ctx, b)
	p.release()
	tellEach(p.config.Log, p.config.Hooks.Sent, p, b.messages[:s.count]...)
	if p.unsettled() {
		p.settleSoon() // the timer may have found the token taken
	}
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
	p.settle()
	s.count = len(b.messages)
	if b.offered {
		if err = p.offer(b); err != nil { // what is left is never written
			s.count -= notBegun(b.messages, p.out.Len())
		}
	} else if begun, failed := p.send(ctx, b.messages...); !begun {
		s.count, err = 0, failed
	} else {
		err = failed
	}
	p.unnumber(b.asking, len(b.messages)-s.count)
	return s, err
}

// notBegun returns how many of the messages have no byte written, when the last left bytes are
// not written.
func notBegun(messages []Message, left int) (n int) {
	for _, m := range slices.Backward(messages) {
		if left -= wire.FrameSize(m.wire()); left < 0 {
			break
		}
		n++
	}
	return n
}

// number counts more messages sent, before they are: their acknowledgements may come
// at once. One that has left in part will be acknowledged, too, when ctx ends then. The
// baton of writing is the caller's.
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
	p.ledger.send(first, b.messages)
	for n := first; b.asking && n <= p.sent; n++ {
		p.replies.push(reply{number: n})
	}
	return first, nil
}

// unnumber takes the last numbers back, the baton of writing still in hand.
func (p *Process) unnumber(asking bool, count int) {
	if count == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent -= uint64(count)
	p.ledger.unsend(p.sent)
	p.acked = min(p.acked, p.sent) // should the server have acknowledged what it did not get
	if asking {
		p.replies.cut(count)
		p.settled = min(p.settled, p.replies.len())
	}
}

// settleSoon sees to it that what is owed leaves: with the next write, or before the
// next wait, or when the timer fires. The same goes for what a write has left.
func (p *Process) settleSoon() {
	if !p.settling.Load() {
		p.settling.Store(true)
		p.timer.Reset(settleTime)
	}
}

// settleNow is what the timer does.
func (p *Process) settleNow() {
	p.settling.Store(false)
	p.tryWrite(wire.NoControl)
	if p.left.Load() {
		p.overdue.Store(true)
		p.callReader()
	}
}
