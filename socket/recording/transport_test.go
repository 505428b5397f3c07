package recording_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/recording"
	"github.com/rxipc/rxipc/socket/sockettest"
)

var counter = socket.MustParseName("counter")

// echo serves until its context ends, and counts.
func echo(ctx context.Context, ipc *socket.IPC) fold.Attempt[int] {
	return socket.Serve(ipc, counter, fold.Sum[int]()).With(ctx, func(m socket.Message, c socket.Continuation[int], count int) socket.Continuation[int] {
		return c.Respond(m).CarryWith(count + 1)
	})
}

// recorded returns what a writer writes while run runs with a network that is recorded, in virtual
// time.
func recorded(t *testing.T, config recording.Config, run func(t *testing.T, transport socket.Transport)) string {
	t.Helper()
	var out bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		w := recording.NewWriter(&out, config)
		run(t, recording.Transport(sockettest.NewNetwork(), w))
		if err := w.Err(); err != nil {
			t.Errorf("record: %v", err)
		}
	})
	return out.String()
}

// ask runs a server of echo, and a client that makes requests, each a second after the one before.
func ask(t *testing.T, server, client socket.Transport, requests ...string) {
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan fold.Attempt[int])
	go func() { ended <- echo(ctx, socket.New(socket.Config{Transport: server})) }()
	synctest.Wait()
	p, err := socket.New(socket.Config{Transport: client}).Dial(ctx, counter).Get()
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	for _, request := range requests {
		time.Sleep(time.Second)
		if answer, err := p.Request(ctx, socket.Text(request)).Get(); err != nil || answer.Content() != request {
			t.Errorf("request %s: got %v, %v", request, answer, err)
		}
	}
	p.Close(ctx)
	synctest.Wait()
	stop()
	<-ended
}

func TestTransportPassesTheCheckOfTransports(t *testing.T) {
	sockettest.CheckTransport(t, func(t *testing.T) socket.Transport {
		w := recording.NewWriter(io.Discard, recording.Config{})
		t.Cleanup(func() {
			if err := w.Err(); err != nil {
				t.Errorf("record: %v", err)
			}
		})
		return recording.Transport(sockettest.NewNetwork(), w)
	})
}

// What one side records is what the other records, and both are what was sent.
func TestTransportRecordsWhatBothSidesSend(t *testing.T) {
	const want = `open
server heartbeat
server start
client start-ok text/plain; peer=rxipc
client message text/plain "a"
server ack
server message text/plain "a"
client ack
client message text/plain "b"
server ack
server message text/plain "b"
client ack
client close
server close-ok
`
	for side, choose := range map[string]func(inner, recorded socket.Transport) (server, client socket.Transport){
		"server": func(inner, recorded socket.Transport) (socket.Transport, socket.Transport) { return recorded, inner },
		"client": func(inner, recorded socket.Transport) (socket.Transport, socket.Transport) { return inner, recorded },
	} {
		var out bytes.Buffer
		synctest.Test(t, func(t *testing.T) {
			inner := sockettest.NewNetwork()
			server, client := choose(inner, recording.Transport(inner, recording.NewWriter(&out, recording.Config{Name: "counter"})))
			ask(t, server, client, "a", "b")
		})
		r := read(t, out.String())
		got, seconds := "", 0
		for _, e := range r.Entries {
			if e.Kind == recording.End || e.Kind == recording.Heartbeat && e.Time > time.Second || e.Kind == recording.Stop {
				continue
			}
			got += strings.TrimSpace(string(e.From)+" "+e.String()) + "\n"
			if e.Kind == recording.Message && e.From == recording.Client {
				seconds++
				if late := e.Time - time.Duration(seconds)*time.Second; late < 0 || late > time.Millisecond {
					t.Errorf("record at the %s: got %v at %v, want it after %d s", side, e, e.Time, seconds)
				}
			}
		}
		if got != want {
			t.Errorf("record at the %s: got\n%swant\n%s", side, got, want)
		}
		if begin := r.Begin; begin.IsZero() || begin.Location() != time.UTC {
			t.Errorf("record at the %s: got the beginning %v, want it in UTC", side, begin)
		}
	}
}

func TestTransportRecordsHowConnectionsEnd(t *testing.T) {
	text := recorded(t, recording.Config{Name: "counter"}, func(t *testing.T, transport socket.Transport) {
		l, err := transport.Listen(t.Context(), counter)
		if err != nil {
			t.Fatalf("listen: %v", err)
		}
		accepted := make(chan net.Conn, 1)
		go func() {
			c, _ := l.Accept()
			accepted <- c
		}()
		client, err := transport.Dial(t.Context(), counter)
		if err != nil {
			t.Fatalf("dial: %v", err)
		}
		server := <-accepted
		io.WriteString(client, "\x00\x0a")
		client.Close()
		client.Close()
		io.Copy(io.Discard, server)
		server.Close()
		l.Close()
		l.Close()
	})
	counts := map[string]int{}
	for _, e := range read(t, text).Entries {
		counts[string(e.From)+" "+e.String()]++
	}
	// Each connection is recorded at both ends.
	for what, want := range map[string]int{" open": 2, `client bytes "\x00\n"`: 2, "client end": 2, "server end": 1, " stop": 1} {
		if counts[what] != want {
			t.Errorf("record a connection that breaks: got %d of %q, want %d; all: %v", counts[what], what, want, counts)
		}
	}
}

// A write that a deadline ends is recorded as far as it went, and the rest when it is written.
func TestTransportRecordsPartsOfWrites(t *testing.T) {
	var out bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		network := sockettest.NewNetwork()
		network.Buffer = 10
		transport := recording.Transport(network, recording.NewWriter(&out, recording.Config{}))
		l, err := network.Listen(t.Context(), counter)
		if err != nil {
			t.Fatalf("listen: %v", err)
		}
		defer l.Close()
		client, err := transport.Dial(t.Context(), counter)
		if err != nil {
			t.Fatalf("dial: %v", err)
		}
		server, err := l.Accept()
		if err != nil {
			t.Fatalf("accept: %v", err)
		}
		frame := "\x00\x0atext/plain\x00\x00\x00\x05hello\xce"
		client.SetWriteDeadline(time.Now().Add(time.Second))
		n, _ := io.WriteString(client, frame)
		client.SetWriteDeadline(time.Time{})
		go func() {
			io.WriteString(client, frame[n:])
			client.Close()
		}()
		if got, err := io.ReadAll(server); string(got) != frame {
			t.Errorf("read what was written in two parts: got %q, %v", got, err)
		}
		server.Close()
	})
	r := read(t, out.String())
	want := recording.Entry{Connection: 1, From: recording.Client, Kind: recording.Message, MediaType: "text/plain", Content: "hello", Time: r.Entries[1].Time}
	if r.Entries[1] != want {
		t.Errorf("record a frame that is written in two parts: got %v, want it once", r.Entries)
	}
}
