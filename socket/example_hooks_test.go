package socket_test

import (
	"context"
	"fmt"
	"os"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
)

// Hooks see each message and each connection; a handler that panics ends its own.
func ExampleHooks() {
	dir, err := os.MkdirTemp("", "rxipc")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	server := socket.New(socket.Config{Dir: dir, Hooks: socket.Hooks{
		ServerHooks: socket.ServerHooks{
			Handled: func(h socket.Handling) {
				if h.Err != nil {
					fmt.Println(h.Message.Content(), "failed:", socket.Reason(h.Err))
					return
				}
				fmt.Println(h.Message.Content(), "has", h.Responses, "response of", h.Bytes, "bytes")
			},
			Closed: func(e socket.Ending) { fmt.Println("closed:", socket.Reason(e.Err)) },
		},
	}})
	client := socket.New(socket.Config{Dir: dir})
	ctx := context.Background()
	name := socket.MustParseName("divider")
	go func() {
		fold.Then(client.ConnectTo(ctx, name), socket.Closing(ctx, socket.Send(ctx, socket.Text("4"), socket.Text("0"))))
	}()
	served, err := socket.Serve(server, name, fold.Sum[int]()).
		Monitor(func(_ int, next socket.Next[int]) socket.Next[int] { return next.Finish() }).
		With(ctx, func(m socket.Message, c socket.Continuation[int], count int) socket.Continuation[int] {
			var divisor int
			fmt.Sscan(m.Content(), &divisor)
			return c.Respond(socket.Text(fmt.Sprint(100 / divisor))).CarryWith(count + 1)
		}).Get()
	fmt.Println("served", served, err)
	// Output:
	// 4 has 1 response of 2 bytes
	// 0 failed: panic
	// closed: panic
	// served 1 <nil>
}

func ExampleReason() {
	fmt.Println(socket.Reason(nil), socket.Reason(fmt.Errorf("read: %w", socket.ErrTooLarge)))
	// Output: closed too_large
}

// A program that rather ends than goes on after a panic.
func ExampleServer_LetPanic() {
	dir, err := os.MkdirTemp("", "rxipc")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	ipc := socket.New(socket.Config{Dir: dir})
	ctx := context.Background()
	name := socket.MustParseName("strict")
	go func() {
		fold.Then(ipc.ConnectTo(ctx, name), socket.Send(ctx, socket.Text("what nobody expects")))
	}()
	defer func() {
		p := recover().(*stream.PanicError)
		fmt.Println("the server ended:", p.Value)
	}()
	socket.Serve(ipc, name, fold.Sum[int]()).
		LetPanic().
		With(ctx, func(m socket.Message, c socket.Continuation[int], count int) socket.Continuation[int] {
			panic(m.Content())
		})
	// Output: the server ended: what nobody expects
}
