package main

import (
	"context"
	"fmt"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
)

// listen connects to the server, which may start later, and prints its messages. It returns when
// the server closes the connection, or when ctx ends. In both cases it closes in an orderly way.
func listen(ctx context.Context, ipc *socket.IPC, name socket.Name) error {
	hear := func(p *socket.Process) fold.Attempt[*socket.Process] {
		return fold.Try(p, p.Messages().ForEach(ctx, printMessage))
	}
	return fold.Then(ipc.ConnectTo(ctx, name), socket.Closing(context.WithoutCancel(ctx), hear)).Err()
}

// say connects to the server, which may start later, and sends a message.
func say(ctx context.Context, ipc *socket.IPC, name socket.Name, text string) error {
	return fold.Then(ipc.ConnectTo(ctx, name), socket.Closing(ctx, socket.Send(ctx, socket.Text(text)))).Err()
}

func printMessage(m socket.Message) { fmt.Println(m.Content()) }
