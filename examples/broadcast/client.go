package main

import (
	"context"
	"fmt"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
)

// listen waits for the room and prints what is said in it, until the room closes or
// ctx ends; even then it takes its leave.
func listen(ctx context.Context, ipc *socket.IPC, name socket.Name) error {
	hear := func(p *socket.Process) fold.Attempt[*socket.Process] {
		return fold.Try(p, p.Messages().ForEach(ctx, printMessage))
	}
	return fold.Then(ipc.ConnectTo(ctx, name), socket.Closing(context.WithoutCancel(ctx), hear)).Err()
}

// say waits for the room and says something in it.
func say(ctx context.Context, ipc *socket.IPC, name socket.Name, text string) error {
	return fold.Then(ipc.ConnectTo(ctx, name), socket.Closing(ctx, socket.Send(ctx, socket.Text(text)))).Err()
}

func printMessage(m socket.Message) { fmt.Println(m.Content()) }
