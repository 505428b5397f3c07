package socket

import (
	"context"
	"errors"
	"log/slog"
	"net"
)

// connected says that the handshake is done.
func (p *Process) connected() {
	p.mu.Lock()
	p.live = true
	if p.watches() {
		p.startClock() // a client that says nothing would be lost to its server
	}
	p.mu.Unlock()
	p.log(slog.LevelDebug, "connected")
	if hook := p.config.Hooks.Connected; hook != nil {
		tell(p.config.Log, hook, p)
	}
}

// disconnected says, once, that a process which was connected is not any more, and that
// what is in flight will not be acknowledged.
func (p *Process) disconnected() {
	p.mu.Lock()
	live, err := p.live, p.err
	p.live = false
	p.ledger.land(p, p.sent, err)
	p.tellNews()
	p.mu.Unlock()
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
		tellEach(p.config.Log, hook, p, err)
	}
}

// tellNews tells what came, p.mu held but for the telling.
func (p *Process) tellNews() {
	l := p.ledger
	if l == nil || len(l.landed)+len(l.arrived) == 0 {
		return
	}
	landed, arrived := l.landed, l.arrived
	l.landed, l.arrived = nil, nil
	p.mu.Unlock()
	defer p.mu.Lock()
	for _, d := range landed {
		tell(p.config.Log, p.config.Hooks.Acknowledged, d)
	}
	tellEach(p.config.Log, p.config.Hooks.Arrived, p, arrived...)
}

// shut closes the connection for the given reason, if it is not closed yet. The
// baton of writing is not the caller's.
func (p *Process) shut(reason error) {
	p.mu.Lock()
	if p.err == nil {
		p.err = reason // before a reader finds the connection closed
	}
	p.mu.Unlock()
	p.timer.Stop()
	p.pulse.leave(&p.link)
	p.conn.Close()                       // ends what blocks
	p.writing.take(context.Background()) // whoever writes finds the connection closed
	p.writes.unbind()
	p.release()
	p.disconnected()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reading { // else the reader comes here, too
		p.endReading()
	}
	p.change()
}

// endReading lets go of what reading took, p.mu held, once nobody reads any more.
func (p *Process) endReading() {
	p.reads.unbind()
	p.in.DropBuffer()
}

// rouse has those who wait look again, and the one who reads for them.
func (p *Process) rouse() {
	p.mu.Lock()
	p.change()
	p.mu.Unlock()
	p.callReader()
}
