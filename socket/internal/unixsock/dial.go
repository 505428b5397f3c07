package unixsock

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"time"

	"github.com/rxipc/rxipc/operators"
)

// longAgo is the deadline that ends a blocked read, write or accept at once.
var longAgo = time.Unix(1, 0)

// dialUnix connects to the socket at path. It explains the error, and returns the cause if ctx is
// done before.
func dialUnix(ctx context.Context, path string) (*net.UnixConn, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, explainDial(err)
	}
	return conn.(*net.UnixConn), nil
}

// whileDenied is how Dial tries again, for an eighth of a second, while the system denies
// permission: a new socket is private until it listens.
var whileDenied = operators.RetryPolicy{Times: 7, Delay: time.Millisecond, MaxDelay: time.Second, Jitter: -1,
	If: func(err error) bool { return errors.Is(err, fs.ErrPermission) }}

// undenied calls dial, and again as long as the system denies permission.
func undenied(ctx context.Context, dial func(context.Context) (*net.UnixConn, error)) (net.Conn, error) {
	return operators.Retry[net.Conn](whileDenied)(func(ctx context.Context, yield func(net.Conn) bool) error {
		conn, err := dial(ctx)
		if err == nil {
			yield(conn)
		}
		return err
	}).First(ctx).Get()
}

// explainDial adds ErrNotListening or ErrBusy to an error of connecting, which it wraps, too.
func explainDial(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), isRefused(err):
		return fmt.Errorf("%w: %w", ErrNotListening, err)
	case isBusy(err):
		return fmt.Errorf("%w: %w", ErrBusy, err)
	}
	return err
}
