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
// default, over all connections. The server may handle them in another order, and at the
// same time. At most twice as many messages have been read of the source whose responses
// yield has not returned from; the source has a goroutine of its own.
//
// A run goes on across connections: a request that was not handled for sure is made again,
// as Request does it, so a restart in good order fails none. A request that fails ends the
// run after the responses to those before. The error has the number of its message, the
// first being 1, and the [*SendError] of that request alone. Later ones, as many as may be
// in flight, may have been handled. The same is so when ctx ends: the error is that of the
// first request without a response.
//
// A message whose content the protocol reserves is left out alone, as in
// [Process.SendAll]: the run fails with ErrReserved after all others were answered. A
// failure of the source ends a run after the responses to all messages before. When yield
// wants no more, the requests under way are given up. After Close, requests fail with
// net.ErrClosed.
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
			answer, err := p.request(ctx, n.message)
			if err != nil {
				err = p.failure(fmt.Errorf("message %d: %w", n.number, err))
				first.note(n.number, err)
			}
			return answer, err
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

// failure makes the structured error of a request.
func (p *Pool) failure(err error) error {
	return &Error{Op: "request", Name: p.name.String(), Err: err}
}

// numbered is a message, and which of its source's it is, from 1 on.
type numbered struct {
	number  int
	message Message
}

// firstFailure is that of the first of the messages whose requests failed.
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
