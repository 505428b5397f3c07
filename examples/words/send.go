package main

import (
	"context"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
)

// send waits until the server listens and sends the lines, one message each.
func send(ctx context.Context, ipc *socket.IPC, name socket.Name, lines []string) error {
	var messages []socket.Message
	for _, line := range lines {
		messages = append(messages, socket.Text(line))
	}
	return fold.Then(ipc.ConnectTo(ctx, name), socket.Closing(ctx, socket.Send(ctx, messages...))).Err()
}
