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

	served := socket.Serve(socket.New(config), name, fold.Sum[int]()).
		Monitor(func(total int, next socket.Next[int]) socket.Next[int] {
			if until > 0 && total >= until {
				return next.Finish()
			}
			return next
		}).
		With(ctx, func(m socket.Message, c socket.Continuation[int], count int) socket.Continuation[int] {
			return c.Respond(m).CarryWith(count + 1)
		})

	if count, carried := socket.Carry(served).Get(); carried { // also after a signal
		fmt.Println("counter:", count)
	}
	return served.Err()
}
