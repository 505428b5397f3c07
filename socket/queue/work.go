package queue

import (
	"context"
	"errors"
	"runtime/debug"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
)

// Handler does a job and returns its result. It is called for up to [Config].InFlight jobs at the
// same time. ctx ends with the lease of the job, and with the connection to the supervisor; the
// job is given to another worker then. An error or a panic is a failed attempt; see [Final].
type Handler func(ctx context.Context, job socket.Message) (socket.Message, error)

// Typed makes a Handler of a function on types of one's own. An error of decode is final, since
// another worker could not decode the job either. So is an error of encode.
func Typed[J, R any](decode func(socket.Message) (J, error), encode func(R) (socket.Message, error), do func(context.Context, J) (R, error)) Handler {
	return func(ctx context.Context, m socket.Message) (socket.Message, error) {
		job, err := decode(m)
		if err != nil {
			return socket.Message{}, Final(err)
		}
		result, err := do(ctx, job)
		if err != nil {
			return socket.Message{}, err
		}
		m, err = encode(result)
		return m, Final(err)
	}
}

// Work is a worker. It connects to the supervisor of a name, for which it waits, and has jobs done
// until the supervisor closes the connection. It emits each job when its answer has arrived, with
// the result or the error of the function. Attempts is how often the job was given to a worker,
// this time included.
//
// The run completes when the supervisor ends ([socket.ErrShutdown]): it has its outcomes, or was
// told to end. It fails when the connection ends otherwise. So operators.Retry makes a worker that
// outlives the death of its supervisor:
//
//	operators.Retry[queue.Done](operators.RetryPolicy{ResetOnValue: true})(queue.Work(ipc, name, handle))
//
// When the run ends, it ends the contexts of its functions, and waits for them. Their jobs are
// given to other workers.
func Work(ipc *socket.IPC, name socket.Name, handle Handler) stream.Observable[Done] {
	return func(ctx context.Context, yield func(Done) bool) error {
		p, err := ipc.ConnectTo(ctx, name).Get()
		if err != nil {
			return err
		}
		defer p.Close(context.WithoutCancel(ctx))
		return stream.Gather(1, func(g *stream.Group[Done]) {
			g.Go(func(ctx context.Context, _ func(Done) bool) error {
				connected, end := context.WithCancel(ctx)
				defer end()
				err := p.Send(ctx, ready).Err()
				for err == nil {
					var m socket.Message
					if m, err = p.Wait(ctx).Get(); err != nil {
						break
					}
					if job, ok := parseJob(m); ok {
						g.Go(func(_ context.Context, push func(Done) bool) error {
							return job.answer(connected, p, handle, push)
						})
					}
				}
				switch {
				case ctx.Err() != nil:
					return context.Cause(ctx)
				case errors.Is(err, socket.ErrShutdown):
					return nil
				}
				return err
			})
		})(ctx, yield)
	}
}

// answer does a job and sends the answer. It returns nil when the connection has ended, since the
// run learns that by itself.
func (g given) answer(connected context.Context, p *socket.Process, handle Handler, push func(Done) bool) error {
	ctx, end := lease(connected, g.lease)
	defer end()
	done := Done{Job: g.message, Attempts: g.attempt}
	done.Result, done.Err = handle.call(ctx, g.message)
	if connected.Err() != nil {
		return nil
	}
	err := p.Send(connected, resultMessage(g.id, done.Result, done.Err)).Err()
	if isUnsendable(err) {
		done.Err = Final(err)
		err = p.Send(connected, resultMessage(g.id, socket.Message{}, done.Err)).Err()
	}
	if err == nil {
		push(done)
	}
	return nil
}

// call calls the function, and returns a panic as an error with the stack.
func (h Handler) call(ctx context.Context, m socket.Message) (result socket.Message, err error) {
	defer func() {
		if value := recover(); value != nil {
			result, err = socket.Message{}, &stream.PanicError{Value: value, Stack: debug.Stack()}
		}
	}()
	return h(ctx, m)
}
