package socket

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket/internal/wire"
)

// phpServer greets as innmind/ipc does, with heartbeats only behind connection.start.
var phpServers = map[string][]wire.Kind{
	"4.4": {wire.KindStart, wire.KindHeartbeat, wire.KindHeartbeat},
	"5.x": {wire.KindStart},
}

func TestMarkIsFirstAndAnsweredWithAName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newPipe(0)
		served := newMemoryListener()
		served.waiting <- server
		go New(Config{}).Accept(served).ForEach(t.Context(), func(c *Connection) { c.Messages().Run(t.Context()) })
		p, err := New(Config{}).Attach(t.Context(), client).Get()
		if err != nil {
			t.Fatalf("attach to a server of ours: %v", err)
		}
		if err := p.Send(t.Context(), Text("hello")).Err(); err != nil {
			t.Fatalf("send to a server of ours: %v", err)
		}
		greeting := server.recorded()[0]
		if want := string(encode(wire.KindHeartbeat, wire.KindStart)); greeting != want {
			t.Errorf("the server's first write is %q, want heartbeat and connection.start, %q", greeting, want)
		}
		answer := NewMessage(MustParseMediaType("text/plain; peer=rxipc"), "innmind/ipc:connection.start-ok")
		if got, want := strings.Join(client.recorded(), ""), string(encode(answer, "hello")); got != want {
			t.Errorf("the client wrote %q, want %q", got, want)
		}
		if !p.ours {
			t.Error("the client does not know that the server is of ours, want that it does")
		}
		p.Close(t.Context())
	})
}

func TestMarkIsNotSeenInServersOfPHP(t *testing.T) {
	for version, greeting := range phpServers {
		t.Run(version, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ours, theirs := newPipe(0)
				server := newPeer(t, theirs)
				for _, k := range greeting {
					server.send(k)
				}
				p, err := New(Config{}).Attach(t.Context(), ours).Get()
				if err != nil {
					t.Fatalf("attach: %v", err)
				}
				time.Sleep(time.Second)
				if got, want := strings.Join(ours.recorded(), ""), string(encode(wire.KindStartOK)); got != want || p.ours {
					t.Errorf("the client answered %q, and thinks that the server is of ours: %v; want %q and not so", got, p.ours, want)
				}
				theirs.Close()
			})
		})
	}
}

func TestMarkOfAClientIsKnownToTheServer(t *testing.T) {
	for _, test := range []struct {
		startOK any
		goodbye string // what a client is told whose message is rejected
	}{
		{wire.KindStartOK, "close"},
		{NewMessage(MustParseMediaType("text/plain; peer=other"), wire.KindStartOK.String()), ""}, // no start-ok at all
		{NewMessage(MediaType{"text/plain; peer=rxipc"}, wire.KindStartOK.String()), "close: reason=panicked"},
	} {
		synctest.Test(t, func(t *testing.T) {
			server := serve(t, Config{ServerConfig: ServerConfig{HandshakeTimeout: 3 * time.Second}}, fold.Sum[int](), explode)
			client := server.dial()
			client.expect("start")
			client.send(test.startOK, "panic")
			if test.goodbye == "" {
				client.expectEnd()
			} else {
				client.expect(test.goodbye)
			}
			client.conn.Close()
		})
	}
}

func TestCloseReasonTellsWhyTheServerCloses(t *testing.T) {
	unwanted := errors.New("unwanted")
	for _, test := range []struct {
		name string
		send []byte
		want wire.CloseReason
	}{
		{"too large", encode(strings.Repeat("x", 101)), wire.CloseReason{Code: wire.ReasonTooLarge, Limit: 100}},
		{"the end of no frame", encode([]byte(raw("text/plain", 1, "x", 0xCC))), wire.CloseReason{Code: wire.ReasonProtocol}},
		{"rejected", encode("reject"), wire.CloseReason{Code: wire.ReasonRejected}},
		{"no media type", encode([]byte(raw("x", 1, "x", 0xCE))), wire.CloseReason{Code: wire.ReasonProtocol}},
		{"in order", encode("finish"), wire.CloseReason{}},
		{"half a frame", encode("late")[:5], wire.CloseReason{Code: wire.ReasonTooSlow}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ours, theirs := newPipe(0)
				served := newMemoryListener()
				served.waiting <- theirs
				go New(Config{MaxMessage: 100}).Accept(served).ForEach(t.Context(), func(c *Connection) {
					c.Exchanges()(t.Context(), func(x Exchange) bool {
						if x.Content() == "reject" {
							x.Reject(unwanted)
						}
						return x.Content() != "finish"
					})
				})
				p, err := New(Config{Heartbeat: -1}).Attach(t.Context(), ours).Get()
				if err != nil {
					t.Fatalf("attach: %v", err)
				}
				if _, err := ours.Write(append([]byte(wire.MarkedStartOK), test.send...)); err != nil {
					t.Fatalf("write to the server: %v", err)
				}
				p.debts.handshake.Store(saidStartOK)
				_, err = p.Wait(t.Context()).Get()
				var closed *closedError
				var got wire.CloseReason
				if errors.As(err, &closed) {
					got = closed.CloseReason
				}
				if !errors.Is(err, ErrDisconnected) || got != test.want {
					t.Errorf("the client is told %+v by %v, want %+v in ErrDisconnected", got, err, test.want)
				}
			})
		})
	}
}
