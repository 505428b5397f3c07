package socket

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket/internal/unixsock"
	"github.com/rxipc/rxipc/stream"
)

// Listen emits the connections of clients to the name. Listening begins and ends with the run.
// Two runs at the same time are two servers, so the second one fails with ErrInUse, or waits with
// [ServerConfig.AwaitName].
//
// A connection belongs to its receiver, also after the end of the run. The receiver reads it,
// which closes it in the end, or closes it. A stage that drops a connection must close it. The
// run closes a connection with which yield panicked, or which yield refused because ctx had
// ended. To serve several names, merge the results of their connections, not the connections:
// a Merge that ends drops the connections that wait in it, and they are closed only when
// memory is collected.
//
// [ServerConfig.Clients] decides which clients may connect, [ServerConfig.MaxConnections] and
// [ServerConfig.MaxPerUser] limit their number. While yield runs, no connection is accepted:
// clients wait in the queue of the system, see [Unix.Backlog].
//
// The run completes when yield returns false, when the name was handed over to another process
// (see [IPC.HandOver]), or after [ServerConfig.IdleTimeout] without a connection. If the socket
// file is removed during the run, by a cleaner of old files for instance, it is made again within
// two seconds. If another server replaces it, the run leaves that file alone. Both are reported to
// Config.Log and [ServerHooks.SocketLost], and connected clients stay.
//
// The run fails when ctx ends, or when the listener fails. [operators.TakeUntilDone] stops
// listening in an orderly way.
func (ipc *IPC) Listen(name Name) stream.Observable[*Connection] {
	return func(ctx context.Context, yield func(*Connection) bool) error {
		if err := cmp.Or(name.check(), ipc.invalid); err != nil {
			return ofName("listen", name, err)
		}
		listener, err := ipc.listen(ctx, name)
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

// listen makes the name reachable. It waits for a name in use if the config says so.
func (ipc *IPC) listen(ctx context.Context, name Name) (net.Listener, error) {
	transport := ipc.config.Transport
	if !ipc.config.AwaitName {
		return transport.Listen(ctx, name)
	}
	if w, ok := transport.(awaiter); ok {
		return w.listenWhenFree(ctx, name)
	}
	var last error
	listener, err := operators.Retry[net.Listener](whileInUse)(func(ctx context.Context, yield func(net.Listener) bool) error {
		l, err := transport.Listen(ctx, name)
		if last = err; err == nil {
			yield(l)
		}
		return err
	}).First(ctx).Get()
	if err != nil {
		return nil, gaveUp(ctx, last)
	}
	return listener, nil
}

// whileInUse is how a server tries again to listen where nothing tells it that a name is free.
var whileInUse = operators.RetryPolicy{Delay: longestPause, MaxDelay: longestPause, Jitter: -1,
	If: func(err error) bool { return errors.Is(err, ErrInUse) }}

// Accept emits the connections that a listener accepts. They may be of any kind that delivers
// bytes in order. Accept is [IPC.Listen] with two differences. The run owns the listener and
// closes it, so it is hot: a second run finds the listener closed. The run also completes when
// Accept of the listener fails with io.EOF, which means that no more connections come, as with
// [One].
//
// Nobody can connect to a socketpair again. So if all connections of the listener were ends of
// socketpairs, the run completes when all of them have ended, and closes the listener.
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
	open := newOpenCount(listener, ipc.config.IdleTimeout)
	defer open.stop()
	for {
		conn, admission, err := acceptor.next(ctx)
		switch {
		case errors.Is(err, unixsock.ErrHandedOver):
			ipc.config.Log.Info("handed over", "name", name)
			return nil
		case errors.Is(err, io.EOF), err != nil && open.isOver():
			return nil
		case err != nil:
			return err
		}
		c := newConnection(conn, &ipc.config, timers)
		c.admission = admission
		open.add(c)
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
