//go:build unix

package socket

import (
	"net"
	"path/filepath"
	"testing"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// TestSendErrorOfARealServerThatWasGoneCountsNothing has a server leave without a word over a
// real socket while its client reads nothing: the next write meets a broken pipe.
func TestSendErrorOfARealServerThatWasGoneCountsNothing(t *testing.T) {
	dir := shortDir(t)
	listener, err := net.Listen("unix", filepath.Join(dir, counter.String()+".sock"))
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	defer listener.Close()
	accepted := make(chan net.Conn, 1)
	go func() {
		conn, err := listener.Accept()
		if err == nil {
			_, err = conn.Write([]byte(wire.MarkedStart))
		}
		if err != nil {
			t.Errorf("greeting the client: %v", err)
		}
		accepted <- conn
	}()
	p, err := New(Config{Dir: dir}).ConnectTo(within(t), counter).Get()
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	(<-accepted).Close()
	if e := sendError(t, p.Send(within(t), texts(3)...).Err()); e.Sent != 0 || e.Doubtful() != 0 {
		t.Errorf("a server that was gone got %d messages, %d doubtful, by %v, want none", e.Sent, e.Doubtful(), e)
	}
}
