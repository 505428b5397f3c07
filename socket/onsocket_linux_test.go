package socket

import (
	"cmp"
	"context"
	"net"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket/internal/wire"
	"github.com/rxipc/rxipc/stream"
)

// onSocket is a server on a unix socket, whose sessions park.
type onSocket struct {
	t           *testing.T
	listener    net.Listener
	connections chan *Connection
	ended       chan Ending
	end         context.CancelFunc
	result      chan fold.Attempt[int]
}

func newOnSocket(t *testing.T) *onSocket {
	t.Helper()
	listener, err := net.Listen("unix", filepath.Join(shortDir(t), "s"))
	if err != nil {
		t.Fatalf("listen on a socket: %v", err)
	}
	return &onSocket{
		t:           t,
		listener:    listener,
		connections: make(chan *Connection, 1000),
		ended:       make(chan Ending, 1000),
		result:      make(chan fold.Attempt[int], 1),
	}
}

// come is the connections to it.
func (s *onSocket) come(config Config) stream.Observable[*Connection] {
	config.Hooks.Closed = func(e Ending) { s.ended <- e }
	config.restAfter = cmp.Or(config.restAfter, 5*time.Millisecond)
	return operators.Tap(func(c *Connection) { s.connections <- c })(New(config).Accept(s.listener))
}

// serveOnSocket runs a server of With until its end or that of the test. Heartbeats are
// off unless config has some.
func serveOnSocket(t *testing.T, config Config, handle Handler[int]) *onSocket {
	t.Helper()
	if config.Heartbeat == 0 {
		config.Heartbeat = -1
	}
	s := newOnSocket(t)
	ctx, cancel := context.WithCancel(t.Context())
	s.end = cancel
	go func() { s.result <- ServeConnections(s.come(config), fold.Sum[int]()).With(ctx, handle) }()
	return s
}

// dial connects a client that has made a request.
func (s *onSocket) dial() (*peer, *Connection) {
	s.t.Helper()
	conn, err := net.Dial("unix", s.listener.Addr().String())
	if err != nil {
		s.t.Fatalf("dial the server: %v", err)
	}
	s.t.Cleanup(func() { conn.Close() })
	client := newPeer(s.t, conn)
	client.send(wire.KindStartOK, "hello")
	client.expect("start", "ack", `"echo: hello"`)
	return client, <-s.connections
}

// dialParked connects a client whose session has parked.
func (s *onSocket) dialParked() (*peer, *Connection) {
	s.t.Helper()
	client, c := s.dial()
	awaitParked(s.t, c)
	return client, c
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for start := time.Now(); !so(); runtime.Gosched() {
		if time.Since(start) > time.Minute {
			t.Fatalf("waited a minute and not seen: %s", what)
		}
	}
}

// isParked reports whether the session of a connection has no goroutine.
func isParked(c *Connection) bool {
	spot := c.frames.Parking.Load()
	return spot != nil && spot.IsParked()
}

// awaitParked waits until the session of a connection has parked.
func awaitParked(t *testing.T, c *Connection) {
	t.Helper()
	eventually(t, "parked", func() bool { return isParked(c) })
}
