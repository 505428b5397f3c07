package socket

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"

	"github.com/rxipc/rxipc/socket/internal/unixsock"
	"github.com/rxipc/rxipc/stream"
)

// Listen is the connections of clients to the name. Listening begins with the run
// and ends with it: two runs at a time are two servers, of which the second fails
// with ErrInUse.
//
// A connection belongs to who receives it, beyond the end of the run: it is read,
// which ends with its being closed, or closed by hand; a stage that drops one closes
// it. One that yield panicked with, or refused because ctx had ended, is closed. To
// serve several names, merge what their connections are mapped to, not the connections:
// those that wait in a Merge when it ends are dropped, and closed only once memory is
// collected.
//
// Who may connect is up to [ServerConfig.Clients], and how many at a time to
// [ServerConfig.MaxConnections] and [ServerConfig.MaxPerUser]. While yield runs nobody is
// accepted: clients wait in the queue of the system, see [Unix.Backlog].
//
// The run completes when yield has had enough, or once the name was given to another
// process, see [IPC.HandOver]. A socket file that is removed meanwhile, by a cleaner of old
// files say, is made again within a second or two; one that another server replaces is left
// to that. Config.Log and [Hooks].SocketLost tell so, and clients that are connected stay.
//
// Otherwise it ends with ctx, or fails when the listener
// does; [operators.TakeUntilDone] is how to stop listening in an orderly way.
func (ipc *IPC) Listen(name Name) stream.Observable[*Connection] {
	return func(ctx context.Context, yield func(*Connection) bool) error {
		if err := cmp.Or(name.check(), ipc.invalid); err != nil {
			return ofName("listen", name, err)
		}
		listener, err := ipc.config.Transport.Listen(ctx, name)
		if err != nil {
			return ofName("listen", name, err)
		}
		defer listener.Close()
		defer ipc.listeners.Add(name.text, listener)()
		defer ipc.lookAfter(name, listener)()
		ipc.config.Listening(name)
		return ipc.accept(ctx, name.String(), listener, yield)
	}
}

// Accept is the connections that a listener accepts, of any kind that delivers
// bytes in order. The run owns the listener and closes it; what Listen says holds
// but for that. So it is hot: a second run finds the listener closed.
//
// The run also completes when Accept of the listener fails with io.EOF, which means that no
// more connections come: the listener of [One] does that. If all connections of the listener
// were ends of socketpairs, to which nobody can connect again, the run completes when all of
// them have ended, and closes the listener.
func (ipc *IPC) Accept(listener net.Listener) stream.Observable[*Connection] {
	return func(ctx context.Context, yield func(*Connection) bool) error {
		defer listener.Close()
		if ipc.invalid != nil {
			return &Error{Op: "accept", Err: ipc.invalid}
		}
		return ipc.accept(ctx, listener.Addr().String(), listener, yield)
	}
}

func (ipc *IPC) accept(ctx context.Context, name string, listener net.Listener, yield func(*Connection) bool) error {
	defer context.AfterFunc(ctx, func() { listener.Close() })()
	acceptor, timers := newAcceptor(&ipc.config, name, listener), serverTimers(&ipc.config)
	pairs := &pairs{listener: listener}
	for {
		conn, admission, err := acceptor.next(ctx)
		switch {
		case errors.Is(err, unixsock.ErrHandedOver):
			ipc.config.Log.Info("handed over", "name", name)
			return nil
		case errors.Is(err, io.EOF), err != nil && pairs.over():
			return nil
		case err != nil:
			return err
		}
		c := newConnection(conn, &ipc.config, timers)
		c.admission = admission
		pairs.add(c)
		if !c.offer(ctx, yield) {
			return nil
		}
	}
}

// offer gives the connection to yield, and reports whether to go on. It is closed if
// yield has not begun to read it and panicked, or refused it because ctx had ended.
func (c *Connection) offer(ctx context.Context, yield func(*Connection) bool) (more bool) {
	unwound := true
	defer func() {
		if (unwound || !more && ctx.Err() != nil) && !c.claimed.Load() {
			c.Close()
		}
	}()
	more = yield(c)
	unwound = false
	return more
}
