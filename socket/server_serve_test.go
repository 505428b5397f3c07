package socket_test

import (
	"context"
	"os"
	"sync"
	"testing"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
)

// newIPC is an IPC in a folder of its own, with a path short enough for a socket.
func newIPC(t testing.TB, config socket.Config) *socket.IPC {
	t.Helper()
	dir, err := os.MkdirTemp("", "rxipc")
	if err != nil {
		t.Fatalf("make a folder: %v", err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	config.Dir = dir
	return socket.New(config)
}

func TestServerCountsMessagesOfManyClients(t *testing.T) {
	ipc := newIPC(t, socket.Config{})
	name := socket.MustParseName("counter")
	var clients sync.WaitGroup
	for range 42 {
		clients.Go(func() {
			answer := fold.Then(ipc.ConnectTo(t.Context(), name),
				socket.Closing(t.Context(), func(p *socket.Process) fold.Attempt[socket.Message] {
					return fold.Then(p.Send(t.Context(), socket.Text("hello world")), socket.Wait(t.Context()))
				}))
			m, err := answer.Get()
			if err != nil || m != socket.Text("hello world") {
				t.Errorf("send hello world and wait: got %v, %v, want it back", m, err)
			}
		})
	}
	total, err := socket.Serve(ipc, name, fold.Sum[int]()).
		Monitor(func(total int, next socket.Next[int]) socket.Next[int] {
			if total == 42 {
				return next.Finish()
			}
			return next
		}).
		With(context.Background(), func(m socket.Message, c socket.Continuation[int], count int) socket.Continuation[int] {
			return c.Respond(m).CarryWith(count + 1)
		}).Get()
	clients.Wait()
	if total != 42 || err != nil {
		t.Fatalf("serve 42 clients: got %d, %v, want 42", total, err)
	}
}
