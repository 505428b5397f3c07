package otel_test

import (
	"fmt"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/otel"
)

// Hooks of the global providers, for all servers and clients of an IPC. See the example of Hooks for
// what they report.
func Example() {
	hooks, err := otel.Hooks(otel.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	ipc := socket.New(socket.Config{Hooks: hooks})
	fmt.Println(ipc != nil, hooks.Handled != nil)
	// Output: true true
}
