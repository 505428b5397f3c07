package nats_test

import (
	"bytes"
	"runtime"
	"testing"
	"time"

	"github.com/rxipc/rxipc/socket/nats"
)

// The goroutines of a transport end with its connection, and with its sessions all of their own.
func TestTransportLeavesNothing(t *testing.T) {
	b := startBroker(t)
	near, far := connect(t, b), connect(t, b)
	l := listen(t, nats.Transport(far, nats.Config{}), counter)
	transport := nats.Transport(near, nats.Config{})
	before := ours()
	for range 10 {
		s := open(t, transport, l)
		s.client.SetDeadline(time.Now().Add(time.Hour))
		passes(t, s.client, s.server, "hello")
		s.client.Close()
		s.server.Close()
	}
	if n := ours(); n > before+2 { // those of the client's transport
		t.Errorf("goroutines of the package after 10 sessions: got %d, want at most %d", n, before+2)
	}
	near.Close()
	far.Close()
	for ours() > 0 { // a goroutine that stays ends the test by its time limit
		time.Sleep(time.Millisecond)
	}
}

// ours returns the number of goroutines that were created by functions of the package.
func ours() int {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	return bytes.Count(stacks, []byte("created by github.com/rxipc/rxipc/socket/nats."))
}
