package socket

import (
	"context"

	"github.com/rxipc/rxipc/socket/systemd"
)

// Ready is the state that a server tells by [Notify] when it listens: [systemd.Ready].
const Ready = systemd.Ready

// Notify is [systemd.Notify] without a limit to its time, for a server's Config.Listening:
//
//	socket.Config{Listening: func(socket.Name) { socket.Notify(socket.Ready) }}
func Notify(states ...string) error { return systemd.Notify(context.Background(), states...) }
