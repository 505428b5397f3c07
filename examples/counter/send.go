package main

import (
	"context"
	"fmt"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
)

// send waits until the server listens, sends the message times times over one connection, and
// prints each answer.
func send(ctx context.Context, ipc *socket.IPC, name socket.Name, m socket.Message, times int) error {
	talk := func(p *socket.Process) fold.Attempt[*socket.Process] {
		for range times {
			answer, err := fold.Then(p.Send(ctx, m), socket.Wait(ctx)).Get()
			if err != nil {
				return fold.Fail[*socket.Process](err)
			}
			fmt.Println("server responded", answer.Content())
		}
		return fold.Succeed(p)
	}
	return fold.Then(ipc.ConnectTo(ctx, name), socket.Closing(ctx, talk)).Err()
}
