package socket

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket/internal/wire"
)

func TestServerSpeaksInOneWriteATurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := serve(t, Config{}, fold.Sum[int](), echo)
		client := server.dial()
		client.send(wire.KindStartOK, "one", "two")
		synctest.Wait()
		client.send("three")
		synctest.Wait()
		client.send(wire.KindClose)
		client.expect("start", "ack", `"echo: one"`, "ack", `"echo: two"`, "ack", `"echo: three"`, "close-ok", "EOF")
		same(t, decoded(peerChunks(client)), "heartbeat start", `ack "echo: one" ack "echo: two"`, `ack "echo: three"`, "close-ok")
		server.end()
		interrupted(t, <-server.result, 3, context.Canceled)
	})
}

// peerChunks is what came to a peer, one Write a string.
func peerChunks(p *peer) []string { return (&pipeConn{out: p.conn.(*pipeConn).in}).recorded() }

func TestServerAnswersWhatCameBeforeTheCloseTogetherWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := serve(t, Config{}, fold.Sum[int](), echo)
		client := server.dial()
		client.send(wire.KindStartOK, "one", wire.KindClose)
		client.expect("start", "ack", `"echo: one"`, "close-ok", "EOF")
		same(t, decoded(peerChunks(client)), "heartbeat start", `ack "echo: one" close-ok`)
	})
}

func TestServerDiscardsMessagesBeforeStartOK(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := serve(t, Config{}, fold.Sum[int](), echo)
		client := server.dial()
		client.expect("start")
		client.send("early", wire.KindHeartbeat, "early too", wire.KindStartOK, "late")
		client.expect("ack", `"echo: late"`)
		client.leave()
		same(t, server.handled(), "late")
	})
}

func TestServerAnswersCloseBeforeStartOK(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := serve(t, Config{}, fold.Sum[int](), echo).dial()
		client.expect("start")
		client.leave()
	})
}

func TestServerReadsAndWritesOneByteAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := serve(t, Config{}, fold.Sum[int](), echo)
		server.limit = 1
		client := server.dial()
		client.expect("start")
		client.sendBytewise(wire.KindStartOK, "one")
		client.expect("ack", `"echo: one"`)
		client.sendBytewise("two")
		client.expect("ack", `"echo: two"`)
		client.sendBytewise(wire.KindClose)
		client.expect("close-ok", "EOF")
	})
}

// An innmind/ipc peer acts on its time limits once it has heard nothing for a second.
func TestServerHeartbeatsLeaveAWaitingPeerMoreThanASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		client := serve(t, Config{}, fold.Sum[int](), echo).dial()
		client.expect("start", "heartbeat", "heartbeat")
		same(t, []time.Duration{time.Since(start)}, 2600*time.Millisecond)
		client.leave()
	})
}

func TestServerSendsHeartbeatsAfterSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		client := serve(t, Config{Heartbeat: time.Second}, fold.Sum[int](), echo).dial()
		client.expect("start", "heartbeat")
		at := []time.Duration{time.Since(start)}
		client.expect("heartbeat")
		at = append(at, time.Since(start))
		time.Sleep(500 * time.Millisecond)
		client.send(wire.KindHeartbeat)
		client.expect("heartbeat")
		at = append(at, time.Since(start))
		same(t, at, time.Second, 2*time.Second, 3500*time.Millisecond)
		client.send(wire.KindStartOK)
		client.leave()
	})
}

func TestServerWithoutHeartbeatsIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := serve(t, Config{Heartbeat: -1}, fold.Sum[int](), echo).dial().greet()
		time.Sleep(time.Hour)
		client.leave()
		same(t, decoded(peerChunks(client)), "heartbeat start", "close-ok")
	})
}

