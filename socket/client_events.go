package socket

import (
	"errors"
	"log/slog"
	"net"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// connected notes, and logs, that the handshake is done.
func (p *Process) connected() {
	p.mu.Lock()
	p.live = true
	p.beginIdleReads()
	if p.frames.LimitsSilence() {
		p.frames.StartClock() // the server would end the connection of a silent client
	}
	p.mu.Unlock()
	p.log(slog.LevelDebug, "connected")
	if hook := p.config.Hooks.Connected; hook != nil {
		callHook(p.config.Log, hook, p)
	}
}

// disconnected notes, and logs once, that a connection is closed whose handshake was done.
// The messages in flight will not be acknowledged.
func (p *Process) disconnected() {
	p.mu.Lock()
	live, err := p.live, p.err
	p.live = false
	p.deliveries.settle(p, p.sent, err)
	events := p.deliveries.take()
	p.mu.Unlock()
	p.callHooks(events)
	if !live {
		return
	}
	if err == net.ErrClosed {
		err = nil
	}
	level := slog.LevelDebug
	if errors.Is(err, ErrProtocol) || errors.Is(err, ErrTooLarge) || errors.Is(err, ErrTooSlow) {
		level = slog.LevelWarn
	}
	p.log(level, "disconnected", because(err)...)
	if hook := p.config.Hooks.Disconnected; hook != nil {
		callHookEach(p.config.Log, hook, p, err)
	}
}

// callHooks calls the hooks for events, p.mu free.
func (p *Process) callHooks(events hookEvents) {
	for _, d := range events.deliveries {
		callHook(p.config.Log, p.config.Hooks.Acknowledged, d)
	}
	callHookEach(p.config.Log, p.config.Hooks.Arrived, p, events.arrived...)
}

// shut closes the connection for a reason, if it is not closed yet. The caller does not hold
// writing.
func (p *Process) shut(reason error) {
	p.mu.Lock()
	if p.err == nil {
		p.err = reason // before a reader finds the connection closed
	}
	if p.idle != nil {
		p.idle.Stop()
	}
	p.mu.Unlock()
	p.debts.timer.Stop()
	p.frames.Net.Close() // ends blocked reads and writes
	p.frames.Shut()
	p.disconnected()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reading { // else the reader comes here, too
		p.endReading()
	}
	p.change()
}

// endReading releases the read buffer and context, p.mu held. No call reads any more.
func (p *Process) endReading() {
	p.frames.Release()
}

// wake makes all waiting calls look again. It interrupts the call that reads for the others.
func (p *Process) wake() {
	p.mu.Lock()
	p.change()
	p.mu.Unlock()
	p.frames.Interrupt()
}

// flushDebts is the timer of debts: it writes the frames that are owed.
func (p *Process) flushDebts() {
	p.debts.armed.Store(false)
	p.frames.TryWrite(wire.NoControl)
	p.frames.SetFlushDue()
}
