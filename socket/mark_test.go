package socket

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
)

// phpServer greets as innmind/ipc does, with heartbeats only behind connection.start.
var phpServers = map[string][]kind{
	"4.4": {kindStart, kindHeartbeat, kindHeartbeat},
	"5.x": {kindStart},
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
		if want := string(encode(kindHeartbeat, kindStart)); greeting != want {
			t.Errorf("the server's first write is %q, want heartbeat and connection.start, %q", greeting, want)
		}
		answer := NewMessage(MustParseMediaType("text/plain; peer=rxipc"), "innmind/ipc:connection.start-ok")
		if got, want := strings.Join(client.recorded(), ""), string(encode(answer, "hello")); got != want {
			t.Errorf("the client wrote %q, want %q", got, want)
		}
		if !p.ours {
			t.Error("the client does not know that the server is of ours")
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
				if got, want := strings.Join(ours.recorded(), ""), string(encode(kindStartOK)); got != want || p.ours {
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
		{kindStartOK, "close"},
		{NewMessage(MustParseMediaType("text/plain; peer=other"), contentStartOK), ""}, // no start-ok at all
		{NewMessage(MediaType{typeOurStartOK}, contentStartOK), "close: reason=panicked"},
	} {
		synctest.Test(t, func(t *testing.T) {
			server := serve(t, Config{HandshakeTimeout: 3 * time.Second}, fold.Sum[int](), explode)
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

func TestMarkFarewellTellsWhyTheServerCloses(t *testing.T) {
	unwanted := errors.New("unwanted")
	for _, test := range []struct {
		name string
		send []byte
		want farewell
	}{
		{"too large", encode(strings.Repeat("x", 101)), farewell{code: byeTooLarge, limit: 100}},
		{"the end of no frame", encode([]byte(raw("text/plain", 1, "x", 0xCC))), farewell{code: byeProtocol}},
		{"rejected", encode("reject"), farewell{code: byeRejected}},
		{"no media type", encode([]byte(raw("x", 1, "x", 0xCE))), farewell{code: byeProtocol}},
		{"in order", encode("finish"), farewell{}},
		{"half a frame", encode("late")[:5], farewell{code: byeTooSlow}},
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
				if _, err := ours.Write(append([]byte(markedStartOK), test.send...)); err != nil {
					t.Fatalf("write: %v", err)
				}
				p.greeting.Store(false)
				_, err = p.Wait(t.Context()).Get()
				var closed *closedError
				var got farewell
				if errors.As(err, &closed) {
					got = closed.farewell
				}
				if !errors.Is(err, ErrDisconnected) || got != test.want {
					t.Errorf("the client is told %+v by %v, want %+v in ErrDisconnected", got, err, test.want)
				}
			})
		})
	}
}

func TestMarkFarewellSurvivesTheWire(t *testing.T) {
	for _, want := range []farewell{{}, {code: "later-version"}, {code: byeTooLarge, limit: 1}, {code: byeTooLarge, limit: 1 << 30, unsettled: true}, {code: byeRejected, unsettled: true}} {
		frames, err := readAll(strings.NewReader(want.frame()), 0)
		if err != nil || len(frames) != 1 || frames[0].kind != kindClose {
			t.Fatalf("%+v is read as %v, %v, want one connection.close", want, frames, err)
		}
		if got := farewellOf(frames[0].message.mediaType); got != want {
			t.Errorf("%+v is read as %+v", want, got)
		}
	}
	for _, spelled := range []string{"limit=0", "limit=-1", "limit=x", "limit=99999999999999999999"} {
		if got := farewellOf(MustParseMediaType("text/plain; reason=too-large, " + spelled)); got != (farewell{code: byeTooLarge}) {
			t.Errorf("%s is read as %+v, want no limit", spelled, got)
		}
	}
}

// TestMarkChangesNothingForOthers has the same contents come under media types that make
// no control messages of them.
func TestMarkChangesNothingForOthers(t *testing.T) {
	for _, m := range []Message{
		NewMessage(MustParseMediaType("text/plain; peer=rxipc"), contentClose),
		NewMessage(MustParseMediaType("text/plain; peer=rxipc, a=b"), contentStartOK),
		NewMessage(MustParseMediaType("text/plain; reason=shutdown"), contentStartOK),
		NewMessage(MustParseMediaType("text/plain; reason=shutdown"), contentHeartbeat),
		NewMessage(MustParseMediaType("text/plain; a=b"), contentClose),
		NewMessage(JSON(), contentClose),
	} {
		frames, err := readAll(strings.NewReader(string(encode(m, m))), 100)
		if err != nil || len(frames) != 2 || frames[0].message != m || frames[1].message != m {
			t.Errorf("%s %q twice is read as %v, %v", m.MediaType(), m.Content(), frames, err)
		}
	}
}
