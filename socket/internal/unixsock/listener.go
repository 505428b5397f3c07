package unixsock

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/rxipc/rxipc/socket/internal/probe"
)

// Listener listens on a unix socket, together with the lock on its name.
type Listener struct {
	place *Place
	addr  net.Addr
	path  string
	done  func() // called when it is closed; may be nil

	mu     sync.Mutex
	socket *net.UnixListener
	former *net.UnixListener // the socket before, with clients that wait; mostly nil
	info   fs.FileInfo       // of the socket's file, as it was made; nil: it was missing or another server's
	lock   *lockFile         // nil for a socket that its maker removes
	closed bool
	state  handState
}

// handState says how far the hand-over of a listener has come. As long as it is between two
// processes, Close stops listening and leaves the file: the other process may need it.
type handState uint8

const (
	here handState = iota
	between
	away
)

// listenLocked listens at path. If it succeeds, the listener owns lock, which the caller holds.
func (p *Place) listenLocked(ctx context.Context, path string, lock *lockFile) (*Listener, error) {
	if err := clearStale(ctx, path); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	socket, info, err := p.listenAt(path)
	if err != nil {
		return nil, err
	}
	return &Listener{place: p, addr: socket.Addr(), path: path, socket: socket, info: info, lock: lock}, nil
}

// Addr returns the address of the socket.
func (l *Listener) Addr() net.Addr { return l.addr }

// formerTime is how long Accept waits at a socket that was replaced, for clients that have
// connected to it. They are there already, so only the last wait takes this long.
const formerTime = 50 * time.Millisecond

// Accept returns the next connection. It fails with ErrHandedOver once another process has the
// socket.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		l.mu.Lock()
		former, socket := l.former, l.socket
		l.mu.Unlock()
		if former != nil {
			former.SetDeadline(time.Now().Add(formerTime))
			if conn, err := former.Accept(); err == nil {
				return conn, nil
			}
			l.forget(former)
			continue
		}
		conn, err := socket.Accept()
		if err == nil {
			return conn, nil
		}
		l.mu.Lock()
		remade, handedOver := l.socket != socket, l.state == away
		l.mu.Unlock()
		switch {
		case remade:
		case handedOver:
			return nil, ErrHandedOver
		default:
			return nil, err
		}
	}
}

// forget closes a socket that was replaced, when no client waits there any more.
func (l *Listener) forget(former *net.UnixListener) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.former == former {
		l.former = nil
	}
	former.Close()
}

// Close removes the socket, stops listening and frees the name, in this order: where the name is
// free there is no socket of this listener.
func (l *Listener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	if l.state != here {
		return l.stop()
	}
	return l.close()
}

// close does what Close does for a socket that stays with this process, l.mu held.
func (l *Listener) close() error {
	if l.done != nil {
		defer l.done()
	}
	if l.lock == nil {
		return l.stop()
	}
	return errors.Join(removeSame(l.path, l.info), l.stop(), l.lock.release())
}

// stop stops listening, l.mu held. It may be called again.
func (l *Listener) stop() error {
	if l.former != nil {
		l.former.Close()
		l.former = nil
	}
	if err := l.socket.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// Look looks for the socket's file. loss is nil if it is there. Look makes a file again that was
// removed, and reports whether it could. It leaves a file alone that has taken its place, since
// another server has the name then.
func (l *Listener) Look() (loss error, restored bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.state != here {
		return nil, false
	}
	switch loss = l.lost(); {
	case !errors.Is(loss, fs.ErrNotExist):
		return loss, false
	case l.lock == nil:
		return fmt.Errorf("%w; whoever made it is to make it again", loss), false
	}
	if err := l.remake(); err != nil {
		return fmt.Errorf("%w; making it again: %w", loss, err), false
	}
	return loss, true
}

// lost returns the state of the socket's file, l.mu held: nil if it is there,
// fs.ErrNotExist if it was removed, ErrInUse if something else is in its place.
func (l *Listener) lost() error {
	if l.path == "" {
		return nil
	}
	now, err := os.Lstat(l.path)
	switch {
	case err == nil && l.info != nil && os.SameFile(now, l.info):
		return nil
	case err == nil:
		return fmt.Errorf("%w: %s was replaced, by a server that heeds no lock or by hand", ErrInUse, l.path)
	case errors.Is(err, fs.ErrPermission):
		return nil // the process has another user now, who may not look
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s was removed: %w", l.path, fs.ErrNotExist)
	}
	return err
}

// remake makes the socket again, with its folder and its lock, l.mu held. Accept still returns
// clients that had connected to the former socket.
func (l *Listener) remake() error {
	if filepath.Dir(l.path) == l.place.dir { // an inherited one may be elsewhere
		if err := l.place.makeFolder(); err != nil {
			return err
		}
	}
	if !l.lock.isAt(lockPath(l.path)) {
		lock, err := l.place.acquireLock(l.path)
		if err != nil {
			return err
		}
		l.lock.release()
		l.lock = lock
	}
	socket, info, err := l.place.listenAt(l.path)
	if err != nil {
		return err
	}
	if l.former != nil {
		l.former.Close()
	}
	l.former, l.socket, l.info = l.socket, socket, info
	l.former.SetDeadline(longAgo) // wakes Accept
	return nil
}

// clearStale removes a socket at path whose server has died, and fails if there is something else.
// The caller holds the lock, so a server that is alive is one without a lock, as of innmind/ipc.
func clearStale(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%w: %s is in the way: it is no socket (%v)", fs.ErrExist, path, info.Mode())
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
		return nil // its server has just removed it
	}
	return fmt.Errorf("%s may be in use: %w", path, err)
}

// inUse ends the connection to a server that is alive, by a whole session, and returns an error that
// names the server, however the session ended.
func inUse(ctx context.Context, path string, conn net.Conn) error {
	who := "a server"
	if peer, err := PeerOf(conn); err == nil && peer.PID != 0 {
		who = processText(peer.PID, commandOf(peer.PID))
	}
	_ = probe.Visit(ctx, conn)
	return fmt.Errorf("%w: %s listens on %s without a lock", ErrInUse, who, path)
}

// commandOf returns the command of a process, where the system tells it in a file.
func commandOf(pid int) string {
	name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return strings.TrimSpace(string(name))
}

// removeSame removes the file at path if it is still the one info describes.
func removeSame(path string, info fs.FileInfo) error {
	now, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && (info == nil || !os.SameFile(now, info)) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
