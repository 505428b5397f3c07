//go:build unix

package socket_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
)

const successorKey = "RXIPC_EXAMPLE_SUCCESSOR"

// The successor is a process of this program with the variable successorKey.
func init() {
	if dir, ok := os.LookupEnv(successorKey); ok {
		serveName(context.Background(), newServer(dir, nil), "the new process")
		os.Exit(0)
	}
}

func newServer(dir string, listening func(socket.Name)) *socket.IPC {
	return socket.New(socket.Config{
		Transport:    socket.Unix{Dir: dir, Inherit: true}, // takes the socket over, if there is one
		ServerConfig: socket.ServerConfig{Listening: listening},
	})
}

// serveName responds with a text, and ends after two connections.
func serveName(ctx context.Context, ipc *socket.IPC, text string) error {
	return socket.Serve(ipc, shouter, fold.Sum[int]()).
		Monitor(func(total int, next socket.Next[int]) socket.Next[int] {
			if total == 2 {
				return next.Finish()
			}
			return next
		}).
		With(ctx, func(m socket.Message, c socket.Continuation[int], count int) socket.Continuation[int] {
			return c.Respond(socket.Text(text)).CarryWith(count + 1)
		}).Err()
}

// A server hands its socket over to a new process of its program, and no client is refused.
func ExampleIPC_HandOver() {
	dir, err := os.MkdirTemp("", "rxipc")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	listening, served := make(chan socket.Name), make(chan error)
	ipc := newServer(dir, func(name socket.Name) { listening <- name })
	go func() { served <- serveName(ctx, ipc, "the old process") }()
	<-listening
	ask(ctx, ipc, shouter, "who?")

	successor := exec.Command(os.Args[0])
	successor.Env = append(os.Environ(), successorKey+"="+dir)
	if err := ipc.HandOver(ctx, successor); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("the old server has ended:", <-served) // its clients have left
	ask(ctx, ipc, shouter, "who?")
	ask(ctx, ipc, shouter, "who?")
	fmt.Println("the new process has ended:", successor.Wait())
	// Output:
	// client: the old process
	// the old server has ended: <nil>
	// client: the new process
	// client: the new process
	// the new process has ended: <nil>
}
