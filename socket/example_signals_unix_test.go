//go:build unix

package socket_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
)

func ExampleNotifyContext() {
	ipc, remove := inNewDir()
	defer remove()
	name := socket.MustParseName("patient")
	ctx, stop := socket.NotifyContext(context.Background())
	defer stop()
	go func() {
		say(ipc, name, "hello")
		self, _ := os.FindProcess(os.Getpid())
		self.Signal(syscall.SIGTERM) // somebody runs kill
	}()
	served := socket.Serve(ipc, name, fold.Sum[int]()).
		With(ctx, func(m socket.Message, c socket.Continuation[int], count int) socket.Continuation[int] {
			return c.Respond(m).CarryWith(count + 1)
		})
	var signal *socket.SignalError
	fmt.Println("ended by a signal:", errors.As(served.Err(), &signal))
	fmt.Println("carried", socket.Carry(served).GetOr(0))
	// Output:
	// client: hello
	// ended by a signal: true
	// carried 1
}
