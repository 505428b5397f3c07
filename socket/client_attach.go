package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket/internal/framed"
	"github.com/rxipc/rxipc/socket/internal/probe"
)

// Attach makes a Process of a connection of any kind that delivers bytes in order. It does the
// client's side of the handshake until ctx ends. The Process owns the connection. When Attach
// fails, the connection is closed.
func (ipc *IPC) Attach(ctx context.Context, conn net.Conn) fold.Attempt[*Process] {
	p, err := ipc.attach(ctx, conn, Name{}, knownPeer(conn))
	if err != nil {
		return fold.Fail[*Process](&Error{Op: "attach", Err: gaveUp(ctx, err)})
	}
	return fold.Succeed(p)
}

// attach does the handshake. When ctx ends first, the error says what was missing, without
// ctx's cause.
func (ipc *IPC) attach(ctx context.Context, conn net.Conn, name Name, peer fold.Maybe[Peer]) (*Process, error) {
	if ipc.invalid != nil {
		conn.Close()
		return nil, ipc.invalid
	}
	p := newProcess(conn, name, peer, &ipc.config)
	p.ipc = ipc
	err := p.await(ctx, p.config.MaxUnread, func() bool { return p.debts.handshake.Load() != awaitsStart && p.err == nil })
	if err != nil {
		p.shut(net.ErrClosed)
		return nil, noHandshake(ctx, err)
	}
	p.connected()
	return p, nil
}

func newProcess(conn net.Conn, name Name, peer fold.Maybe[Peer], config *Config) *Process {
	p := &Process{
		config:     config,
		id:         connectionIDs.Add(1),
		name:       name,
		peer:       peer,
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

// noHandshake returns why the handshake was not completed.
func noHandshake(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, ErrDisconnected), errors.Is(err, ErrProtocol), errors.Is(err, ErrTooLarge), errors.Is(err, ErrTooSlow):
		return err // the server gave the reason, or broke the protocol
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

// dial connects to a server that this process trusts, and returns it, too. It leaves another one as a probe does,
// since a server of innmind/ipc 5.0 would end otherwise.
func (ipc *IPC) dial(ctx context.Context, name Name) (_ net.Conn, peer fold.Maybe[Peer], err error) {
	if ipc.invalid != nil {
		return nil, peer, ipc.invalid
	}
	conn, err := ipc.config.Transport.Dial(ctx, name)
	if err != nil {
		return nil, peer, err
	}
	trusted := false
	defer func() {
		if !trusted { // also when the authorizer panics
			conn.Close()
		}
	}()
	if peer, err = authorize(ipc.config.Servers, conn); err != nil {
		_ = probe.Visit(ctx, conn)
		return nil, peer, fmt.Errorf("%w: %w", ErrUntrusted, err)
	}
	trusted = true
	return conn, peer, nil
}
