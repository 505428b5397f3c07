package socket

import "time"

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
