package socket

import (
	"context"

	"github.com/rxipc/rxipc/fold"
)

// Send is [Process.Send] as a step of a chain:
//
//	fold.Chain2(ipc.ConnectTo(ctx, name), socket.Send(ctx, hello), socket.Wait(ctx))
func Send(ctx context.Context, messages ...Message) func(*Process) fold.Attempt[*Process] {
	return func(p *Process) fold.Attempt[*Process] { return p.Send(ctx, messages...) }
}

// Wait is [Process.Wait] as the last step of a chain.
func Wait(ctx context.Context) func(*Process) fold.Attempt[Message] {
	return func(p *Process) fold.Attempt[Message] { return p.Wait(ctx) }
}

// Request is [Process.Request] as the last step of a chain.
func Request(ctx context.Context, m Message) func(*Process) fold.Attempt[Message] {
	return func(p *Process) fold.Attempt[Message] { return p.Request(ctx, m) }
}

// Closing is a step of a chain that closes the process after the step, also after a failure. A
// failure to close fails a step that succeeded. Where ctx may have ended by then, close with
// context.WithoutCancel(ctx): [Config.Grace] limits the time.
func Closing[T any](ctx context.Context, step func(*Process) fold.Attempt[T]) func(*Process) fold.Attempt[T] {
	return func(p *Process) fold.Attempt[T] {
		closed := false
		defer func() { // also when step panics
			if !closed {
				p.Close(ctx)
			}
		}()
		result := step(p)
		closed = true
		if err := p.Close(ctx).Err(); err != nil && result.Err() == nil {
			return fold.Fail[T](err)
		}
		return result
	}
}
