package socket

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"time"

	"github.com/rxipc/rxipc/socket/internal/framed"
	"github.com/rxipc/rxipc/socket/internal/wire"
)

// await waits until ready returns true, or more than limit bytes are unread. It calls ready
// under p.mu. One of the calls that wait reads for all of them, and has an unfinished write
// finished meanwhile.
func (p *Process) await(ctx context.Context, limit int, ready func() bool) error {
	return p.awaitWith(ctx, limit, false, nil, ready)
}

// awaitWith is await. A patient caller expects that the server reads soon. It has an unfinished
// write finished only if that takes longer than settleTime. A caller with a waiter is woken when
// that has its answer, and when nobody reads; another caller by each read of another call.
func (p *Process) awaitWith(ctx context.Context, limit int, patient bool, w *waiter, ready func() bool) error {
	started := false
	var rest *finisher
	defer func() {
		if started {
			p.endWait()
		}
		p.passOn()
		p.mu.Unlock()
		if rest != nil {
			rest.stop()
		}
	}()
	p.mu.Lock()
	for {
		switch {
		case ready():
			return nil
		case p.err != nil:
			return p.err
		case ctx.Err() != nil:
			return p.late(ctx)
		case p.unread > limit:
			return p.tooMuchUnread(limit)
		case p.reading && w != nil:
			w.parked = true
			p.mu.Unlock()
			w.park(ctx, p)
			p.mu.Lock()
			continue
		case p.reading:
			changed := p.nextChange()
			p.mu.Unlock()
			select {
			case <-changed:
			case <-ctx.Done():
			}
			p.mu.Lock()
			continue
		}
		p.reading = true
		if !started && p.debts.handshake.Load() != awaitsStart { // a heartbeat is nothing to begin with
			started = true
			p.clocked++
			p.frames.StartClock()
		}
		p.listenAgain()
		p.mu.Unlock()
		if p.debts.pending() {
			p.frames.TryWrite(wire.NoControl) // the server may be waiting for it
		}
		switch {
		case !p.frames.Unfinished():
		case patient && !p.frames.FlushDue():
			p.debts.soon()
		default:
			if rest == nil {
				rest = p.newFinisher(ctx)
			}
			rest.start()
		}
		p.read(ctx)
	}
}

// endWait stops the heartbeats, unless another call waits, p.mu held.
func (p *Process) endWait() {
	if p.clocked--; p.clocked == 0 {
		p.frames.StopClock()
		p.frames.StopListening()
	}
}

// listenAgain starts the time in which bytes must come, p.mu held. The time counts from the last
// bytes, but leaves a call that has just begun to wait a quarter of it.
func (p *Process) listenAgain() {
	if p.frames.LimitsSilence() {
		p.frames.Listen(max(p.came, p.frames.Now()-int64(p.config.SilenceTimeout/4*3)))
	}
}

// tooMuchUnread returns ErrUnread with the number of unread bytes, p.mu held.
func (p *Process) tooMuchUnread(limit int) error {
	return fmt.Errorf("%w: they take %d bytes, each 64 beside its content, and Config.MaxUnread is %d; "+
		"read them by Wait or Messages", ErrUnread, p.unread, limit)
}

// lost adds to the error of a connection that ended without connection.close what may have
// happened. A server of rxipc gives a reason when it closes, so it died.
func (p *Process) lost(err error) error {
	switch {
	case !framed.IsGone(err):
		return err
	case p.ours:
		return fmt.Errorf("the server is gone without a word, it died or was killed: %w", framed.Unexpected(err))
	case p.InFlight() == 0:
		return fmt.Errorf("the server closed the connection without a word: %w", framed.Unexpected(err))
	}
	return fmt.Errorf("the server closed the connection without a word, it may have died, "+
		"or have met a message that is larger than it takes or that its handler failed at: %w", framed.Unexpected(err))
}

