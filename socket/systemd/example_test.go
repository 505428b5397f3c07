package systemd_test

import (
	"context"
	"fmt"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/systemd"
)

// The server notifies the service manager when it listens, and when it is about to end.
func ExampleNotify() {
	ctx := context.Background()
	_ = socket.Config{
		Transport:    socket.Unix{Inherit: true},
		ServerConfig: socket.ServerConfig{Listening: func(socket.Name) { systemd.Notify(ctx, systemd.Ready, systemd.Status("counting")) }},
	}
	fmt.Println(systemd.Notify(ctx, systemd.Stopping)) // no manager has started this example
	// Output: <nil>
}
