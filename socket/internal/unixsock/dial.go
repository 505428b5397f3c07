package unixsock

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"time"
)

// longAgo is the deadline that ends a blocked read, write or accept at once.
var longAgo = time.Unix(1, 0)

// dialUnix connects to the socket at path, its errors explained.
func dialUnix(ctx context.Context, path string) (*net.UnixConn, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, explainDial(err)
	}
	return conn.(*net.UnixConn), nil
}

// undenied dials again, for an eighth of a second, while the system denies permission: a new
// socket is private until it listens.
func undenied(ctx context.Context, dial func() (*net.UnixConn, error)) (net.Conn, error) {
	for pause := time.Millisecond; ; pause *= 2 {
		conn, err := dial()
		switch {
		case err == nil:
			return conn, nil
		case !errors.Is(err, fs.ErrPermission) || pause > 64*time.Millisecond:
			return nil, err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, context.Cause(ctx)
		}
	}
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
