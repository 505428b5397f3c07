package socket

import (
	"errors"
	"log/slog"
	"net"
	"time"
)

// maxEntries is how many messages in flight a ledger keeps apart.
const maxEntries = 1 << 16

// ledger is what a process keeps for its hooks: messages in flight, and what came and is
// to be told once p.mu is free. It is under p.mu; a nil one keeps nothing.
type ledger struct {
	delivery, arrival bool // wanted

	flying  fifo[entry]
	landed  []Delivery
	arrived []Message
}

// entry is a message in flight.
type entry struct {
	number uint64
	bytes  int
	start  time.Time
}

// newLedger returns the ledger that hooks need, if they need one.
func newLedger(hooks *Hooks) *ledger {
	if hooks.Acknowledged == nil && hooks.Arrived == nil {
		return nil
	}
	return &ledger{delivery: hooks.Acknowledged != nil, arrival: hooks.Arrived != nil}
}

// send takes note of messages that are about to be written, by the number of the first.
func (l *ledger) send(first uint64, messages []Message) {
	if l == nil || !l.delivery {
		return
	}
	now := time.Now()
	for i, m := range messages {
		if l.flying.len() == maxEntries {
			return
		}
		l.flying.push(entry{first + uint64(i), m.Len(), now})
	}
}

// unsend forgets messages behind the last one that was sent.
func (l *ledger) unsend(last uint64) {
	if l == nil {
		return
	}
	all := l.flying.all()
	n := 0
	for n < len(all) && all[len(all)-1-n].number > last {
		n++
	}
	l.flying.cut(n)
}

// land takes note of acknowledgements, up to a number, or that there will be none.
func (l *ledger) land(p *Process, last uint64, err error) {
	if l == nil || l.flying.len() == 0 || l.flying.all()[0].number > last {
		return
	}
	now := time.Now()
	n := 0
	for _, e := range l.flying.all() {
		if e.number > last {
			break
		}
		l.landed = append(l.landed, Delivery{Process: p, Bytes: e.bytes, Start: e.start, Duration: now.Sub(e.start), Err: err})
		n++
	}
	l.flying.drop(n)
}

// arrive takes note of a message that came.
func (l *ledger) arrive(m Message) {
	if l != nil && l.arrival {
		l.arrived = append(l.arrived, m)
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

// ID returns the number of the connection, which no other one of this program has, on
// either side.
func (p *Process) ID() uint64 { return p.id }

// Unread is how many messages wait for [Process.Wait], and how many bytes all take that
// came and are unread, counted as [ClientConfig.MaxUnread] bounds them: responses that nobody
// has taken yet are among those.
func (p *Process) Unread() (messages, bytes int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.inbox.len(), p.unread
}
