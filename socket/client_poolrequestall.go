package socket

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// RequestAll makes a request of each message that an observable emits, and emits the
// responses, in the order of the messages: [Pool.Request] as an operator.
//
//	answers := stream.Pipe3(lines, operators.Map(socket.Text), pool.RequestAll, operators.Map(socket.Message.Content))
//
// At most [PoolConfig].Connections times InFlight requests of a run are in flight, 16 by
// default, over all connections. The server may handle them at the same time and in another
// order. The source has a goroutine of its own, which is ahead of yield by twice as many
// messages at most.
//
// A run goes on across connections: like Request, it makes a request again that certainly was
// not handled, so no request fails by a restart in good order. When a request fails, or ctx
// ends, the run emits the responses to the messages before, and fails. The error has the
// number of the first message without a response, counted from 1, and the [*SendError] of its
// request. The requests in flight behind that one may have been handled, too.
//
// A message whose content the protocol reserves is left out, as in [Process.SendAll]: the run
// fails with ErrReserved after all others were answered. When the source fails, the run fails
// after the responses to all messages before. When yield returns false, the run gives up the
// requests under way. After Close, requests fail with net.ErrClosed.
func (p *Pool) RequestAll(messages stream.Observable[Message]) stream.Observable[Message] {
	mustHave("Pool.RequestAll", messages)
	limit := math.MaxInt
	if c := p.config; c.Connections < math.MaxInt/c.InFlight {
		limit = c.Connections * c.InFlight
	}
	return func(ctx context.Context, yield func(Message) bool) error {
		left := omission{config: &p.ipc.config, who: p}
		source := func(ctx context.Context, yield func(numbered) bool) error {
			return messages(ctx, func(m Message) bool {
				return left.out(m) || yield(numbered{left.came, m})
			})
		}
		var first firstFailure
		request := func(ctx context.Context, n numbered) (Message, error) {
			a, err := p.ask(ctx, n.message, false)
			if err != nil {
				err = p.failure(fmt.Errorf("message %d: %w", n.number, err))
				first.note(n.number, err)
			}
			return a.message, err
		}
		wanted := true
		err := operators.MapParallel(limit, request)(source)(ctx, func(m Message) bool {
			wanted = yield(m)
			return wanted
		})
		switch {
		case !wanted:
			return err
		case err != nil && ctx.Err() != nil && errors.Is(err, context.Cause(ctx)):
			if first.err != nil {
				return first.err
			}
			return p.failure(err)
		case err != nil && first.err != nil:
			return err
		}
		reserved := left.err()
		if reserved != nil {
			reserved = p.failure(reserved)
		}
		return joined(err, reserved)
	}
}

// numbered is a message and its number in the source, from 1 on.
type numbered struct {
	number  int
	message Message
}

// firstFailure keeps the failure with the lowest number.
type firstFailure struct {
	mu     sync.Mutex
	number int
	err    error
}

func (f *firstFailure) note(number int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil || number < f.number {
		f.number, f.err = number, err
	}
}
