package socket_test

import (
	"context"
	"fmt"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
)

// A server that echoes messages and counts them, and a client. Mostly they are two programs.
func Example() {
	ctx := context.Background()
	ipc, remove := inNewDir() // a program says socket.New(socket.Config{})
	defer remove()
	name := socket.MustParseName("echo")

	total := make(chan fold.Attempt[int])
	go func() {
		total <- socket.Serve(ipc, name, fold.Sum[int]()).
			Monitor(func(_ int, next socket.Next[int]) socket.Next[int] { return next.Finish() }). // after one connection
			With(ctx, func(m socket.Message, c socket.Continuation[int], count int) socket.Continuation[int] {
				return c.Respond(m).CarryWith(count + 1)
			})
	}()

	process, err := ipc.ConnectTo(ctx, name).Get() // waits for the server
	if err != nil {
		fmt.Println(err)
		return
	}
	answer, err := process.Request(ctx, socket.Text("hello")).Get()
	fmt.Println(answer.Content(), err)
	process.Close(ctx)
	fmt.Println((<-total).Get())
	// Output:
	// hello <nil>
	// 1 <nil>
}
