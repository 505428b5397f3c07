package main

import (
	"context"
	"fmt"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/nats/journal"
	"github.com/rxipc/rxipc/stream"
)

// count is the number of messages in the journal.
var count = journal.State[int]{
	Name:   "count",
	Monoid: fold.Sum[int](),
	Of:     func(journal.Entry) int { return 1 },
}

// serve answers each message with itself, and counts it. It ends with message until, or after a
// signal, and prints the number of messages, of this run and those before.
func serve(ctx context.Context, config socket.Config, name socket.Name, place string, until int) error {
	j, err := journal.Open(ctx, place, name.String(), journal.Config{})
	if err != nil {
		return err
	}
	defer j.Close()
	config.Listening = func(name socket.Name) { fmt.Println("listening on", name) }

	counted := stream.Pipe5(
		socket.Exchanges(socket.New(config).Listen(name)),
		operators.TakeUntilDone[socket.Exchange](ctx),
		operators.MapErr(func(x socket.Exchange) (socket.Exchange, error) { return x, x.Respond(x.Message) }),
		j.Commit,
		count.Fold(j),
		operators.TakeWhile(func(c journal.Carry[int]) bool { return c.Value < until }, operators.Inclusive),
	).Last(context.WithoutCancel(ctx))

	carry, err := counted.Get()
	if err != nil {
		return err
	}
	fmt.Println("counter:", carry.Value)
	return context.Cause(ctx)
}
