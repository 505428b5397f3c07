package socket

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket/internal/wire"
	"github.com/rxipc/rxipc/stream"
)

// explode is echo, and panics or exits when it is told to.
func explode(m Message, c Continuation[int], count int) Continuation[int] {
	switch m.Content() {
	case "panic":
		panic(io.ErrClosedPipe)
	case "nil":
		var nowhere *int
		*nowhere++
	}
	return echo(m, c, count)
}

func TestHandlerThatPanicsEndsItsConnectionAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ended []Ending
		config := Config{Hooks: Hooks{ServerHooks: ServerHooks{Closed: func(e Ending) { ended = append(ended, e) }}}}
		server := serve(t, config, fold.Sum[int](), explode)
		bad, good := server.dial().greet(), server.dial().greet()
		bad.send("one", "two", "panic", "never handled")
		bad.expect("ack", `"echo: one"`, "ack", `"echo: two"`, "close")
		bad.send(wire.KindCloseOK)
		bad.expect("EOF")
		synctest.Wait()
		good.send("three")
		good.expect("ack", `"echo: three"`)
		good.leave()
		server.end()
		interrupted(t, <-server.result, 3, context.Canceled)

		err := ended[0].Connection.Err()
		var p *stream.PanicError
		if !errors.As(err, &p) || p.Value != any(io.ErrClosedPipe) || !errors.Is(err, io.ErrClosedPipe) {
			t.Fatalf("serve a handler that panics: got the error %v, want a PanicError with io.ErrClosedPipe", err)
		}
		if !strings.Contains(string(p.Stack), "socket.explode") {
			t.Errorf("the stack of the error is %s, want that of the panic", p.Stack)
		}
		if ended[0].Err != err || ended[1].Err != nil {
			t.Errorf("the connections ended with %v, want %v and no error", ended, err)
		}
	})
}

func TestHandlerPanicOfTheRuntimeIsKeptFromTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		server := serve(t, Config{Log: slog.New(slog.NewTextHandler(&log, nil))}, fold.Sum[int](), explode)
		client := server.dial().greet()
		client.send("nil")
		client.expect("close")
		client.send(wire.KindCloseOK)
		client.expect("EOF")
		server.end()
		interrupted(t, <-server.result, 0, context.Canceled)
		contains(t, "the log", log.String(), "level=ERROR", `msg="connection ended"`, "reason=panic", "nil pointer", "socket.explode")
	})
}

func TestHandlerThatExitsEndsTheServerAfterAllIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ended error
		config := Config{Hooks: Hooks{ServerHooks: ServerHooks{Closed: func(e Ending) { ended = e.Err }}}}
		listener := newMemoryListener()
		exited := make(chan bool)
		go func() {
			returned := false
			defer func() { exited <- !returned && recover() == nil }()
			ServeConnections(New(config).Accept(listener), fold.Sum[int]()).
				With(t.Context(), func(Message, Continuation[int], int) Continuation[int] {
					runtime.Goexit()
					return Continuation[int]{}
				})
			returned = true
		}()
		conn, err := listener.dial(0)
		if err != nil {
			t.Fatalf("dial the listener: %v", err)
		}
		client := newPeer(t, conn).greet()
		client.send("one")
		client.expect("EOF")
		if !<-exited {
			t.Error("With returned, or panicked; want the handler's exit")
		}
		if Reason(ended) != "panic" {
			t.Errorf("the connection ended with %v, want the reason panic", ended)
		}
	})
}

func TestPipelineThatPanicsPassesItUpAndTells(t *testing.T) {
	boom := func(Exchange) { panic("boom") }
	for name, pipeline := range map[string]func(context.Context, stream.Observable[*Connection]) error{
		"merged": func(ctx context.Context, connections stream.Observable[*Connection]) error {
			return Exchanges(connections).ForEach(ctx, boom)
		},
		"of one connection": func(ctx context.Context, connections stream.Observable[*Connection]) error {
			return connections.ForEach(ctx, func(c *Connection) { c.Exchanges().ForEach(ctx, boom) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				told := make(chan string, 9)
				config := Config{Hooks: Hooks{
					ServerHooks: ServerHooks{Handled: func(h Handling) { told <- "handled " + Reason(h.Err) }, Closed: func(e Ending) { told <- "closed " + Reason(e.Err) }},
				}}
				listener := newMemoryListener()
				panicked := make(chan any)
				go func() {
					defer func() { panicked <- recover() }()
					pipeline(t.Context(), New(config).Accept(listener))
				}()
				conn, err := listener.dial(0)
				if err != nil {
					t.Fatalf("dial the listener: %v", err)
				}
				client := newPeer(t, conn).greet()
				client.send("one")
				if got := client.next(); got == "close" { // the merge may have time to say so
					client.send(wire.KindCloseOK)
					client.expect("EOF")
				} else if got != "EOF" {
					t.Errorf("the client received %s, want close or EOF", got)
				}
				if value := <-panicked; value != "boom" {
					t.Errorf("the pipeline panicked with %v, want boom", value)
				}
				same(t, []string{<-told, <-told}, "handled panic", "closed panic")
			})
		})
	}
}
