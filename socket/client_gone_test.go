package socket

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/rxipc/rxipc/socket/internal/wire"
	"github.com/rxipc/rxipc/stream"
)

// die lets a server die for a client that reads nothing yet: writes of the client fail, and the
// end of the connection is unread. The caller closes the connection later.
func die(server *peer) {
	conn := server.conn.(*pipeConn)
	conn.in.change(func() { conn.in.broken = true })
}

// TestSendErrorOfAServerThatWasGoneCountsNothing sends to a server that has died without
// the client having noticed: no byte leaves, so nothing was sent, and nothing is doubtful.
func TestSendErrorOfAServerThatWasGoneCountsNothing(t *testing.T) {
	for name, send := range map[string]func(context.Context, *Process) error{
		"Send of one":   func(ctx context.Context, p *Process) error { return p.Send(ctx, Text("a")).Err() },
		"Send of three": func(ctx context.Context, p *Process) error { return p.Send(ctx, texts(3)...).Err() },
		"SendAll":       func(ctx context.Context, p *Process) error { return p.SendAll(stream.FromSlice(texts(3))).Run(ctx) },
		"Request":       func(ctx context.Context, p *Process) error { return p.Request(ctx, Text("a")).Err() },
		"RequestAll":    func(ctx context.Context, p *Process) error { return p.RequestAll(stream.FromSlice(texts(3))).Run(ctx) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, server := opened(t, Config{Heartbeat: -1}, 0)
				die(server)
				sent := make(chan error)
				go func() { sent <- send(t.Context(), p) }()
				synctest.Wait()
				server.conn.Close()
				err := sendError(t, <-sent)
				if err.Sent != 0 || err.Doubtful() != 0 {
					t.Errorf("a server that was gone before got %d messages, %d doubtful, by %v, want none", err.Sent, err.Doubtful(), err)
				}
				if _, left := p.Wait(t.Context()).Get(); left == nil {
					t.Error("Wait gave a message of a server that was gone, want an error")
				}
				if p.InFlight() != 0 {
					t.Errorf("%d messages are in flight to a server that was gone, want none", p.InFlight())
				}
			})
		})
	}
}

// TestPoolRetriesWhatWasNotSentToAServerThatWasGone has a server die while its pool is idle:
// the first request after that was not sent, and the next server answers it.
func TestPoolRetriesWhatWasNotSentToAServerThatWasGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := newMemory(0)
		listener, err := transport.Listen(t.Context(), remote)
		if err != nil {
			t.Fatalf("listen: %v", err)
		}
		pool := New(Config{Transport: transport, Heartbeat: -1}).Pool(remote, PoolConfig{Connections: 1})
		answered := make(chan error, 1)
		request := func(content string) {
			go func() {
				m, err := pool.Request(t.Context(), Text(content)).Get()
				if err == nil && m != Text("re "+content) {
					t.Errorf("request %q got %v, want %q", content, m, "re "+content)
				}
				answered <- err
			}()
			synctest.Wait()
		}
		answer := func(server *peer, content string) {
			server.expect("start-ok", `"`+content+`"`)
			server.send(wire.KindAck, "re "+content)
			if err := <-answered; err != nil {
				t.Errorf("request %q failed with %v, want its response", content, err)
			}
		}
		request("first")
		server := acceptPeer(t, listener)
		answer(server, "first")
		server.expect("ack")
		die(server)
		request("second")
		server.conn.Close()
		synctest.Wait()
		if len(answered) > 0 {
			t.Fatalf("a request failed with %v, of which no byte left, want another try", <-answered)
		}
		answer(acceptPeer(t, listener), "second")
		if stats := pool.Stats(); stats.Failed != 0 || stats.Retried != 1 || stats.Lost != 1 {
			t.Errorf("the pool counted %+v, want one retried after one connection lost, and none failed", stats)
		}
		listener.Close()
		closePool(t, pool)
	})
}
