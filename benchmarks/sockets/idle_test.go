package sockets

import (
	"context"
	"io"
	"net"
	"path/filepath"
	"slices"
	"testing"

	"github.com/rxipc/rxipc/socket"
)

// An idle connection counts and answers heartbeats, including those before the response. Any other
// frame ends it.
func TestIdleConnectionAnswersHeartbeats(t *testing.T) {
	dir := t.TempDir()
	listener, err := net.Listen("unix", filepath.Join(dir, rxipcName.String()+".sock"))
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	defer listener.Close()
	message := messageOf(32)
	request := frameOf(socket.OctetStream().String(), string(message))
	before := received.messages.Load()
	ended := make(chan error, 1)
	go func() {
		wait, err := holdRxipc(context.Background(), place{dir: dir}, message)
		if err == nil {
			err = wait()
		}
		ended <- err
	}()

	server, err := listener.Accept()
	if err != nil {
		t.Fatalf("accept the idle connection: %v", err)
	}
	defer server.Close()
	say := func(frames ...[]byte) {
		if _, err := server.Write(slices.Concat(frames...)); err != nil {
			t.Fatalf("write to the idle connection: %v", err)
		}
	}
	hear := func(frames ...[]byte) {
		want := slices.Concat(frames...)
		got := make([]byte, len(want))
		if _, err := io.ReadFull(server, got); err != nil || !slices.Equal(got, want) {
			t.Fatalf("read from the idle connection: got %q, %v, want %q", got, err, want)
		}
	}
	say(control("connection.start"))
	hear(control("connection.start-ok"), request)
	say(control("heartbeat"), control("ack"), request)
	hear(control("heartbeat"))
	say(control("heartbeat"))
	hear(control("heartbeat"))
	if got := received.messages.Load() - before; got != 2 {
		t.Errorf("send 2 heartbeats: the connection counted %d", got)
	}
	say(control("connection.close"))
	if err := <-ended; err == nil {
		t.Error("close the idle connection: got no error, want one")
	}
}

// Measuring a server without heartbeats fails.
func TestBesideIdleFailsWithoutHeartbeats(t *testing.T) {
	silent := bare
	silent.hold = silent.holdSilent
	b, err := newBench(t.Context(), silent, setup{size: 32, conns: 1})
	if err != nil {
		t.Fatalf("start a bench: %v", err)
	}
	defer b.stop()
	if figures, err := b.besideIdle(1, 2); err == nil {
		t.Errorf("measure a server without heartbeats: got %v, want an error", figures)
	}
}
