package main

import (
	"context"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
)

const (
	// waiting is the highest number of messages that wait for one client. Beyond it, the
	// server drops the oldest of them.
	waiting = 16

	// remembered is the number of last messages that a new client gets first.
	remembered = 16
)

// serve returns the observable of the messages of all clients. Its run sends each message to all
// clients.
func serve(ipc *socket.IPC, name socket.Name) stream.Observable[socket.Message] {
	return stream.Defer(func() stream.Observable[socket.Message] {
		said := stream.NewReplaySubject[socket.Message](remembered, 0)
		sessions := operators.MergeMap(func(c *socket.Connection) stream.Observable[socket.Message] {
			return session(c, said)
		})
		return sessions(ipc.Listen(name))
	})
}

// session publishes the messages of one client. At the same time it sends the messages of all to
// this client, until its connection ends. A message is acknowledged when it is in the buffers of
// all clients: before Merge, which buffers.
func session(c *socket.Connection, said *stream.Subject[socket.Message]) stream.Observable[socket.Message] {
	pushing := func(ctx context.Context, _ func(socket.Message) bool) error {
		return said.Observe(waiting, stream.DropOldest)(ctx, func(m socket.Message) bool {
			return c.Send(ctx, m) == nil
		})
	}
	saying := operators.MapErr(func(x socket.Exchange) (socket.Message, error) {
		said.Next(x.Message)
		return x.Message, x.Respond()
	})
	return operators.Merge(
		saying(c.Exchanges()),
		operators.TakeUntilDone[socket.Message](c.Context())(pushing),
	)
}
