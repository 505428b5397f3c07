package socket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/rxipc/rxipc/fold"
)

const (
	// firstPause and longestPause bound how long a client waits before it looks for
	// a server again; the pause doubles from one to the other.
	firstPause   = time.Millisecond
	longestPause = 50 * time.Millisecond
)

// ConnectTo connects to the server of a name. It waits for the server to appear, and
// for its handshake, until ctx ends; without a deadline, as long as it takes. A
// server whose queue of connections is full, or that goes away in the middle of the
// handshake, is tried again after a pause of 1 ms that doubles up to 50 ms.
//
// A server that [Config.Servers] does not trust is an error at once: by default one of
// another user, and fs.ErrPermission. So is a folder that others may change, and one that
// greets in another way: ErrProtocol, or ErrTooSlow after [Config.FrameTimeout] for what
// looks like the beginning of a frame.
//
// When ctx ends first it fails with ctx's cause and the reason of the last try:
// mostly ErrNotListening.
func (ipc *IPC) ConnectTo(ctx context.Context, name Name) fold.Attempt[*Process] {
	if err := name.check(); err != nil {
		return fold.Fail[*Process](&Error{Op: "connect", Err: err})
	}
	var last error
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		p, err := ipc.try(ctx, name)
		if err == nil {
			return fold.Succeed(p)
		}
		if ctx.Err() == nil && !metDeadline(err) {
			if last = err; !comesBack(err) {
				return fold.Fail[*Process](connectError(name, err))
			}
		}
		if sleep(ctx, pause) != nil {
			return fold.Fail[*Process](connectError(name, gaveUp(ctx, last)))
		}
	}
}

// gaveUp joins the end of ctx and the reason of the last try before it.
func gaveUp(ctx context.Context, last error) error {
	cause := context.Cause(ctx)
	var e *Error
	switch {
	case last == nil:
		return cause
	case errors.As(last, &e):
		last = e.Err // the operation is told already
	}
	return fmt.Errorf("%w: %w", cause, last)
}

func connectError(name Name, err error) error {
	return &Error{Op: "connect", Name: name.String(), Err: err}
}

// comesBack reports whether a failure to connect may pass with time.
func comesBack(err error) bool {
	return errors.Is(err, ErrNotListening) || errors.Is(err, ErrBusy) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, ErrDisconnected) || isReset(err) ||
		metDeadline(err)
}

// metDeadline reports whether a failure to dial comes of a context's deadline, which the
// dialer may meet before the context does.
func metDeadline(err error) bool { return isTimeout(err) && !errors.Is(err, ErrTooSlow) }

// try connects once.
func (ipc *IPC) try(ctx context.Context, name Name) (*Process, error) {
	conn, err := ipc.dial(ctx, name)
	if err != nil {
		return nil, err
	}
	return ipc.attach(ctx, conn, name)
}

// Attach makes a Process of a connection that was made elsewhere, of any kind that
// delivers bytes in order, by doing the client's side of the handshake, until ctx
// ends. The Process owns the connection; when Attach fails, that is closed.
func (ipc *IPC) Attach(ctx context.Context, conn net.Conn) fold.Attempt[*Process] {
	p, err := ipc.attach(ctx, conn, Name{})
	if err != nil {
		return fold.Fail[*Process](&Error{Op: "attach", Err: err})
	}
	return fold.Succeed(p)
}

func (ipc *IPC) attach(ctx context.Context, conn net.Conn, name Name) (*Process, error) {
	p := newProcess(conn, name, &ipc.config)
	err := p.await(ctx, p.config.MaxUnread, func() bool { return p.started && p.err == nil })
	if err != nil {
		p.shut(net.ErrClosed)
		return nil, err
	}
	p.connected()
	return p, nil
}
