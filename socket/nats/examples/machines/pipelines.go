package main

import (
	"context"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
)

// serve answers each message with itself. It ends when the ended connections had sent until
// messages, and returns their number.
func serve(ctx context.Context, ipc *socket.IPC, name socket.Name, until int) fold.Attempt[int] {
	return socket.Serve(ipc, name, fold.Sum[int]()).
		Monitor(func(total int, next socket.Next[int]) socket.Next[int] {
			if total >= until {
				return next.Finish()
			}
			return next
		}).
		With(ctx, func(m socket.Message, c socket.Continuation[int], count int) socket.Continuation[int] {
			return c.Respond(m).CarryWith(count + 1)
		})
}

// send waits until the server listens, sends the message times times over one connection, and waits
// for each answer.
func send(ctx context.Context, ipc *socket.IPC, name socket.Name, m socket.Message, times int) error {
	talk := func(p *socket.Process) fold.Attempt[*socket.Process] {
		for range times {
			if err := fold.Then(p.Send(ctx, m), socket.Wait(ctx)).Err(); err != nil {
				return fold.Fail[*socket.Process](err)
			}
		}
		return fold.Succeed(p)
	}
	return fold.Then(ipc.ConnectTo(ctx, name), socket.Closing(ctx, talk)).Err()
}
