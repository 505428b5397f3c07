package socket

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket/internal/framed"
	"github.com/rxipc/rxipc/socket/internal/probe"
	"github.com/rxipc/rxipc/socket/internal/wire"
)

// ConnectTo connects to the server of a name. It waits for the server to appear, and
// for its handshake, until ctx ends; without a deadline, as long as it takes. A
// server whose queue of connections is full, or that goes away in the middle of the
// handshake, is tried again after a pause of 1 ms that doubles up to 50 ms. A name that
// nobody listens on costs next to nothing to wait for over [Unix]: all calls of the IPC
// share one watch of the folder, which tells of a server as soon as it is there. Over
// another Transport it is asked for every 50 ms. [IPC.Dial] does not wait for a server.
//
// A server that [ClientConfig.Servers] does not trust is an error at once, ErrUntrusted: by
// default one of another user. So is a server that says that it does not let this process
// in, ErrRefused, but for a want of room. So is a folder that others may change, and a server that speaks
// another protocol: ErrProtocol, which names the protocol if its first bytes are known, or
// ErrTooSlow after [Config.FrameTimeout] for what looks like the beginning of a frame.
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
// ErrNotListening when nobody listens, and with ErrBusy when the server's queue of
// connections is full. What else fails at once in ConnectTo does here, too, as does a
// server that goes away in the middle of the handshake: ErrNoHandshake. Only for the
// handshake does it wait until ctx ends, since a server that is there may be busy.
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

// lastReason is the reason known last why a try failed, after one more did: the end of
// ctx tells nothing about the server, unless it came during the handshake.
func lastReason(ctx context.Context, err, last error) error {
	if ctx.Err() == nil && !metDeadline(err) || errors.Is(err, ErrNoHandshake) {
		return err
	}
	return last
}

func connectError(name Name, err error) error {
	return &Error{Op: "connect", Name: name.String(), Err: err}
}

// comesBack reports whether a failure to connect may pass with time.
func comesBack(err error) bool {
	if errors.Is(err, ErrRefused) && !errors.Is(err, ErrBusy) {
		return false
	}
	return errors.Is(err, ErrNotListening) || errors.Is(err, ErrBusy) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, ErrDisconnected) || framed.IsReset(err) ||
		errors.Is(err, ErrNoHandshake) || errors.Is(err, ErrSilent) || metDeadline(err)
}

// metDeadline reports whether a failure to dial comes of a context's deadline, which the
// dialer may meet before the context does. The system calls a full queue a timeout, too.
func metDeadline(err error) bool {
	return wire.IsTimeout(err) && !errors.Is(err, ErrTooSlow) && !errors.Is(err, ErrBusy)
}

// try connects once.
func (ipc *IPC) try(ctx context.Context, name Name) (*Process, error) {
	conn, err := ipc.dial(ctx, name)
	if e, structured := err.(*Error); structured && e.Name == name.text {
		return nil, e.Err // who tries says what for
	}
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
		return fold.Fail[*Process](&Error{Op: "attach", Err: gaveUp(ctx, err)})
	}
	return fold.Succeed(p)
}

// attach does the handshake. When ctx ends first it fails with what was missing, and does
// not tell ctx's cause.
func (ipc *IPC) attach(ctx context.Context, conn net.Conn, name Name) (*Process, error) {
	if ipc.invalid != nil {
		conn.Close()
		return nil, ipc.invalid
	}
	p := newProcess(conn, name, &ipc.config)
	err := p.await(ctx, p.config.MaxUnread, func() bool { return p.debts.handshake.Load() != awaitsStart && p.err == nil })
	if err != nil {
		p.shut(net.ErrClosed)
		return nil, noHandshake(ctx, err)
	}
	p.connected()
	return p, nil
}

// noHandshake is why the handshake was not completed.
func noHandshake(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, ErrDisconnected), errors.Is(err, ErrProtocol), errors.Is(err, ErrTooLarge), errors.Is(err, ErrTooSlow):
		return err // the server's own words, or what they were instead
	case errors.Is(err, ErrSilent):
		return fmt.Errorf("%w: %w", ErrNoHandshake, err)
	case framed.IsGone(err):
		return fmt.Errorf("%w: the server closed the connection before it said anything: it may be about to end, "+
			"not let this process in, or speak another protocol: %w", ErrNoHandshake, err)
	case ctx.Err() != nil:
		return fmt.Errorf("%w: connected, but the server said nothing: it may be stopped or overloaded, "+
			"have as many connections as it may, or speak another protocol", ErrNoHandshake)
	}
	return err
}

func newProcess(conn net.Conn, name Name, config *Config) *Process {
	p := &Process{
		config:     config,
		id:         connectionIDs.Add(1),
		name:       name,
		peer:       knownPeer(conn),
		deliveries: newDeliveryLog(&config.Hooks),
	}
	p.frames = framed.New(conn, newTimers(config, framed.Never, framed.Never), nil, &p.debts)
	p.frames.Greeted = true // it is up to the context how long that may take
	p.came = p.frames.Now()
	p.frames.Join(&p.frames)
	p.debts.timer = time.AfterFunc(time.Hour, p.flushDebts)
	p.debts.timer.Stop()
	return p
}

// dial connects to a server that this process may talk to. It takes leave of another
// as a probe does: a server of innmind/ipc 5.0 would not survive less.
func (ipc *IPC) dial(ctx context.Context, name Name) (net.Conn, error) {
	if ipc.invalid != nil {
		return nil, ipc.invalid
	}
	conn, err := ipc.config.Transport.Dial(ctx, name)
	if err != nil {
		return nil, err
	}
	trusted := false
	defer func() {
		if !trusted { // also when what is asked panics
			conn.Close()
		}
	}()
	if _, err := authorize(ipc.config.Servers, conn); err != nil {
		_ = probe.Visit(ctx, conn)
		return nil, fmt.Errorf("%w: %w", ErrUntrusted, err)
	}
	trusted = true
	return conn, nil
}
