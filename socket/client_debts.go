package socket

import (
	"sync/atomic"
	"time"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// debts are the frames that a client owes its server: connection.start-ok, and an
// acknowledgement for each response. They leave with the next write, before the next wait of
// a call, or when the timer fires. The connection asks for them when its write lock is taken.
type debts struct {
	handshake   atomic.Uint32
	pendingAcks atomic.Int32
	armed       atomic.Bool // the timer runs, or is about to
	timer       *time.Timer
}

// The states of debts.handshake.
const (
	awaitsStart       = iota // connection.start has not come
	owesStartOK              // it has come
	owesMarkedStartOK        // it has come from a server of rxipc
	saidStartOK
)

// pending reports whether a frame is owed.
func (d *debts) pending() bool {
	state := d.handshake.Load()
	return d.pendingAcks.Load() > 0 || state == owesStartOK || state == owesMarkedStartOK
}

// AddTo adds the owed frames to out. A server that does not read gets the rest of its
// acknowledgements later.
func (d *debts) AddTo(out *wire.Output) {
	switch d.handshake.Load() {
	case owesStartOK:
		out.AddControl(wire.KindStartOK)
		d.handshake.Store(saidStartOK)
	case owesMarkedStartOK:
		out.AddFrames(wire.MarkedStartOK)
		d.handshake.Store(saidStartOK)
	}
	if d.pendingAcks.Load() == 0 {
		return
	}
	n := d.pendingAcks.Swap(0)
	for ; n > 0 && out.Len() < wire.FlushAt; n-- {
		out.AddControl(wire.KindAck)
	}
	d.pendingAcks.Add(n)
}

// Remind starts the timer for frames that came to be owed while the write lock was taken.
func (d *debts) Remind() {
	if d.pending() {
		d.soon()
	}
}

// settleTime is how long an acknowledgement that a client owes may wait for more of them.
const settleTime = 5 * time.Millisecond

// soon starts the timer, for owed frames and for an unfinished write.
func (d *debts) soon() {
	if !d.armed.Load() {
		d.armed.Store(true)
		d.timer.Reset(settleTime)
	}
}
