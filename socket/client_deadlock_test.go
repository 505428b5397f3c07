package socket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket/internal/wire"
)

// TestSendReadsWhileItsServerWritesAnEarlierAnswer has messages in flight whose Sends
// gave up, and a server that answers the first with more than the connection holds:
// it reads on only once that is read.
func TestSendReadsWhileItsServerWritesAnEarlierAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		server := serve(t, Config{Heartbeat: -1}, fold.Sum[int](), func(m Message, c Continuation[int], count int) Continuation[int] {
			if count == 0 {
				<-gate
				c = c.Respond(Text(strings.Repeat("x", 100_000)))
			}
			return c.CarryWith(count + 1)
		})
		conn, _ := server.listener.dial(1000)
		p, err := New(Config{Heartbeat: -1}).Attach(t.Context(), conn).Get()
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if err := p.Send(ctx, Text(strings.Repeat("y", 400))).Err(); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
			cancel()
		}
		close(gate)
		synctest.Wait() // the server writes
		if err := p.Send(t.Context(), Text("small")).Err(); err != nil {
			t.Error(err)
		}
		if err := p.Close(t.Context()).Err(); err != nil {
			t.Error(err)
		}
	})
}

func TestSendOfALargeMessageReadsWhileItsServerPushesOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := attached(t, Config{Heartbeat: -1}, 1000)
		large := strings.Repeat("x", 2*wire.FlushAt)
		go func() {
			server.send(large) // reads nothing before all of it is read
			server.expect("start-ok", fmt.Sprintf("%q", fmt.Sprint(len(large), " bytes")))
			server.send(wire.KindAck)
		}()
		if err := p.Send(t.Context(), Text(large)).Err(); err != nil {
			t.Errorf("sending a large message to a server that sends one: %v", err)
		}
		p.Conn().Close()
	})
}

func TestWaitFinishesTheWriteOfASendThatGaveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		server := serve(t, Config{Heartbeat: -1}, fold.Sum[int](), func(m Message, c Continuation[int], count int) Continuation[int] {
			if count == 0 {
				<-gate
				return c.CarryWith(1)
			}
			return c.Respond(Text("done"))
		})
		conn, _ := server.listener.dial(1000)
		p, err := New(Config{Heartbeat: -1}).Attach(t.Context(), conn).Get()
		if err != nil {
			t.Fatal(err)
		}
		for _, content := range []string{"a", strings.Repeat("y", 100_000)} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if err := p.Send(ctx, Text(content)).Err(); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
			cancel()
		}
		close(gate)
		if m, err := p.Wait(t.Context()).Get(); m != Text("done") {
			t.Error(m, err)
		}
		p.Close(t.Context())
	})
}

func TestHandlerThatWaitsForTheEndOfItsConnectionSeesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := serve(t, Config{}, fold.Sum[int](), func(m Message, c Continuation[int], count int) Continuation[int] {
			<-c.Connection().Context().Done()
			return c.CarryWith(count + 1)
		})
		client := server.dial().greet()
		client.send("a")
		synctest.Wait()
		server.end()
		client.expect("ack", "close")
		client.conn.Close()
		interrupted(t, <-server.result, 1, context.Canceled)
	})
}

func TestAnswerThatCannotBeSentIsTheHandlersFaultAndStopCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		connections := make(chan *Connection, 1)
		config := Config{MaxMessage: 10, Log: slog.New(slog.NewTextHandler(&log, nil))}
		server := serve(t, config, fold.Sum[int](), func(m Message, c Continuation[int], count int) Continuation[int] {
			connections <- c.Connection()
			return c.Respond(Text("much too long")).CarryWith(count + 1).Stop()
		})
		client := server.dial().greet()
		client.send("a")
		client.expect("close")
		client.conn.Close()
		if carry, err := (<-server.result).Get(); carry != 0 || err != nil {
			t.Errorf("carried %d, %v", carry, err)
		}
		if err := (<-connections).Err(); !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), "handle") {
			t.Error(err)
		}
		if !strings.Contains(log.String(), "level=ERROR") {
			t.Error(log.String())
		}
	})
}

func TestRejectionNeedsNoReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener := newMemoryListener()
		client := listener.client(t, 0)
		go New(Config{}).Accept(listener)(t.Context(), func(c *Connection) bool {
			c.Exchanges().ForEach(t.Context(), func(x Exchange) { x.Reject(nil) })
			if err := c.Err(); !errors.Is(err, ErrRejected) || !strings.Contains(err.Error(), "rejected") {
				t.Error(err)
			}
			if err := c.Send(t.Context(), Text("late")); !errors.Is(err, net.ErrClosed) {
				t.Error(err)
			}
			return false
		})
		client.greet().send("a")
		client.expect("close")
		client.conn.Close()
		synctest.Wait()
	})
}

// TestEndedConnectionIsNotKeptByTheContextOfASend waits for the collector, which is
// told to work until it has found what the tests let go of.
func TestEndedConnectionIsNotKeptByTheContextOfASend(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ipc := New(Config{})
	for name, end := range map[string]func(*Connection){
		"before its end": func(c *Connection) { c.Send(ctx, Text("go away")); c.Close() },
		"after its end":  func(c *Connection) { c.Close(); c.Send(ctx, Text("too late")) },
	} {
		t.Run(name, func(t *testing.T) {
			ours, theirs := net.Pipe()
			go io.Copy(io.Discard, theirs)
			gone := make(chan struct{})
			c := newConnection(ours, &ipc.config, serverTimers(&ipc.config))
			runtime.AddCleanup(c, func(gone chan struct{}) { close(gone) }, gone)
			end(c)
			c = nil
			for {
				runtime.GC()
				select {
				case <-gone:
					return
				default:
				}
			}
		})
	}
}
