package main

import (
	"context"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
)

const (
	// waiting is how many messages wait at most for one client; beyond, the oldest that
	// it has not been sent make room.
	waiting = 16

	// remembered is how many messages one who comes gets first, the last ones.
	remembered = 16
)

// serve is a room: the observable of what is said in it, and to all its clients.
func serve(ipc *socket.IPC, name socket.Name) stream.Observable[socket.Message] {
	return stream.Defer(func() stream.Observable[socket.Message] {
		said := stream.NewReplaySubject[socket.Message](remembered, 0)
		sessions := operators.MergeMap(func(c *socket.Connection) stream.Observable[socket.Message] {
			return session(c, said)
		})
		return sessions(ipc.Listen(name))
	})
}

// session is what one client says, given to all; and, beside, what all say, sent to
// this one for as long as its connection lasts. A message is acknowledged when all
// have it waiting for them: before Merge, which buffers.
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
