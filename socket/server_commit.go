package socket

import (
	"context"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket/internal/wire"
	"github.com/rxipc/rxipc/stream"
)

// Commit is a stage for group commit: it has many held exchanges stored at once, for instance with
// one fsync, and then acknowledges all of them. So an acknowledged message is on disk, and each sync
// serves many messages:
//
//	stream.Pipe3(
//		socket.Exchanges(ipc.Listen(name)),
//		operators.Map(socket.Exchange.Hold),
//		operators.BufferTimeOrCount[*socket.Held](time.Millisecond, 1000),
//		socket.Commit(func(ctx context.Context, batch []*socket.Held) error {
//			for _, h := range batch {
//				fmt.Fprintln(file, h.Content())
//			}
//			return file.Sync()
//		}),
//	)
//
// An exchange is answered with what it had responded before Hold, in the order of its connection's
// messages, with one write for each connection of a batch. Commit passes over exchanges that store
// has answered or rejected itself, and over connections that have ended: what it stored of them stays stored. It
// emits each batch when its acknowledgements are on their way. What a client does not read at once is
// written later, by the goroutine of its connection. Commit waits for that client if it still has not
// read the rest at the next batch, up to [ServerConfig.WriteTimeout].
//
// The run fails with the error of store. The messages of that batch are not acknowledged then, and
// clients may send them again.
//
// [ServerConfig.MaxHeld], 64 by default, limits how many exchanges of one connection a batch can
// have: set it to the size of a batch, or to [ClientConfig.Window]. [ServerConfig.MaxHeldBytes] limits
// their memory.
func Commit(store func(ctx context.Context, batch []*Held) error) stream.Operator[[]*Held, []*Held] {
	return func(batches stream.Observable[[]*Held]) stream.Observable[[]*Held] {
		return func(ctx context.Context, yield func([]*Held) bool) error {
			return operators.MapErr(func(batch []*Held) ([]*Held, error) {
				if err := store(ctx, batch); err != nil {
					return nil, err
				}
				return batch, acknowledge(ctx, batch)
			})(batches)(ctx, yield)
		}
	}
}

// acknowledge answers exchanges without further responses, in one write for each connection. It
// fails only if ctx ends.
func acknowledge(ctx context.Context, batch []*Held) error {
	for _, held := range byConnection(batch) {
		if err := held[0].c.acknowledge(ctx, held); err != nil && ctx.Err() != nil {
			return &Error{Op: "commit", Err: err}
		}
	}
	return nil
}

// byConnection parts a batch by connections, in the order of their first exchanges.
func byConnection(batch []*Held) (parts [][]*Held) {
	places := map[*Connection]int{}
	for _, h := range batch {
		place, known := places[h.c]
		if !known {
			place = len(parts)
			places[h.c] = place
			parts = append(parts, nil)
		}
		parts[place] = append(parts[place], h)
	}
	return parts
}

// acknowledge answers exchanges of the connection. What it does not take at once, its goroutine
// writes.
func (c *Connection) acknowledge(ctx context.Context, batch []*Held) error {
	answered, err := c.answerAll(ctx, batch)
	for _, h := range answered {
		c.callHandled(h.entry.Info, nil)
	}
	return err
}

// answerAll returns the exchanges that it has answered.
func (c *Connection) answerAll(ctx context.Context, batch []*Held) (answered []*Held, err error) {
	if err := c.frames.Lock(ctx); err != nil {
		return nil, err
	}
	defer c.frames.Unlock()
	for _, h := range batch {
		if h.answered.CompareAndSwap(false, true) && c.answers.Answer(&h.entry, func(*wire.Output) { h.entry.Info.answered() }) {
			answered = append(answered, h)
		}
	}
	c.answers.MoveHeld(&c.frames.Out)
	return answered, c.closedOr(ctx, c.frames.FlushNow())
}
