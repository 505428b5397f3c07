package recording_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"

	"github.com/rxipc/rxipc/socket/recording"
	"github.com/rxipc/rxipc/socket/sockettest"
)

// relayed relays between two pipes until run has returned, and returns what was recorded.
func relayed(t *testing.T, run func(ctx context.Context, cut context.CancelFunc, client, server net.Conn)) recording.Recording {
	t.Helper()
	var out bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		client, near := sockettest.Pipe(10)
		server, far := sockettest.Pipe(10)
		ctx, cut := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			recording.Relay(ctx, near, far, "counter", recording.NewWriter(&out, recording.Config{Name: "counter"}))
		}()
		run(ctx, cut, client, server)
		client.Close()
		server.Close()
		<-ended
	})
	return read(t, out.String())
}

// A side that has closed for writing still gets what the other side sends.
func TestRelayPassesBothWaysUntilBothHaveEnded(t *testing.T) {
	const frame = "\x00\x0atext/plain\x00\x00\x00\x05hello\xce"
	r := relayed(t, func(_ context.Context, _ context.CancelFunc, client, server net.Conn) {
		go func() {
			io.WriteString(client, frame)
			client.(*sockettest.Conn).CloseWrite()
		}()
		if got, err := io.ReadAll(server); string(got) != frame || err != nil {
			t.Errorf("read at the server what the client wrote: got %q, %v, want %q", got, err, frame)
		}
		go func() {
			io.WriteString(server, frame+"x")
			server.Close()
		}()
		if got, err := io.ReadAll(client); string(got) != frame+"x" || err != nil {
			t.Errorf("read at the client what the server wrote after the client had ended: got %q, %v, want %q", got, err, frame+"x")
		}
	})
	got := ""
	for _, e := range r.Entries {
		got += string(e.From) + " " + e.String() + "\n"
	}
	want := " open\nclient message text/plain \"hello\"\nclient end\nserver message text/plain \"hello\"\nserver bytes \"x\"\nserver end\n"
	if got != want {
		t.Errorf("record what was relayed: got\n%swant\n%s", got, want)
	}
}

func TestRelayEndsWithItsContext(t *testing.T) {
	relayed(t, func(_ context.Context, cut context.CancelFunc, client, server net.Conn) {
		cut()
		for side, conn := range map[string]net.Conn{"client": client, "server": server} {
			if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
				t.Errorf("read at the %s of a relay that was cut: got %v, want io.EOF", side, err)
			}
		}
	})
}

func TestRelayCutsASideWhoseOtherSideIsGone(t *testing.T) {
	relayed(t, func(_ context.Context, _ context.CancelFunc, client, server net.Conn) {
		server.Close()
		io.WriteString(client, "more than the ten bytes of a buffer")
		io.ReadAll(client) // to the end
		if _, err := io.WriteString(client, "x"); err == nil {
			t.Errorf("write to a server that is gone: got no error, want that the relay has closed the connection")
		}
	})
}

// A net.Pipe blocks a write of nothing, too, until the other end is read.
func TestRelayEndsWithAClientAlthoughTheServerReadsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, near := net.Pipe()
		server, far := net.Pipe()
		defer server.Close()
		client.Close()
		recording.Relay(t.Context(), near, far, "counter", recording.NewWriter(io.Discard, recording.Config{}))
	})
}
