package socket

import (
	"context"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// FollowConfig says how [IPC.Follow] follows a name. The zero FollowConfig just listens.
type FollowConfig struct {
	// Subscribe is called with each new connection, before its messages are emitted, to tell
	// the server what is wanted. The function [Subscribe] makes one that sends messages.
	// Messages between the end of the last connection and this call were missed. An error of a
	// broken connection makes the run connect again. Another error ends it.
	Subscribe func(context.Context, *Process) error

	// Lost is called when a connection is lost, after its last message, with the reason:
	// ErrDisconnected if the server closed it, io.ErrUnexpectedEOF if that just went
	// away. From here to the next Subscribe there is a gap.
	Lost func(error)

	// Retry says how long a run waits before it connects again, and how often; by
	// default from 10 ms to 1 s, without end. Each connection made starts its count
	// afresh. Without Delay and Times, a run whose name has no server waits for news of one,
	// as ConnectTo does, and then connects at once. A nil If retries failures that pass with
	// time: the server is not there, went away, or is too slow.
	Retry operators.RetryPolicy
}

// Subscribe is a [FollowConfig.Subscribe] that sends messages.
func Subscribe(messages ...Message) func(context.Context, *Process) error {
	return func(ctx context.Context, p *Process) error { return p.Send(ctx, messages...).Err() }
}

// Follow emits the messages of a name, across restarts of its server. It connects, and emits
// [Process.Messages]. When the connection is lost, it connects again after a pause. Subscribe
// and Lost are called on the goroutine of the run, between the messages, so a gap shows where
// it is.
//
// It does not complete by itself. It fails with ctx's cause, and with it the reason why there
// is no connection if there is none then. It fails with an error that Retry does not retry,
// such as ErrProtocol, ErrUntrusted or ErrRefused, or when Retry has tried often enough. The connection
// is closed in an orderly way when the run ends, which [Config.Grace] bounds.
func (ipc *IPC) Follow(name Name, config FollowConfig) stream.Observable[Message] {
	keep := keepUp(config.Retry)
	retry := operators.Retry[followed](keep.policy)
	return func(ctx context.Context, yield func(Message) bool) error {
		if err := name.check(); err != nil {
			return &Error{Op: "follow", Err: err}
		}
		var last error // why there is no connection
		err := retry(ipc.following(name, config, keep, &last))(ctx, func(f followed) bool {
			return f.connected || yield(f.message)
		})
		if err != nil && last != nil && ctx.Err() != nil {
			return &Error{Op: "follow", Name: name.text, Err: gaveUp(ctx, last)}
		}
		return err
	}
}

// followed is a message, or the event that a connection was made.
type followed struct {
	connected bool
	message   Message
}

// following connects once and emits what comes. It keeps in last why there is no connection.
func (ipc *IPC) following(name Name, config FollowConfig, keep keeping, last *error) stream.Observable[followed] {
	return func(ctx context.Context, yield func(followed) bool) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		p, err := ipc.reach(ctx, name, keep, func(err error) error {
			*last = lastReason(ctx, err, *last)
			return err
		})
		switch {
		case err != nil && ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return connectError(name, err)
		}
		*last = nil
		defer p.Close(context.WithoutCancel(ctx))
		wanted, err := p.relay(ctx, config.Subscribe, yield)
		switch {
		case !wanted:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case config.Lost != nil && p.gone() != nil:
			config.Lost(p.gone())
		}
		*last = p.gone()
		return err
	}
}

// relay subscribes and emits the messages of one connection.
func (p *Process) relay(ctx context.Context, subscribe func(context.Context, *Process) error, yield func(followed) bool) (wanted bool, err error) {
	if subscribe != nil {
		if err := subscribe(ctx, p); err != nil {
			return true, err
		}
	}
	if !yield(followed{connected: true}) {
		return false, nil
	}
	for {
		if ctx.Err() != nil {
			return true, context.Cause(ctx)
		}
		m, err := p.Wait(ctx).Get()
		if err != nil {
			return true, err
		}
		if !yield(followed{message: m}) {
			return false, nil
		}
	}
}
