package nats_test

import (
	"context"
	"fmt"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/nats"
	"github.com/rxipc/rxipc/socket/nats/broker"
)

// A program that counts on this machine counts for others after one change: the Transport. The
// broker is in this process here, and could be a cluster.
func Example() {
	b, err := broker.Start("")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()
	conn, err := b.Connect()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	ipc := socket.New(socket.Config{Transport: nats.Transport(conn, nats.Config{})})

	ctx, stop := context.WithCancel(context.Background())
	go func() {
		defer stop()
		answer := fold.Then(ipc.ConnectTo(ctx, counter), socket.Request(ctx, socket.Text("hello")))
		fmt.Println(answer.Get())
	}()
	total := socket.Serve(ipc, counter, fold.Sum[int]()).
		With(ctx, func(m socket.Message, c socket.Continuation[int], count int) socket.Continuation[int] {
			return c.Respond(m).CarryWith(count + 1)
		})
	fmt.Println(socket.Carry(total).GetOr(0), "message")
	// Output:
	// text/plain (5 bytes) <nil>
	// 1 message
}