func TestServerTakesTheMediaTypesOfInnmind(t *testing.T) {
	for sent, want := range map[string]string{
		"multipart/mixed; boundary=x'y+z":     "multipart/mixed; boundary=x'y+z",
		`text/csv;header="absent",sep="|"`:    "text/csv; header=absent, sep=|",
		"application/json; profile=%7Eus*r`~": "application/json; profile=%7Eus*r`~",
		`text/x; note=""`:                     `text/x; note=""`,
	} {
		t.Run(sent, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got Message
				server := serve(t, Config{}, fold.Sum[int](), func(m Message, c Continuation[int], _ int) Continuation[int] {
					got = m
					return c.Respond(m)
				})
				client := server.dial().greet()
				client.send([]byte(raw(sent, 2, "hi", 0xCE)))
				client.expect("ack")
				if frame, err := client.reader.ReadFrame(client.conn); err != nil || frame.Message.MediaType != want {
					t.Errorf("answer to a message of media type %s: %v, %v; want the media type %s", sent, frame, err, want)
				}
				if got != (Message{MediaType{want}, "hi"}) {
					t.Errorf("the server of a message of media type %s got %v, want %s", sent, got, want)
				}
				client.leave()
			})
		})
	}
}

func TestServerClosesConnectionsThatBreakTheProtocol(t *testing.T) {
	oversize := encode(NewMessage(OctetStream(), strings.Repeat("x", 101)))
	endless := append(slices.Clone(oversize[:30]), 0xFF, 0xFF, 0xFF, 0xFF)[:2+24]
	endless = append(endless, 0xFF, 0xFF, 0xFF, 0xFF)
	for name, test := range map[string]struct {
		bytes []byte
		want  error
	}{
		"garbage":          {[]byte("\x00\x0ahello garbage \xff\xff"), ErrProtocol},
		"bad media type":   {[]byte("\x00\x08nonsense\x00\x00\x00\x02hi\xce"), ErrProtocol},
		"empty media type": {[]byte("\x00\x00\x00\x00\x00\x02hi\xce"), ErrProtocol},
		"wrong end":        {[]byte("\x00\x06text/x\x00\x00\x00\x02hi\xcf"), ErrProtocol},
		"oversize":         {oversize[:40], ErrTooLarge},
		"absurd length":    {endless, ErrTooLarge},
		"end inside":       {[]byte("\x00\x06text/x\x00\x00\x00\x02h"), io.ErrUnexpectedEOF},
		"just gone":        {nil, io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { checkBroken(t, test.bytes, test.want) })
		})
	}
}

// checkBroken has one client break the protocol, with a good message in the same
// write, and another one that must not notice.
func checkBroken(t *testing.T, broken []byte, want error) {
	ended := make(chan *Connection, 2)
	server := serve(t, Config{MaxMessage: 100}, fold.Sum[int](),
		func(m Message, c Continuation[int], count int) Continuation[int] {
			if m.Content() == "bad" {
				ended <- c.Connection()
			}
			return echo(m, c, count)
		})
	bad, good := server.dial().greet(), server.dial().greet()
	good.send("before")
	good.expect("ack", `"echo: before"`)
	bad.send("bad", broken)
	if want == io.ErrUnexpectedEOF {
		bad.expect("ack", `"echo: bad"`)
		bad.conn.Close()
	} else {
		bad.expect("ack", `"echo: bad"`, "EOF")
	}
	synctest.Wait()
	if err := (<-ended).Err(); !errors.Is(err, want) {
		t.Errorf("ended with %v, want %v", err, want)
	}
	good.send("after")
	good.expect("ack", `"echo: after"`)
	good.leave()
	server.end()
	interrupted(t, <-server.result, 3, context.Canceled)
}

func TestClientsThatDieConcernNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := serve(t, Config{}, fold.Sum[int](), echo)
		dying := server.dial().greet()
		dying.send("last words")
		synctest.Wait()
		dying.conn.Close() // with the answer unread: a reset
		other := server.dial().greet()
		other.send("hello")
		other.expect("ack", `"echo: hello"`)
		server.end()
		other.expect("close")
		other.send(wire.KindCloseOK)
		other.expect("EOF")
		interrupted(t, <-server.result, 2, context.Canceled)
	})
}