// read reads once for all calls that wait, and handles the frames. It returns with p.mu held.
func (p *Process) read(ctx context.Context) {
	err := p.frames.Fill(ctx)
	if err != nil && ctx.Err() != nil {
		err = nil // await returns it
	}
	p.mu.Lock()
	p.answered = 0
	if !p.frames.In.Idle() {
		p.came = p.frames.Now()
		p.frames.StopListening()
	}
	for err == nil {
		p.acknowledge(p.frames.In.Skip(p.dialect.Frame()))
		p.frames.In.Lend = p.lends()
		f, ok, broken := p.frames.In.Next()
		if err = broken; !ok {
			break
		}
		err = p.receive(f)
	}
	if p.closing && framed.IsGone(err) {
		err = net.ErrClosed // the server need not consent any more
	}
	events := p.deliveries.take()
	if err != nil || len(events.deliveries)+len(events.arrived) > 0 {
		p.mu.Unlock()
		p.callHooks(events)
		p.endWith(err) // before another call reads
		p.mu.Lock()
	}
	if p.err != nil {
		p.endReading()
	}
	p.reading = false
	p.change()
}

// idleReads is how many heartbeats a client lets the server send before it reads them while no
// call does. They must not fill the connection: a server takes a client that reads nothing for one
// that hangs.
const idleReads = 16

// beginIdleReads starts the reads of a client that no call waits for, p.mu held.
func (p *Process) beginIdleReads() {
	every := p.config.Heartbeat
	if every < 0 || every > math.MaxInt64/idleReads {
		return
	}
	p.idle = time.AfterFunc(idleReads*every, func() {
		p.readIdle()
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.err == nil {
			p.idle.Reset(idleReads * every)
		}
	})
}

// readIdle reads what has come, unless a call reads, a frame has begun, or too much is unread.
func (p *Process) readIdle() {
	ctx, cancel := context.WithTimeout(context.Background(), framed.OfferTime)
	defer cancel()
	p.mu.Lock()
	defer p.mu.Unlock()
	// A read may return at once, because of the end of an earlier context, so there may be several.
	for before := p.frames.In.Decoded(); p.frames.In.Decoded() == before && ctx.Err() == nil; {
		if p.reading || p.err != nil || p.unread > p.config.MaxUnread || !p.frames.In.Idle() {
			return
		}
		p.reading = true
		p.mu.Unlock()
		p.read(ctx) // returns with p.mu held
	}
	p.passOn()
}

// endWith closes the connection if a read failed with err.
func (p *Process) endWith(err error) {
	if errors.Is(err, ErrDisconnected) {
		p.frames.TryWrite(wire.KindCloseOK)
	}
	if err != nil {
		p.shut(p.lost(err))
	}
}

// receive handles one frame, p.mu held.
func (p *Process) receive(f wire.Frame) error {
	switch f.Kind {
	case wire.KindMessage:
		if p.dialect == wire.KindAck {
			p.debts.pendingAcks.Add(1)
			p.debts.soon()
		}
		p.sort(messageOf(f.Message), f.Loan)
	case wire.KindHeartbeat:
		if p.debts.handshake.Load() == awaitsStart {
			p.ours, p.frames.In.Extended = true, true
		}
	case wire.KindStart:
		if p.ours {
			p.debts.handshake.Store(owesMarkedStartOK)
		} else {
			p.debts.handshake.Store(owesStartOK)
		}
		p.debts.soon()
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

// acknowledge handles acknowledgements of the next n messages, p.mu held.
func (p *Process) acknowledge(n int) {
	if n > 0 {
		p.acked = min(p.acked+uint64(n), p.sent)
		p.deliveries.settle(p, p.acked, nil)
		p.unanswered()
	}
}

// sort gives a message to the request that it answers, or to the inbox, p.mu held.
func (p *Process) sort(m Message, loan *wire.Loan) {
	p.deliveries.arrive(m)
	if !p.answer(m, loan) {
		p.store(owned(m, loan))
	}
}

// take removes and returns the first unread message, p.mu held. There must be one.
func (p *Process) take() Message {
	m := p.inbox.All()[0]
	p.inbox.Drop(1)
	p.unread -= m.Len() + overhead
	return m
}

// store adds an unread message, p.mu held. While the connection closes it keeps no more than the
// limit.
func (p *Process) store(m Message) {
	if p.unasked || p.closing && p.unread > p.config.MaxUnread {
		return
	}
	p.inbox.Push(m)
	p.unread += m.Len() + overhead
}
