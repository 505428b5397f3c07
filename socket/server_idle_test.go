package socket_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/sockettest"
)

var idler = socket.MustParseName("idler")

// serveIdle serves until the server ends by itself, and returns its carry.
func serveIdle(ctx context.Context, ipc *socket.IPC) fold.Attempt[int] {
	return socket.Serve(ipc, idler, fold.Sum[int]()).With(ctx, func(m socket.Message, c socket.Continuation[int], n int) socket.Continuation[int] {
		return c.Respond(m).CarryWith(n + 1)
	})
}

func TestIdleServerEndsAfterItsLastConnection(t *testing.T) {
	for what, c := range map[string]struct {
		alice, bob, server string
	}{
		"without a client":               {"", "", "50ms (0|)"},
		"after a client":                 {"a-b-|", "", "4ms 50ms (2|)"},
		"with a client that says little": {"a 200ms b-|", "", "203ms 50ms (2|)"},
		"with a second client in time":   {"a|", "40ms ^-b-|", "44ms 50ms (2|)"},
	} {
		t.Run(what, func(t *testing.T) {
			sockettest.Run(t, func(b *sockettest.Bench) {
				b.Config.IdleTimeout = 50 * time.Millisecond
				for _, client := range []string{c.alice, c.bob} {
					if client != "" {
						b.Client(idler, client)
					}
				}
				sockettest.Expect(b, serveIdle, c.server)
			})
		})
	}
}

func TestIdleServerWithNegativeTimeStays(t *testing.T) {
	sockettest.Run(t, func(b *sockettest.Bench) {
		b.Config.IdleTimeout = -1
		sockettest.Expect(b, serveIdle, " - 1h (0!)")
	})
}

// TestIdleServerCutsNoClient has clients that connect when a server is about to end. Each of
// them is served, by that server or by the next.
func TestIdleServerCutsNoClient(t *testing.T) {
	t.Run("in memory", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			if servers := askIdlers(t, sockettest.NewNetwork(), 300, 3*time.Millisecond); servers < 10 {
				t.Errorf("got %d servers, want at least 10", servers)
			}
		})
	})
	t.Run("over unix sockets", func(t *testing.T) {
		dir, err := os.MkdirTemp("", "rxipc")
		if err != nil {
			t.Fatalf("make a folder: got %v, want no error", err)
		}
		defer os.RemoveAll(dir)
		servers := askIdlers(t, socket.Unix{Dir: dir}, 100, time.Millisecond)
		t.Logf("%d servers", servers)
	})
}

// askIdlers has clients ask servers that end after an idle time and are started again. Each client
// begins about when the server ends. It returns the number of servers.
func askIdlers(t *testing.T, transport socket.Transport, clients int, idle time.Duration) (servers int) {
	ipc := socket.New(socket.Config{Transport: transport, ServerConfig: socket.ServerConfig{IdleTimeout: idle}})
	ctx, cancel := context.WithCancel(t.Context())
	handled := 0
	var serving, asking sync.WaitGroup
	serving.Go(func() { // a manager that starts the server again
		for ctx.Err() == nil {
			served := serveIdle(ctx, ipc)
			if err := served.Err(); err != nil && ctx.Err() == nil {
				t.Errorf("server %d: got %v, want that it ends by itself", servers, err)
			}
			servers, handled = servers+1, handled+socket.Carry(served).GetOr(0)
			time.Sleep(idle / 3)
		}
	})
	for i := range clients {
		asking.Go(func() {
			time.Sleep(time.Duration(i) * idle)
			text := fmt.Sprint(i)
			got, err := fold.Then(ipc.ConnectTo(ctx, idler), socket.Closing(ctx, socket.Request(ctx, socket.Text(text)))).Get()
			if err != nil || got.Content() != text {
				t.Errorf("request %d: got %q, %v; want its echo", i, got.Content(), err)
			}
		})
	}
	asking.Wait()
	cancel()
	serving.Wait()
	if handled != clients {
		t.Errorf("the servers handled %d messages, want %d", handled, clients)
	}
	return servers
}

// TestIdleServerLeavesTheSocketOfItsManager: a client that connects between two servers of one
// inherited socket waits in the queue for the second.
func TestIdleServerLeavesTheSocketOfItsManager(t *testing.T) {
	held, err := net.Listen("tcp", "127.0.0.1:0") // any kind with a queue
	if err != nil {
		t.Fatalf("listen on a free port: got %v, want a listener", err)
	}
	defer held.Close()
	ipc := socket.New(socket.Config{ServerConfig: socket.ServerConfig{IdleTimeout: time.Millisecond, Clients: socket.Anyone}})
	serve := func() fold.Attempt[int] {
		file, err := held.(*net.TCPListener).File()
		if err != nil {
			return fold.Fail[int](err)
		}
		listener, err := net.FileListener(file)
		if err = errors.Join(err, file.Close()); err != nil {
			return fold.Fail[int](err)
		}
		return socket.ServeConnections(ipc.Accept(listener), fold.Sum[int]()).With(t.Context(),
			func(m socket.Message, c socket.Continuation[int], n int) socket.Continuation[int] {
				return c.Respond(m).CarryWith(n + 1)
			})
	}
	if n, err := serve().Get(); n != 0 || err != nil {
		t.Fatalf("serve without a client: got %d, %v; want that it ends by itself", n, err)
	}
	conn, err := net.Dial("tcp", held.Addr().String())
	if err != nil {
		t.Fatalf("connect between two servers: got %v, want a place in the queue", err)
	}
	answer := make(chan error, 1)
	go func() {
		answer <- fold.Then(ipc.Attach(t.Context(), conn), socket.Closing(t.Context(), socket.Request(t.Context(), socket.Text("a")))).Err()
	}()
	n := 0
	for n == 0 && err == nil { // a server may end before it has accepted
		n, err = serve().Get()
	}
	if err != nil || n != 1 {
		t.Errorf("the servers after it: got %d messages, %v; want 1", n, err)
	}
	if err := <-answer; err != nil {
		t.Errorf("request through the queue: got %v, want an answer", err)
	}
}
