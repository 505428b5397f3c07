package main

import (
	"context"
	"fmt"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
)

// serve answers each message with itself. It ends when the ended connections had sent until
// messages, or after a signal, and prints the number of messages.
func serve(ctx context.Context, name socket.Name, config socket.Config, until int) error {
	config.Listening = func(name socket.Name) { fmt.Println("listening on", name) }
	served := count(ctx, socket.New(config), name, until)
	if count, carried := socket.Carry(served).Get(); carried { // also after a signal
		fmt.Println("counter:", count)
	}
	return served.Err()
}

// count is the server of serve. It returns the number of messages.
func count(ctx context.Context, ipc *socket.IPC, name socket.Name, until int) fold.Attempt[int] {
	return socket.Serve(ipc, name, fold.Sum[int]()).
		Monitor(func(total int, next socket.Next[int]) socket.Next[int] {
			if until > 0 && total >= until {
				return next.Finish()
			}
			return next
		}).
		With(ctx, func(m socket.Message, c socket.Continuation[int], count int) socket.Continuation[int] {
			return c.Respond(m).CarryWith(count + 1)
		})
}
