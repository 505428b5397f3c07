package systemd_test

import (
	"context"
	"fmt"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/systemd"
)

// A server tells the manager of services that it is ready when it listens, and that it is
// about to end.
func ExampleNotify() {
	ctx := context.Background()
	_ = socket.Config{
		Transport:    socket.Unix{Inherit: true},
		ServerConfig: socket.ServerConfig{Listening: func(socket.Name) { systemd.Notify(ctx, systemd.Ready, systemd.Status("counting")) }},
	}
	fmt.Println(systemd.Notify(ctx, systemd.Stopping)) // no manager has started this example
	// Output: <nil>
}
