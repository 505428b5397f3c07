package socket

import (
	"time"

	"github.com/rxipc/rxipc/socket/internal/fifo"
)

// maxEntries is how many messages in flight a deliveryLog knows.
const maxEntries = 1 << 16

// deliveryLog keeps what the hooks of a Process are called for: the messages in flight, and
// the events since the last take. The Process's mu guards it. A nil one keeps nothing.
type deliveryLog struct {
	delivery, arrival bool // wanted

	inFlight fifo.Queue[entry]
	events   hookEvents
}

// entry is a message in flight.
type entry struct {
	number uint64
	bytes  int
	start  time.Time
}

// hookEvents is what the hooks are called for once the Process's mu is free.
type hookEvents struct {
	deliveries []Delivery
	arrived    []Message
}

// newDeliveryLog returns the log that hooks need, or nil if they need none.
func newDeliveryLog(hooks *Hooks) *deliveryLog {
	if hooks.Acknowledged == nil && hooks.Arrived == nil {
		return nil
	}
	return &deliveryLog{delivery: hooks.Acknowledged != nil, arrival: hooks.Arrived != nil}
}

// send adds messages that are about to be written. first is the number of the first.
func (l *deliveryLog) send(first uint64, messages []Message) {
	if l == nil || !l.delivery {
		return
	}
	now := time.Now()
	for i, m := range messages {
		if l.inFlight.Len() == maxEntries {
			return
		}
		l.inFlight.Push(entry{first + uint64(i), m.Len(), now})
	}
}

// unsend removes the messages with numbers above last, which were not sent.
func (l *deliveryLog) unsend(last uint64) {
	if l == nil {
		return
	}
	all := l.inFlight.All()
	n := 0
	for n < len(all) && all[len(all)-1-n].number > last {
		n++
	}
	l.inFlight.Cut(n)
}

// settle notes that the messages up to a number were acknowledged, or will not be: err says why.
func (l *deliveryLog) settle(p *Process, last uint64, err error) {
	if l == nil || l.inFlight.Len() == 0 || l.inFlight.All()[0].number > last {
		return
	}
	now := time.Now()
	n := 0
	for _, e := range l.inFlight.All() {
		if e.number > last {
			break
		}
		l.events.deliveries = append(l.events.deliveries,
			Delivery{Process: p, Bytes: e.bytes, Start: e.start, Duration: now.Sub(e.start), Err: err})
		n++
	}
	l.inFlight.Drop(n)
}

// arrive notes a message that came.
func (l *deliveryLog) arrive(m Message) {
	if l != nil && l.arrival {
		l.events.arrived = append(l.events.arrived, m)
	}
}

// take removes the events and returns them.
func (l *deliveryLog) take() (events hookEvents) {
	if l != nil {
		events, l.events = l.events, hookEvents{}
	}
	return events
}
