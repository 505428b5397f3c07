package socket

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// overhead is what an unread message counts beside its content, so that empty ones
// are bounded, too.
const overhead = 64

// unlimited is the bound of unread bytes for who makes them fewer, or closes.
const unlimited = math.MaxInt

// await waits until ready, which is called under p.mu, returns true, or more than
// limit bytes are unread. One of those who wait reads for all; and if a write was
// left unfinished, it has that finished meanwhile.
func (p *Process) await(ctx context.Context, limit int, ready func() bool) error {
	return p.awaitWith(ctx, limit, false, ready)
}

// awaitWith is await. Who is patient expects something to be ready soon, and to make
// room for what a write left: that is finished meanwhile only if it takes longer than
// settleTime.
func (p *Process) awaitWith(ctx context.Context, limit int, patient bool, ready func() bool) error {
	started := false
	var rest *finisher
	defer func() {
		if rest != nil {
			rest.stop()
		}
		if started {
			p.endWait()
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
			defer p.mu.Unlock()
			return p.late(ctx)
		case p.unread > limit:
			defer p.mu.Unlock()
			return p.tooMuchUnread(limit)
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
		if !started && p.started { // a heartbeat is nothing to begin with
			started = true
			p.clocked++
			p.startClock()
		}
		p.listenAgain()
		p.mu.Unlock()
		if p.unsettled() {
			p.tryWrite(wire.NoControl) // the server may be waiting for it
		}
		switch {
		case !p.left.Load():
		case patient && !p.overdue.Load():
			p.settleSoon()
		default:
			if rest == nil {
				rest = p.newFinisher(ctx)
			}
			rest.start()
		}
		p.read(ctx)
	}
}

// endWait stops the time after which a heartbeat is due, unless somebody else waits.
func (p *Process) endWait() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.clocked--; p.clocked == 0 {
		p.stopClock()
		p.hear() // nobody listens
	}
}

// listenAgain starts the time in which something must come, p.mu held. It goes on from when
// something came last, but leaves who has just begun to wait the time to read what is there.
func (p *Process) listenAgain() {
	if p.watches() && p.silent.Load() == 0 {
		p.listenSince(max(p.came, p.pulse.now()-int64(p.config.SilenceTimeout/4*3)))
	}
}

// tooMuchUnread returns ErrUnread with the number of unread bytes, p.mu held.
func (p *Process) tooMuchUnread(limit int) error {
	return fmt.Errorf("%w: they take %d bytes, each 64 beside its content, and Config.MaxUnread is %d; "+
		"read them by Wait or Messages", ErrUnread, p.unread, limit)
}

// late is the end of ctx, and since when the server has been silent, p.mu held.
func (p *Process) late(ctx context.Context) error {
	silence := time.Duration(p.pulse.now() - p.came).Round(time.Millisecond)
	return fmt.Errorf("%w: nothing came from the server for %v", context.Cause(ctx), silence)
}

// lost says of the end of a connection that came without a word what it may have been. A
// server of ours says why it closes a connection, so it died.
func (p *Process) lost(err error) error {
	switch {
	case !isGone(err):
		return err
	case p.ours:
		return fmt.Errorf("the server is gone without a word, it died or was killed: %w", unexpected(err))
	case p.InFlight() == 0:
		return fmt.Errorf("the server closed the connection without a word: %w", unexpected(err))
	}
	return fmt.Errorf("the server closed the connection without a word, it may have died, "+
		"or have met a message that is larger than it takes or that its handler failed at: %w", unexpected(err))
}

// read reads once, for all who wait, and takes in what came.
func (p *Process) read(ctx context.Context) {
	err := p.fill(ctx)
	if err != nil && ctx.Err() != nil {
		err = nil // await tells
	}
	p.mu.Lock()
	if !p.in.Idle() {
		p.came = p.pulse.now()
		p.hear()
	}
	for err == nil {
		p.acknowledge(p.in.Skip(p.dialect.Frame()))
		f, ok, broken := p.in.Next()
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
		if errors.Is(err, ErrDisconnected) {
			p.tryWrite(wire.KindCloseOK)
		}
		p.shut(p.lost(err)) // before anybody else reads
		p.mu.Lock()
	}
	if p.err != nil {
		p.endReading()
	}
	p.reading = false
	p.change()
	p.mu.Unlock()
}

// endReading lets go of what reading took, p.mu held, once nobody reads any more.
func (p *Process) endReading() {
	p.reads.unbind()
	p.in.DropBuffer()
}

// finisher writes what earlier writes left, on a goroutine of its own: whoever reads
// must not wait for the server to read. Who waits for long has it start more than once.
type finisher struct {
	p       *Process
	ctx     context.Context
	cancel  context.CancelFunc
	running atomic.Bool
	joined  sync.WaitGroup
}

func (p *Process) newFinisher(ctx context.Context) *finisher {
	f := &finisher{p: p}
	f.ctx, f.cancel = context.WithCancel(ctx)
	return f
}

// start has it look, after something was left.
func (f *finisher) start() {
	if f.running.CompareAndSwap(false, true) {
		f.joined.Go(f.run)
	}
}

func (f *finisher) run() {
	for {
		for f.p.left.Load() || f.p.unsettled() { // what is owed found the token taken
			if f.finish() != nil {
				return // the reader meets it, too, but for the end of ctx
			}
		}
		f.running.Store(false)
		if !f.p.left.Load() || !f.running.CompareAndSwap(false, true) {
			return
		}
	}
}

func (f *finisher) finish() error {
	if err := f.p.acquire(f.ctx); err != nil {
		return err
	}
	defer f.p.release()
	f.p.settle()
	return f.p.flush(f.ctx)
}

// stop returns when it is through.
func (f *finisher) stop() {
	f.cancel()
	f.joined.Wait()
}

// receive takes in one frame, p.mu held.
func (p *Process) receive(f wire.Frame) error {
	switch f.Kind {
	case wire.KindMessage:
		if p.dialect == wire.KindAck {
			p.owed.Add(1)
			p.settleSoon()
		}
		p.sort(messageOf(f.Message))
	case wire.KindHeartbeat:
		if !p.started {
			p.ours, p.in.Extended = true, true
		}
	case wire.KindStart:
		p.started = true
		p.greeting.Store(true)
		p.settleSoon()
	case wire.KindReceived, wire.KindAck:
		p.dialect = f.Kind
		p.acknowledge(1)
	case wire.KindClose:
		if p.ours {
			return &closedError{wire.ParseCloseReason(f.Message.MediaType)}
		}
		return ErrDisconnected
	case wire.KindCloseOK:
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
	if p.unasked || p.closing && p.unread > p.config.MaxUnread {
		return
	}
	p.inbox.push(m)
	p.unread += m.Len() + overhead
}

// dropUnasked drops the messages that answer no request, those to come, too.
func (p *Process) dropUnasked() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unasked = true
	for p.inbox.len() > 0 {
		p.take()
	}
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
