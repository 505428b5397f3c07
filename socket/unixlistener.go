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
	path    string
	info    fs.FileInfo // of the socket, as it was made
	backlog int
	lock    *lockFile // nil for a socket that somebody else made and removes
	done    func()    // called when it is closed; may be nil

	mu     sync.Mutex
	closed bool
	state  handState
}

// handState says how far handing a listener over has come. From the moment another
// process has the socket until it is ready, closing only stops listening here: whose
// the socket is, is not decided.
type handState uint8

const (
	here handState = iota
	between
	away
)

// listenLocked listens at path. The caller holds lock, which goes to the listener
// when there is one.
func (u Unix) listenLocked(ctx context.Context, path string, lock *lockFile) (*unixListener, error) {
	if err := clearStale(ctx, path); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	inner, info, err := u.listenAt(path)
	if err != nil {
		return nil, err
	}
	return &unixListener{UnixListener: inner, path: path, info: info, backlog: u.backlog(), lock: lock}, nil
}

// Accept is that of the socket. Once that was handed over, it fails so.
func (l *unixListener) Accept() (net.Conn, error) {
	conn, err := l.UnixListener.Accept()
	if err == nil {
		return conn, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state == away {
		err = errHandedOver
	}
	return nil, err
}

// Close removes the socket, stops listening and frees the name, in this order:
// whoever finds the name free finds no socket of ours.
func (l *unixListener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	if l.state != here {
		return l.UnixListener.Close()
	}
	return l.close()
}

// close is what remains of Close unless the socket went to another process, l.mu held.
func (l *unixListener) close() error {
	if l.done != nil {
		defer l.done()
	}
	if l.lock == nil {
		return closedAlready(l.UnixListener.Close())
	}
	return errors.Join(
		removeSame(l.path, l.info),
		closedAlready(l.UnixListener.Close()),
		l.lock.release(),
	)
}

// closedAlready is the error of closing what may be closed.
func closedAlready(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
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
