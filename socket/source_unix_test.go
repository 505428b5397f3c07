//go:build unix

package socket

import (
	"errors"
	"io"
	"net"
	"path/filepath"
	"testing"
)

// unixPair returns the two ends of a unix socket.
func unixPair(t *testing.T) (a, b net.Conn) {
	t.Helper()
	listener, err := net.Listen("unix", filepath.Join(shortDir(t), "s"))
	if err != nil {
		t.Fatalf("listen on a socket: %v", err)
	}
	defer listener.Close()
	if a, err = net.Dial("unix", listener.Addr().String()); err != nil {
		t.Fatalf("dial the socket: %v", err)
	}
	if b, err = listener.Accept(); err != nil {
		t.Fatalf("accept the connection: %v", errors.Join(err, a.Close()))
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

func TestClientThatLeavesIsNoticedWhileItsConnectionIsNotRead(t *testing.T) {
	t.Parallel()
	ours, theirs := unixPair(t)
	config := Config{ServerConfig: ServerConfig{MaxHeld: 1}}.withDefaults()
	c := newConnection(theirs, &config, serverTimers(&config))
	held := make(chan struct{}, 10)
	ended := make(chan error, 1)
	go func() {
		ended <- c.Exchanges().ForEach(t.Context(), func(x Exchange) {
			x.Hold()
			held <- struct{}{}
		})
	}()
	newPeer(t, ours).greet().send("one", "two", "three")
	<-held
	ours.Close() // with two messages unread
	if err := <-ended; err != nil || !errors.Is(c.Err(), io.ErrUnexpectedEOF) {
		t.Errorf("the exchanges of a client that left ended with %v and the connection with %v, want no error and io.ErrUnexpectedEOF", err, c.Err())
	}
	if len(held) != 0 {
		t.Error("another message was handled, want the first alone")
	}
}
