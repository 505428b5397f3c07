package socket

import (
	"context"
	"math"
	"net"
)

// overhead is what an unread message counts beside its content, so that empty ones
// are bounded, too.
const overhead = 64

// unlimited is the bound of unread bytes for who makes them fewer, or closes.
const unlimited = math.MaxInt

// await waits until ready, which is called under p.mu, returns true, or more than
// limit bytes are unread. One of those who wait reads for all; and if a write was
// left unfinished, somebody who waits has it finished meanwhile.
func (p *Process) await(ctx context.Context, limit int, ready func() bool) error {
	return p.awaitWith(ctx, limit, false, ready)
}

// awaitWith is await. Who is patient expects something to be ready soon, and to make
// room for what a write left: that is finished meanwhile only if it takes longer than
// settleTime.
func (p *Process) awaitWith(ctx context.Context, limit int, patient bool, ready func() bool) error {
	started, finishing := false, false
	defer func() {
		if started {
			p.stopClock()
		}
	}()
	for {
		p.mu.Lock()
		switch {
		case ready():
			p.mu.Unlock()
			return nil
		case p.err != nil:
			defer p.mu.Unlock()
			return p.err
		case ctx.Err() != nil:
			p.mu.Unlock()
			return context.Cause(ctx)
		case p.unread > limit:
			p.mu.Unlock()
			return ErrUnread
		case p.reading:
			changed := p.nextChange()
			p.mu.Unlock()
			select {
			case <-changed:
			case <-ctx.Done():
			}
			continue
		}
		p.reading = true
		p.mu.Unlock()
		if !started {
			p.startClock()
			started = true
		}
		switch {
		case !p.left.Load() || finishing:
		case patient && !p.overdue.Load():
			p.settleSoon()
		default:
			finishing = true
			defer p.finishWrite(ctx)()
		}
		p.read(ctx)
	}
}

// read reads once, for all who wait, and takes in what came.
func (p *Process) read(ctx context.Context) {
	if p.unsettled() {
		p.tryWrite(noControl) // the server may be waiting for it
	}
	err := p.fill(ctx)
	if err != nil && ctx.Err() != nil {
		err = nil // await tells
	}
	p.mu.Lock()
	for err == nil {
		p.acknowledge(p.in.skip(controlFrames[p.dialect]))
		f, ok, broken := p.in.next()
		if err = broken; !ok {
			break
		}
		err = p.receive(f)
	}
	p.tellNews()
	if p.closing && isGone(err) {
		err = net.ErrClosed // it need not consent any more
	}
	if err != nil {
		p.mu.Unlock()
		if err == ErrDisconnected {
			p.tryWrite(kindCloseOK)
		}
		p.shut(unexpected(err)) // before anybody else reads
		p.mu.Lock()
		p.reads.unbind()
	}
	p.reading = false
	p.change()
	p.mu.Unlock()
}

// finishWrite has a goroutine write what earlier writes left, until the function
// that it returns is called: whoever reads must not wait for the server to read.
func (p *Process) finishWrite(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for p.left.Load() && p.acquire(ctx) == nil {
			p.settle()
			err := p.flush(ctx)
			p.release()
			if err != nil {
				return // the reader meets it, too, but for the end of ctx
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// receive takes in one frame, p.mu held.
func (p *Process) receive(f frame) error {
	switch f.kind {
	case kindMessage:
		if p.dialect == kindAck {
			p.owed.Add(1)
			p.settleSoon()
		}
		p.sort(f.message)
	case kindStart:
		p.started = true
		p.greeting.Store(true)
		p.settleSoon()
	case kindReceived, kindAck:
		p.dialect = f.kind
		p.acknowledge(1)
	case kindClose:
		return ErrDisconnected
	case kindCloseOK:
		p.agreed = true
	}
	return nil
}

// acknowledge takes in acknowledgements of the next n messages, p.mu held.
func (p *Process) acknowledge(n int) {
	if n > 0 {
		p.acked = min(p.acked+uint64(n), p.sent)
		p.ledger.land(p, p.acked, nil)
		p.unanswered()
	}
}

// sort gives a message to the request that it answers, or puts it with the unread,
// p.mu held.
func (p *Process) sort(m Message) {
	p.ledger.arrive(m)
	if !p.answer(m) {
		p.store(m)
	}
}

// store adds an unread message, p.mu held. Somebody who closes has no use for more
// than the limit.
func (p *Process) store(m Message) {
	if p.closing && p.unread > p.config.MaxUnread {
		return
	}
	p.inbox.push(m)
	p.unread += m.Len() + overhead
}

// take takes the first unread message, p.mu held and there being one.
func (p *Process) take() Message {
	m := p.inbox.all()[0]
	p.inbox.drop(1)
	p.unread -= m.Len() + overhead
	return m
}

// nextChange returns a channel that closes at the next change, p.mu held.
func (p *Process) nextChange() <-chan struct{} {
	if p.changed == nil {
		p.changed = make(chan struct{})
	}
	return p.changed
}

// rouse has those who wait look again, and the one who reads for them.
func (p *Process) rouse() {
	p.mu.Lock()
	p.change()
	p.mu.Unlock()
	p.callReader()
}

// change lets those who wait look again, p.mu held.
func (p *Process) change() {
	if p.changed != nil {
		close(p.changed)
		p.changed = nil
	}
}
