package socket

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"sync"
)

// unixListener is a listener together with the lock on its name.
type unixListener struct {
	*net.UnixListener
	path string
	info fs.FileInfo // of the socket, as it was made
	lock *lockFile

	closing sync.Once
}

// listenLocked listens at path. The caller holds lock, which goes to the listener
// when there is one.
func listenLocked(ctx context.Context, path string, lock *lockFile) (*unixListener, error) {
	if err := clearStale(ctx, path); err != nil {
		return nil, err
	}
	config := net.ListenConfig{Control: restrictDescriptor}
	plain, err := config.Listen(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	inner := plain.(*net.UnixListener)
	info, err := secureSocket(path)
	if err != nil {
		return nil, errors.Join(err, inner.Close())
	}
	inner.SetUnlinkOnClose(false) // by path alone it would remove anybody's
	return &unixListener{UnixListener: inner, path: path, info: info, lock: lock}, nil
}

// secureSocket finishes the permissions of a socket just made at path and returns
// what it is.
func secureSocket(path string) (fs.FileInfo, error) {
	if err := restrictPath(path); err != nil {
		return nil, err
	}
	return os.Lstat(path)
}

// Close removes the socket, stops listening and frees the name, in this order:
// whoever finds the name free finds no socket of ours.
func (l *unixListener) Close() (err error) {
	l.closing.Do(func() {
		err = errors.Join(
			removeSame(l.path, l.info),
			l.UnixListener.Close(),
			l.lock.release(),
		)
	})
	return err
}

// clearStale makes sure that nothing stands at path, removing a socket that its
// server left behind. The caller holds the lock, so a server that is alive is one
// that does not know it, such as innmind/ipc.
func clearStale(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%s is in the way: it is no socket (%v)", path, info.Mode())
	}
	conn, err := dialUnix(ctx, path)
	switch {
	case err == nil:
		return inUse(ctx, path, conn)
	case errors.Is(err, ErrBusy):
		return fmt.Errorf("%w: a server listens on %s: %w", ErrInUse, path, err)
	case isRefused(err):
		return removeSame(path, info)
	case errors.Is(err, fs.ErrNotExist):
		return nil // it went away meanwhile
	}
	return fmt.Errorf("%s may be in use: %w", path, err)
}

// inUse takes leave of a server found alive. How it answers changes nothing: the
// name is its own.
func inUse(ctx context.Context, path string, conn net.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	_ = probe(ctx, conn)
	return fmt.Errorf("%w: a server that holds no lock listens on %s", ErrInUse, path)
}

// removeSame removes the file at path if it is still the one info describes.
func removeSame(path string, info fs.FileInfo) error {
	now, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !os.SameFile(now, info) {
		return nil
	}
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
