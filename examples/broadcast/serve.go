package main

import (
	"context"
	"strconv"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
)

// waiting is how many messages wait at most for one client; beyond, the oldest that
// it has not been sent make room.
const waiting = 16

// serve is a room: the observable of what is said in it, and to all its clients.
func serve(ipc *socket.IPC, name socket.Name) stream.Observable[socket.Message] {
	return stream.Defer(func() stream.Observable[socket.Message] {
		said := new(stream.Subject[socket.Message])
		sessions := operators.MergeMap(func(c *socket.Connection) stream.Observable[socket.Message] {
			return session(c, said)
		})
		return operators.Merge(
			sessions(ipc.Listen(name)),
			rollCall(said),
		)
	})
}

// session is what one client says, given to all; and, beside, what all say, sent to
// this one for as long as its connection lasts. A message is acknowledged when all
// have it waiting for them.
func session(c *socket.Connection, said *stream.Subject[socket.Message]) stream.Observable[socket.Message] {
	pushing := func(ctx context.Context, _ func(socket.Message) bool) error {
		return said.Observe(waiting, stream.DropOldest)(ctx, func(m socket.Message) bool {
			return c.Send(ctx, m) == nil
		})
	}
	return operators.Merge(
		operators.Tap(said.Next)(c.Messages()),
		operators.TakeUntilDone[socket.Message](c.Context())(pushing),
	)
}

// here is the media type of a roll call: how many are here.
var here = socket.MustParseMediaType("text/x-here")

// rollCall tells all how many are here, whenever that has changed. A subject
// remembers nothing: whoever is counted hears what is said from then on.
func rollCall(said *stream.Subject[socket.Message]) stream.Observable[socket.Message] {
	before := 0
	return stream.Pipe4(
		stream.Interval(50*time.Millisecond),
		operators.Map(func(int) int { return said.Observers() }),
		operators.Filter(func(now int) bool {
			changed := now != before
			before = now
			return changed
		}),
		operators.Map(func(now int) socket.Message { return socket.NewMessage(here, strconv.Itoa(now)) }),
		operators.Tap(said.Next),
	)
}
