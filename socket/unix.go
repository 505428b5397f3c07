package socket

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const (
	socketSuffix = ".sock"
	lockSuffix   = ".lock"
)

// Unix is the Transport over unix sockets. The socket of a name is the file
// Dir/NAME.sock, where innmind/ipc has it too, so with the same Dir the processes
// of both find each other. Beside it stands Dir/NAME.lock: whoever listens holds a
// lock on it, which the system takes back when the process dies. The lock file
// itself stays for ever; removing it while a server runs lets a second one start.
//
// The zero Unix is ready for use.
type Unix struct {
	// Dir is the folder of the sockets. Whoever may write to it may take the place
	// of a server; one given here is taken as it is, and made, with its parents,
	// for the user alone when it is missing.
	//
	// Empty means DefaultDir. That one stands at a place anybody can foresee, so it
	// is used only when it is a folder and not a link, belongs to the user of the
	// process, and grants nothing to others.
	Dir string
}

var _ Transport = Unix{}

// DefaultDir returns the folder where Unix keeps its sockets unless told another:
// $XDG_RUNTIME_DIR/rxipc, or without that variable (one that is not absolute does
// not count, says its specification) rxipc-UID in the system's temporary folder,
// UID being the number of the user.
func DefaultDir() string {
	if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "rxipc")
	}
	folder := "rxipc"
	if uid := os.Getuid(); uid >= 0 { // Windows has no such number
		folder += "-" + strconv.Itoa(uid)
	}
	return filepath.Join(os.TempDir(), folder)
}

// Listen makes name reachable through a socket only the user of the process may
// connect to. Closing the listener removes the socket and frees the name, closing
// it again does nothing.
//
// Listen fails with ErrInUse when another listener holds the name, of this program
// or of one that does not know the lock: such a socket is connected to, politely,
// to see whether it is alive (at most a second is spent on that). A socket left
// behind by a server that died is replaced. Anything else that stands in its place,
// a link included, is left alone and is an error.
func (u Unix) Listen(ctx context.Context, name Name) (net.Listener, error) {
	listener, err := u.listen(ctx, name)
	if err != nil {
		return nil, &Error{Op: "listen", Name: name.text, Err: err}
	}
	return listener, nil
}

// Dial connects to the socket of name. It fails with ErrNotListening when there is
// no socket or nobody behind it, and on Linux with ErrBusy when the queue of the
// one behind it is full; the other systems answer ErrNotListening then, too.
func (u Unix) Dial(ctx context.Context, name Name) (net.Conn, error) {
	conn, err := u.dial(ctx, name)
	if err != nil {
		return nil, &Error{Op: "dial", Name: name.text, Err: err}
	}
	return conn, nil
}

// Names lists, in order, the names that have a socket, alive or left behind. A
// missing folder has none.
func (u Unix) Names(ctx context.Context) ([]Name, error) {
	names, err := u.names(ctx)
	if err != nil {
		return nil, &Error{Op: "names", Err: err}
	}
	return names, nil
}

func (u Unix) listen(ctx context.Context, name Name) (*unixListener, error) {
	path, err := u.path(name)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	if err := u.trust(filepath.Dir(path)); err != nil {
		return nil, err
	}
	lock, err := acquireLock(strings.TrimSuffix(path, socketSuffix) + lockSuffix)
	if err != nil {
		return nil, err
	}
	listener, err := listenLocked(ctx, path, lock)
	if err != nil {
		return nil, errors.Join(err, lock.release())
	}
	return listener, nil
}

func (u Unix) dial(ctx context.Context, name Name) (net.Conn, error) {
	path, err := u.path(name)
	if err != nil {
		return nil, err
	}
	if err := u.trust(filepath.Dir(path)); err != nil {
		return nil, explainDial(err)
	}
	return dialUnix(ctx, path)
}

func (u Unix) names(ctx context.Context) ([]Name, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	dir, err := u.dir()
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []Name
	for _, entry := range entries {
		stem, found := strings.CutSuffix(entry.Name(), socketSuffix)
		if !found || entry.Type() != fs.ModeSocket {
			continue
		}
		if name, err := ParseName(stem); err == nil {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b Name) int { return strings.Compare(a.text, b.text) })
	return names, nil
}

// dir returns the folder of the sockets in full, so that a later change of the
// working directory does not matter and no path begins with the '@' that Linux
// takes for a socket outside the file system.
func (u Unix) dir() (string, error) {
	if u.Dir == "" {
		return DefaultDir(), nil
	}
	return filepath.Abs(u.Dir)
}

// path returns where the socket of name stands. It fails when that is longer than
// the system allows, which by itself would only say "invalid argument".
func (u Unix) path(name Name) (string, error) {
	if err := name.check(); err != nil {
		return "", err
	}
	dir, err := u.dir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, name.text+socketSuffix)
	if limit := maxSocketPath(); len(path) > limit {
		return "", fmt.Errorf("the socket path %s has %d bytes, the system allows %d", path, len(path), limit)
	}
	return path, nil
}

// trust checks the default folder, which somebody else may have made first.
func (u Unix) trust(dir string) error {
	if dir != filepath.Clean(DefaultDir()) {
		return nil
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a folder (%v)", dir, info.Mode().Type())
	}
	return checkPrivate(dir, info)
}

// dialUnix connects to the socket at path, its errors explained.
func dialUnix(ctx context.Context, path string) (*net.UnixConn, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, explainDial(err)
	}
	return conn.(*net.UnixConn), nil
}

// explainDial adds the sentinel to an error of connecting; the system's own stays.
func explainDial(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), isRefused(err):
		return fmt.Errorf("%w: %w", ErrNotListening, err)
	case isBusy(err):
		return fmt.Errorf("%w: %w", ErrBusy, err)
	}
	return err
}
