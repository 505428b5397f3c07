package framed

import (
	"io"
	"net"
	"testing"
	"time"
)

// testLimits are those of a connection that tests do not wait for.
var testLimits = Limits{MaxMessage: 1 << 20, Heartbeat: time.Minute, Handshake: time.Minute, Frame: time.Minute, Write: time.Minute, Silence: Never, Other: time.Minute}

// newTestConn returns a Conn of a pipe whose other side reads all and writes nothing.
func newTestConn(t *testing.T, timers *Timers) *Conn {
	t.Helper()
	c, theirs := newPipe(t, timers, nil)
	go io.Copy(io.Discard, theirs)
	return c
}

// newPipe returns a Conn of a pipe that a handshake has gone over, and the other end.
func newPipe(t *testing.T, timers *Timers, debts Debts) (*Conn, net.Conn) {
	t.Helper()
	ours, theirs := net.Pipe()
	t.Cleanup(func() { ours.Close(); theirs.Close() })
	c := New(ours, timers, nil, debts)
	c.Greeted = true
	return &c, theirs
}
