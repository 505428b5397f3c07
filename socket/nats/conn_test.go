package nats_test

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/rxipc/rxipc/socket/nats"
)

// A reader that reads nothing stops its sender. The broker never holds more than the windows, so
// that it does not take the reader for a slow consumer.
func TestConnSlowReaderSlowsItsSender(t *testing.T) {
	b := startBroker(t, onLoopback, func(o *server.Options) { o.MaxPending = 2 << 20 })
	near, far := dial(t, b.Server().ClientURL()), dial(t, b.Server().ClientURL())
	l := listen(t, nats.Transport(far, nats.Config{}), counter)
	transport := nats.Transport(near, nats.Config{})
	const sessions, length = 8, 1 << 20
	var all []ends
	written := make(chan error, sessions)
	for range sessions {
		s := open(t, transport, l)
		all = append(all, s)
		go func() {
			_, err := s.client.Write(make([]byte, length))
			written <- err
		}()
	}
	for _, s := range all { // which has begun to write
		if _, err := io.ReadFull(s.server, make([]byte, 1)); err != nil {
			t.Fatalf("read the first byte: %v", err)
		}
	}
	select {
	case err := <-written:
		t.Errorf("write %d bytes that nobody reads: got %v, want that it waits", length, err)
	default:
	}
	for _, s := range all {
		if n, err := io.ReadFull(s.server, make([]byte, length-1)); err != nil {
			t.Errorf("read slowly: got %d bytes, %v, want %d", n, err, length-1)
		}
		if err := <-written; err != nil {
			t.Errorf("write while somebody reads: got %v", err)
		}
	}
	if n := b.Server().NumSlowConsumers(); n != 0 {
		t.Errorf("slow consumers at the broker: got %d, want none", n)
	}
}

// Bytes that are written one by one use up the window as well, since each costs a message.
func TestConnSmallWritesAreBounded(t *testing.T) {
	b := startBroker(t)
	s := session(t, connect(t, b), connect(t, b), nats.Config{})
	s.client.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
	n := 0
	var err error
	for err == nil && n < 20_000 { // more than the first window
		if _, err = s.client.Write([]byte("x")); err == nil {
			n++
		}
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("write byte by byte without a reader: got %d bytes, %v, want os.ErrDeadlineExceeded", n, err)
	}
	if _, err := io.ReadFull(s.server, make([]byte, n)); err != nil {
		t.Errorf("read the %d bytes that were written: %v", n, err)
	}
}

// halfCloser is a connection that ends one of its streams.
type halfCloser interface{ CloseWrite() error }

func TestConnHalfClose(t *testing.T) {
	b := startBroker(t)
	s := session(t, connect(t, b), connect(t, b), nats.Config{})
	if _, err := s.client.Write([]byte("question")); err != nil {
		t.Fatalf("write: %v", err)
	}
	if err := s.client.(halfCloser).CloseWrite(); err != nil {
		t.Fatalf("close for writing: %v", err)
	}
	if got, err := io.ReadAll(s.server); string(got) != "question" || err != nil {
		t.Errorf("read until the other side has closed for writing: got %q, %v, want question", got, err)
	}
	_, err := s.client.Write([]byte("x"))
	fails(t, "write after CloseWrite", err, net.ErrClosed)
	passes(t, s.server, s.client, "answer")
	s.server.Close()
	if got, err := io.ReadAll(s.client); len(got) != 0 || err != nil {
		t.Errorf("read after the other side has closed: got %q, %v, want the end", got, err)
	}
}

// Who writes to an end that was closed learns of it as over a unix socket.
func TestConnWriteAfterTheOtherSideClosed(t *testing.T) {
	b := startBroker(t)
	s := session(t, connect(t, b), connect(t, b), nats.Config{})
	s.server.Close()
	readFails(t, "read after the other side has closed", s.client, io.EOF)
	_, err := s.client.Write([]byte("x"))
	fails(t, "write after the other side has closed", err, syscall.EPIPE)
	readFails(t, "read again", s.client, io.EOF)
}

// Idle sessions live on, since each side answers the other.
func TestConnIdleStaysAlive(t *testing.T) {
	b := startBroker(t)
	watched, err := connect(t, b).SubscribeSync("rxipc.to.>")
	if err != nil {
		t.Fatalf("watch the messages: %v", err)
	}
	s := session(t, connect(t, b), connect(t, b), nats.Config{KeepAlive: 100 * time.Millisecond})
	for range 10 { // some more than silentPeriods
		if _, err := watched.NextMsgWithContext(t.Context()); err != nil {
			t.Fatalf("wait for a sign of life: %v", err)
		}
	}
	passes(t, s.client, s.server, "still here")
	passes(t, s.server, s.client, "me, too")
}
