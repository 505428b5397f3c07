package socket

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"time"

	"github.com/rxipc/rxipc/fold"
)

// settleTime is how long an acknowledgement that a client owes may wait for
// company.
const settleTime = 5 * time.Millisecond

// Send sends messages one after the other, each once the one before has been
// acknowledged, and gives the process, for the next step of a chain. An
// acknowledged message has been handled. When one cannot be sent or is not
// acknowledged it fails with a [*SendError] that tells how many were; the rest was
// not sent. Responses that come meanwhile are kept for Wait.
func (p *Process) Send(ctx context.Context, messages ...Message) fold.Attempt[*Process] {
	if err := check(messages, p.config.MaxMessage); err != nil {
		return fold.Fail[*Process](p.failure("send", &SendError{Err: err}))
	}
	for i, m := range messages {
		if err := p.sendOne(ctx, m); err != nil {
			return fold.Fail[*Process](p.failure("send", &SendError{Acknowledged: i, Err: err}))
		}
	}
	return fold.Succeed(p)
}

// SendError tells which of the messages given to Send arrived.
type SendError struct {
	// Acknowledged is how many of them the server acknowledged, from the first on.
	// The one after may have arrived or not; those behind it were not sent.
	Acknowledged int
	Err          error
}

// Error gives the number, when it is not zero, and the cause.
func (e *SendError) Error() string {
	if e.Acknowledged == 0 {
		return e.Err.Error()
	}
	return fmt.Sprintf("after %d acknowledged: %v", e.Acknowledged, e.Err)
}

// Unwrap returns the cause.
func (e *SendError) Unwrap() error { return e.Err }

// sendOne writes a message and waits until it is acknowledged.
func (p *Process) sendOne(ctx context.Context, m Message) error {
	if frameSize(m) > writeAt || p.left.Load() || p.inFlight() {
		return p.sendReading(ctx, m)
	}
	number, err := p.write(ctx, m)
	if err != nil {
		return err
	}
	return p.awaitAck(ctx, number)
}

// inFlight reports whether messages sent before are not acknowledged yet.
func (p *Process) inFlight() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sent != p.acked
}

// sendReading is sendOne for a message that the connection may not swallow at once:
// the server might itself be writing an answer, and not read before that is read. So
// another goroutine writes while this one reads.
func (p *Process) sendReading(ctx context.Context, m Message) error {
	inner, cancel := context.WithCancelCause(ctx)
	var number uint64 // under p.mu, like acked
	written := make(chan struct{})
	go func() {
		defer close(written)
		n, err := p.write(inner, m)
		if err != nil {
			cancel(err)
			return
		}
		p.mu.Lock()
		number = n
		p.change()
		p.mu.Unlock()
		p.callReader() // who reads may have read the acknowledgement already
	}()
	err := p.await(inner, 2*p.config.MaxUnread, func() bool { return number != 0 })
	cancel(nil)
	<-written
	if err != nil {
		return err
	}
	return p.awaitAck(ctx, number)
}

func (p *Process) awaitAck(ctx context.Context, number uint64) error {
	return p.await(ctx, p.config.MaxUnread, func() bool { return p.acked >= number })
}

// write writes a message, and what is owed, and returns its number among those sent.
// A connection that does not take it any more is read to its end for the reason.
func (p *Process) write(ctx context.Context, m Message) (uint64, error) {
	if err := p.acquire(ctx); err != nil {
		return 0, err
	}
	number, err := p.writeNumbered(ctx, m)
	p.release()
	if err == nil || ctx.Err() != nil {
		return number, err
	}
	return 0, cmp.Or(p.await(ctx, unlimited, func() bool { return false }), err)
}

func (p *Process) writeNumbered(ctx context.Context, m Message) (uint64, error) {
	number, err := p.number()
	if err != nil {
		return 0, err
	}
	p.settle()
	begun, err := p.send(ctx, m)
	switch {
	case err == nil:
		return number, nil
	case !begun:
		p.unnumber()
	}
	return 0, err
}

// number counts one more message sent, before it is: its acknowledgement may come
// at once. One that has left in part will be acknowledged, too, when ctx ends then.
func (p *Process) number() (uint64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.err != nil:
		return 0, p.err
	case p.closing:
		return 0, net.ErrClosed
	}
	p.sent++
	return p.sent, nil
}

// unnumber takes the last number back, the token of writing still in hand.
func (p *Process) unnumber() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent--
}

// settleSoon sees to it that what is owed leaves: with the next write, or before the
// next wait, or when the timer fires.
func (p *Process) settleSoon() {
	if !p.settling.Load() {
		p.settling.Store(true)
		p.timer.Reset(settleTime)
	}
}

// settleNow is what the timer does.
func (p *Process) settleNow() {
	p.settling.Store(false)
	p.tryWrite(noControl)
}
