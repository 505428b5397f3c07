package socket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/rxipc/rxipc/fold"
)

const (
	// firstPause and longestPause bound how long a client waits before it looks for
	// a server again; the pause doubles from one to the other.
	firstPause   = time.Millisecond
	longestPause = 50 * time.Millisecond

	// probeTime is how long a server may take to answer a probe.
	probeTime = time.Second

	// probesAtOnce bounds how many servers are probed at the same time.
	probesAtOnce = 16
)

// ConnectTo connects to the server of a name. It waits for the server to appear, and
// for its handshake, until ctx ends; without a deadline, as long as it takes. A
// server whose queue of connections is full, or that goes away in the middle of the
// handshake, is tried again after a pause of 1 ms that doubles up to 50 ms.
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
		if ctx.Err() == nil {
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
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, ErrDisconnected) || isReset(err)
}

// try connects once.
func (ipc *IPC) try(ctx context.Context, name Name) (*Process, error) {
	conn, err := ipc.config.Transport.Dial(ctx, name)
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
	return p, nil
}

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

// Closing is a step of a chain that closes the process after it, however it went. A
// failure to close is a failure only of a step that succeeded. Where ctx may have
// ended by then, close with context.WithoutCancel(ctx): [Config.Grace] bounds it.
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

// Processes lists, in order, the names that a server answers on now. Each is asked
// by going through a whole session with it, which disturbs no server of either
// dialect; one that does not answer within a second is not listed.
func (ipc *IPC) Processes(ctx context.Context) fold.Attempt[[]Name] {
	names, err := ipc.config.Transport.Names(ctx)
	if err != nil {
		return fold.Fail[[]Name](&Error{Op: "list", Err: err})
	}
	alive := make([]bool, len(names))
	var probes sync.WaitGroup
	free := make(chan struct{}, probesAtOnce)
	for i, name := range names {
		free <- struct{}{}
		probes.Go(func() {
			defer func() { <-free }()
			alive[i] = ipc.answers(ctx, name)
		})
	}
	probes.Wait()
	if ctx.Err() != nil {
		return fold.Fail[[]Name](&Error{Op: "list", Err: context.Cause(ctx)})
	}
	for i := len(names) - 1; i >= 0; i-- {
		if !alive[i] {
			names = slices.Delete(names, i, i+1)
		}
	}
	return fold.Succeed(names)
}

// answers reports whether a server answers on the name: one that is too busy to
// accept is there, too.
func (ipc *IPC) answers(ctx context.Context, name Name) bool {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	conn, err := ipc.config.Transport.Dial(ctx, name)
	if err != nil {
		return errors.Is(err, ErrBusy)
	}
	return probe(ctx, conn) == nil
}
