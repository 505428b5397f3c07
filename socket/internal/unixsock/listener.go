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
	former *net.UnixListener // the one before, with clients that wait to be accepted; mostly nil
	info   fs.FileInfo       // of the socket's file, as it was made; nil: it was not there, or was another's
	lock   *lockFile         // nil for a socket that somebody else made and removes
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

// Addr is where it listens.
func (l *Listener) Addr() net.Addr { return l.addr }

// formerTime is how long a socket that was replaced is listened to for clients that
// had connected to it. Those are there already, so it is not waited out but once.
const formerTime = 50 * time.Millisecond

// Accept is that of the socket. Once that was handed over, it fails so.
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

// forget closes a socket that was replaced, once nobody waits on it.
func (l *Listener) forget(former *net.UnixListener) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.former == former {
		l.former = nil
	}
	former.Close()
}

// Close removes the socket, stops listening and frees the name, in this order:
// whoever finds the name free finds no socket of ours.
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

// close is what remains of Close unless the socket went to another process, l.mu held.
func (l *Listener) close() error {
	if l.done != nil {
		defer l.done()
	}
	if l.lock == nil {
		return l.stop()
	}
	return errors.Join(removeSame(l.path, l.info), l.stop(), l.lock.release())
}

// stop stops listening, l.mu held. What has stopped already may be stopped again.
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

// Look reports what has become of the socket's file: nil while it is there. One that was
// removed is made again, if this process may. One that something else has replaced is left
// alone: whoever did that has the name now.
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
		return nil // the process has another user now, and cannot know
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s was removed: %w", l.path, fs.ErrNotExist)
	}
	return err
}

// remake makes the socket again as it was made at first, and what it stands on, l.mu held.
// Clients that had connected to the former one are accepted still.
func (l *Listener) remake() error {
	if filepath.Dir(l.path) == l.place.dir { // an inherited one may stand elsewhere
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
	l.former.SetDeadline(longAgo) // wakes who waits for clients there
	return nil
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
		return nil // it went away meanwhile
	}
	return fmt.Errorf("%s may be in use: %w", path, err)
}

// inUse takes leave of a server found alive, and names it. How it answers changes
// nothing: the name is its own.
func inUse(ctx context.Context, path string, conn net.Conn) error {
	who := "a server"
	if peer, err := PeerOf(conn); err == nil && peer.PID != 0 {
		who = processText(peer.PID, commandOf(peer.PID))
	}
	_ = probe.Visit(ctx, conn)
	return fmt.Errorf("%w: %s listens on %s without a lock", ErrInUse, who, path)
}

// commandOf is the name of a process, where the system tells it in a file.
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
