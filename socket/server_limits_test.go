package socket

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket/internal/wire"
)

// tooSlow asserts that a connection has ended because the other side was too slow.
func tooSlow(t *testing.T, err error, says string) {
	t.Helper()
	if !errors.Is(err, ErrTooSlow) || !errors.Is(err, os.ErrDeadlineExceeded) || !strings.Contains(err.Error(), says) {
		t.Errorf("ended with %v, want one that says %q", err, says)
	}
}

// single runs a server that ends with its first connection, of which it tells how it
// ended.
func single(t *testing.T, config Config, limit int, handle func(Exchange)) (*peer, <-chan error) {
	listener := newMemoryListener()
	ended := make(chan error, 1)
	go New(config).Accept(listener)(t.Context(), func(c *Connection) bool {
		if err := c.Exchanges().ForEach(t.Context(), handle); err != nil {
			t.Errorf("exchanges of the connection: %v", err)
		}
		ended <- c.Err()
		return false
	})
	return listener.client(t, limit), ended
}

func TestClientThatDoesNotGreetIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		start := time.Now()
		client, ended := single(t, Config{Heartbeat: -1, Log: slog.New(slog.NewTextHandler(&log, nil))}, 0, nil)
		client.expect("start")
		client.send("early", wire.KindHeartbeat) // does not prolong anything
		tooSlow(t, <-ended, "no handshake within 10s")
		client.expect("EOF")
		same(t, []time.Duration{time.Since(start)}, 10*time.Second)
		if !strings.Contains(log.String(), "level=WARN") {
			t.Errorf("log of a client without a handshake: got %s, want a warning", log.String())
		}
	})
}

func TestClientThatTricklesAFrameIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, ended := single(t, Config{Heartbeat: -1, FrameTimeout: 20 * time.Second}, 0, func(x Exchange) {
			time.Sleep(time.Minute) // is the server's own time
		})
		client.greet()
		frame := encode("0123456789")
		client.send("whole", frame[:5])
		client.expect("ack")
		client.send(frame[5:])
		client.expect("ack")
		for range 3 { // each in 14 of 20 seconds, and many without a pause
			for _, b := range frame {
				time.Sleep(500 * time.Millisecond)
				client.send([]byte{b})
			}
			client.expect("ack")
		}
		start := time.Now()
		for i := range 19 {
			client.send(frame[i : i+1])
			time.Sleep(time.Second)
		}
		tooSlow(t, <-ended, "a frame took more than 20s")
		same(t, []time.Duration{time.Since(start)}, 20*time.Second)
		client.expect("EOF")
	})
}

// TestClientThatDoesNotReadIsCut has a neighbour that must not notice, and a slow one
// that reads a little all the time.
func TestClientThatDoesNotReadIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		connections := map[string]*Connection{}
		config := Config{Heartbeat: -1, ServerConfig: ServerConfig{WriteTimeout: 10 * time.Second}}
		server := serve(t, config, fold.Sum[int](), func(m Message, c Continuation[int], count int) Continuation[int] {
			mu.Lock()
			defer mu.Unlock()
			connections[m.Content()] = c.Connection()
			return c.Respond(Text(strings.Repeat("x", 1000))).CarryWith(count + 1)
		})
		server.limit = 100
		deaf, slow, good := server.dial().greet(), server.dial().greet(), server.dial().greet()
		start := time.Now()
		deaf.send("deaf")
		slow.send("slow")
		for range 100 {
			time.Sleep(time.Second)
			good.send("good")
			good.expect("ack", `"1000 bytes"`)
			slow.conn.Read(make([]byte, 5))
		}
		mu.Lock()
		tooSlow(t, connections["deaf"].Err(), "nothing was read for 10s")
		if connections["slow"].Context().Err() != nil {
			t.Errorf("a client that reads slowly was cut off with %v, want that it stays", connections["slow"].Err())
		}
		mu.Unlock()
		_, err := io.ReadAll(deaf.conn)
		if err != nil || time.Since(start) > 101*time.Second {
			t.Errorf("read as the slow client: got %v after %v, want the end within 101s", err, time.Since(start))
		}
		good.leave()
		slow.conn.Close()
		server.end()
		interrupted(t, <-server.result, 102, context.Canceled)
	})
}

func TestWriteTimeoutIsKeptToTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := Config{Heartbeat: -1, ServerConfig: ServerConfig{WriteTimeout: 10 * time.Second}}
		client, ended := single(t, config, 100, func(x Exchange) { x.Respond(Text(strings.Repeat("x", 1000))) })
		client.greet()
		start := time.Now()
		client.send("ask")
		tooSlow(t, <-ended, "nothing was read")
		if took := time.Since(start); took < 10*time.Second || took > 20*time.Second {
			t.Errorf("the connection of a client that does not read ended after %v, want 10s to 20s", took)
		}
	})
}

func TestClientThatReadsNotEvenHeartbeatsIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, ended := single(t, Config{ServerConfig: ServerConfig{WriteTimeout: 10 * time.Second}}, 100, nil)
		client.greet()
		tooSlow(t, <-ended, "nothing was read")
	})
}

func TestPushToAClientThatDoesNotReadEndsTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, c := pushing(t, Config{Heartbeat: -1, ServerConfig: ServerConfig{WriteTimeout: 10 * time.Second}}, 100)
		tooSlow(t, c.Send(t.Context(), Text(strings.Repeat("x", 1000))), "nothing was read")
		<-c.Context().Done()
		synctest.Wait()
		tooSlow(t, c.Err(), "nothing was read")
	})
}

func TestServerThatBeginsAFrameAndStopsIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := attached(t, Config{Heartbeat: -1, FrameTimeout: 10 * time.Second}, 0)
		server.send("hello", encode("hello")[:10])
		if m, err := p.Wait(t.Context()).Get(); m != Text("hello") {
			t.Errorf("wait for the message before the part of a frame: got %v, %v, want hello", m, err)
		}
		time.Sleep(time.Hour) // nobody waits
		start := time.Now()
		tooSlow(t, p.Wait(t.Context()).Err(), "a frame took more than 10s")
		same(t, []time.Duration{time.Since(start)}, 10*time.Second)
	})
}

func TestConfigNegativeTimeoutsNeverPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := Config{Heartbeat: -1, ServerConfig: ServerConfig{HandshakeTimeout: -1, WriteTimeout: -1}, FrameTimeout: -1}
		client, ended := single(t, config, 100, func(x Exchange) { x.Respond(Text(strings.Repeat("x", 1000))) })
		client.expect("start")
		for _, b := range encode(wire.KindStartOK, "ask") {
			time.Sleep(time.Hour)
			client.send([]byte{b})
		}
		time.Sleep(24 * time.Hour)
		client.expect("ack", `"1000 bytes"`)
		client.leave()
		succeeds(t, "serve the exchanges", <-ended)
	})
}
