package socket

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
)

// ConnectTo connects to the server of a name. It waits for the server and for its handshake
// until ctx ends. When the server's queue of connections is full, or the server goes away in
// the middle of the handshake, ConnectTo tries again after a pause of 1 ms that doubles up to
// 50 ms. Over [Unix] it costs little to wait for a server: all calls of the IPC share one watch
// of the folder, which reports a server at once. Over another Transport ConnectTo tries every
// 50 ms. [IPC.Dial] does not wait for a server.
//
// These fail at once:
//
//   - ErrUntrusted: [ClientConfig.Servers] does not trust the server, by default because it is of another user
//   - ErrRefused: the server does not let this process in, for another reason than a lack of
//     room
//   - a folder that others may change
//   - ErrProtocol: the server speaks another protocol, which the error names if its first
//     bytes are known
//   - ErrTooSlow: the server began something like a frame, and did not end it within
//     [Config.FrameTimeout]
//
// When ctx ends first it fails with ctx's cause and the reason of the last try:
// ErrNotListening, ErrBusy, or ErrNoHandshake when it was connected and nothing came.
func (ipc *IPC) ConnectTo(ctx context.Context, name Name) fold.Attempt[*Process] {
	if err := cmp.Or(name.check(), ipc.invalid); err != nil {
		return fold.Fail[*Process](connectError(name, err))
	}
	var last error
	source := func(ctx context.Context, yield func(*Process) bool) error {
		p, err := ipc.reach(ctx, name, untilConnected, func(err error) error {
			last = lastReason(ctx, err, last)
			return err
		})
		if err == nil {
			yield(p)
		}
		return err
	}
	p, err := operators.Retry[*Process](untilConnected.policy)(source).First(ctx).Get()
	if err != nil {
		return fold.Fail[*Process](connectError(name, gaveUp(ctx, last)))
	}
	return fold.Succeed(p)
}

// Dial connects to the server of a name now, in one try. It fails at once with
// ErrNotListening when nobody listens, with ErrBusy when the server's queue of connections is
// full, with ErrNoHandshake when the server goes away in the middle of the handshake, and with
// the errors that ConnectTo fails with at once. It waits for the handshake until ctx ends,
// since the server may be busy.
func (ipc *IPC) Dial(ctx context.Context, name Name) fold.Attempt[*Process] {
	if err := name.check(); err != nil {
		return fold.Fail[*Process](&Error{Op: "dial", Err: err})
	}
	p, err := ipc.try(ctx, name)
	if err != nil {
		return fold.Fail[*Process](&Error{Op: "dial", Name: name.String(), Err: gaveUp(ctx, err)})
	}
	return fold.Succeed(p)
}

// lastReason returns why the last try failed, as far as it tells about the server: err, or last
// if err only comes of the end of ctx. An end during the handshake tells about the server.
func lastReason(ctx context.Context, err, last error) error {
	if ctx.Err() == nil && !metDeadline(err) || errors.Is(err, ErrNoHandshake) {
		return err
	}
	return last
}

func connectError(name Name, err error) error {
	return &Error{Op: "connect", Name: name.String(), Err: err}
}

// Connect makes a further connection to the server of this process's name, in one try, as
// [IPC.Dial] does: for a long answer, for instance, that must not hold up the calls of this
// process. A process that [IPC.Attach] made has no name, so Connect fails with
// [errors.ErrUnsupported] there.
func (p *Process) Connect(ctx context.Context) fold.Attempt[*Process] {
	if p.name.IsZero() {
		return fold.Fail[*Process](&Error{Op: "connect", Err: fmt.Errorf("%w: "+
			"the connection was attached and has no name, so there is nothing to connect to again", errors.ErrUnsupported)})
	}
	return p.ipc.Dial(ctx, p.name)
}

// Connect makes a connection to the name of the pool, which is none of its own, as
// [IPC.ConnectTo] does.
func (p *Pool) Connect(ctx context.Context) fold.Attempt[*Process] {
	return p.ipc.ConnectTo(ctx, p.name)
}
