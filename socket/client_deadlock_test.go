package socket

import (
	"context"
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
		p := must(t, "attach to the connection", New(Config{Heartbeat: -1}).Attach(t.Context(), conn))
		for range 5 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			fails(t, "send a large message", p.Send(ctx, Text(strings.Repeat("y", 400))).Err(), context.DeadlineExceeded)
			cancel()
		}
		close(gate)
		synctest.Wait() // the server writes
		succeeds(t, "send small", p.Send(t.Context(), Text("small")).Err())
		succeeds(t, "close the process", p.Close(t.Context()).Err())
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
		p := must(t, "attach to the connection", New(Config{Heartbeat: -1}).Attach(t.Context(), conn))
		for _, content := range []string{"a", strings.Repeat("y", 100_000)} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			fails(t, "send what the server does not read yet", p.Send(ctx, Text(content)).Err(), context.DeadlineExceeded)
			cancel()
		}
		close(gate)
		receives(t, "wait for a message", p.Wait(t.Context()), "done")
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
			t.Errorf("the server carried %d and ended with %v, want nothing carried and no error", carry, err)
		}
		says(t, "a connection whose answer is too large", (<-connections).Err(), []error{ErrTooLarge}, "handle")
		if !strings.Contains(log.String(), "level=ERROR") {
			t.Errorf("the log of an answer that is too large is %q, want an error", log.String())
		}
	})
}

func TestRejectNeedsNoReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener := newMemoryListener()
		client := listener.client(t, 0)
		go New(Config{}).Accept(listener)(t.Context(), func(c *Connection) bool {
			c.Exchanges().ForEach(t.Context(), func(x Exchange) { x.Reject(nil) })
			says(t, "a connection whose message was rejected", c.Err(), []error{ErrRejected}, "rejected")
			fails(t, "send late", c.Send(t.Context(), Text("late")), net.ErrClosed)
			return false
		})
		client.greet().send("a")
		client.expect("close")
		client.conn.Close()
		synctest.Wait()
	})
}

// TestConnectionThatEndedIsNotKeptByTheContextOfASend waits for the collector, which is
// told to work until it has found what the tests let go of.
func TestConnectionThatEndedIsNotKeptByTheContextOfASend(t *testing.T) {
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
