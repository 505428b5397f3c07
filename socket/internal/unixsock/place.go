package unixsock

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rxipc/rxipc/internal/folderwatch"
	"github.com/rxipc/rxipc/socket/internal/wire"
)

const (
	socketSuffix = ".sock"
	lockSuffix   = ".lock"

	// defaultBacklog is more than most systems allow, so it is their limit.
	defaultBacklog = 4096

	// lookPause is the time between two looks at a folder that a client waits for a server in,
	// where the system gives no news.
	lookPause = 20 * time.Millisecond
)

// Options says where sockets are, and who may use them.
type Options struct {
	Dir     string      // the folder of the sockets; empty: DefaultDir
	Shared  bool        // others may write to Dir
	Mode    fs.FileMode // permissions of a socket; 0: 0600, with a Group 0660
	Group   string      // of a socket, by name or number; empty: what the system gives
	Backlog int         // connections that may wait to be accepted; 0: 4096
	Inherit bool        // listen on the sockets that the process was started with
}

// Place is a folder of sockets. Its options are resolved once: if the process changes its
// working directory, user, umask or environment afterwards, the place stays.
type Place struct {
	dir     string // absolute, so that it never begins with the '@' of Linux's abstract sockets
	made    bool   // dir is DefaultDir, which is made for one user
	shared  bool
	inherit bool
	user    int // effective, -1 on Windows
	group   int // of the sockets; -1: what the system gives
	mode    fs.FileMode
	backlog int
	invalid error // why it cannot be used

	Folder     folderwatch.Watch // for Watch
	departures folderwatch.Watch // for ListenWhenFree
	quiet      time.Duration     // quietTry, except in tests
}

// New resolves options. Each method returns ErrInvalid if the options are invalid.
func New(o Options) *Place {
	p := &Place{
		shared:  o.Shared,
		inherit: o.Inherit,
		user:    os.Geteuid(),
		group:   -1,
		mode:    o.Mode,
		backlog: max(1, cmp.Or(o.Backlog, defaultBacklog)),
	}
	p.invalid = p.resolve(o)
	p.Folder.Dir, p.Folder.Look = p.dir, lookPause
	p.departures.Dir, p.departures.Look, p.departures.Writes = p.dir, lookPause, true
	p.quiet = quietTry
	return p
}

func (p *Place) resolve(o Options) (err error) {
	if runtime.GOOS == "windows" && (o.Mode != 0 || o.Group != "" || o.Backlog != 0) {
		return fmt.Errorf("Unix.Mode, Group and Backlog: %w on Windows", errors.ErrUnsupported)
	}
	if strings.ContainsRune(o.Dir, 0) {
		return fmt.Errorf("%w: Unix.Dir %s contains a zero byte", ErrInvalid, wire.Quote(o.Dir))
	}
	dir := o.Dir
	if p.made = dir == ""; p.made {
		dir = DefaultDir()
	}
	if p.dir, err = filepath.Abs(dir); err != nil {
		return fmt.Errorf("the working directory that Unix.Dir %s begins at: %w", o.Dir, err)
	}
	if o.Group != "" {
		if p.group, err = GroupNumber(o.Group); err != nil {
			return fmt.Errorf("Unix.Group: %w", err)
		}
		p.mode = cmp.Or(p.mode, 0o660)
	}
	p.mode = cmp.Or(p.mode, 0o600)
	switch {
	case p.mode&^fs.ModePerm != 0:
		return fmt.Errorf("%w: Unix.Mode %#o has more than permissions; an octal number begins with 0o", ErrInvalid, uint32(p.mode))
	case p.mode&0o222 == 0:
		return fmt.Errorf("%w: Unix.Mode %#o lets nobody write, so nobody could connect", ErrInvalid, uint32(p.mode))
	}
	return nil
}

// DefaultDir returns the folder of the sockets if none is given: $XDG_RUNTIME_DIR/rxipc, or
// temporaryDir if the variable is not absolute or names a folder of another user.
func DefaultDir() string {
	if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) && !isAnothers(dir) {
		return filepath.Join(dir, "rxipc")
	}
	return temporaryDir()
}

// temporaryDir is DefaultDir without XDG_RUNTIME_DIR.
func temporaryDir() string {
	folder := "rxipc"
	if uid := os.Geteuid(); uid >= 0 { // Windows has no such number
		folder += "-" + strconv.Itoa(uid)
	}
	return filepath.Join(os.TempDir(), folder)
}

// Listen listens on a name, on an inherited socket if there is one. It fails with ErrInUse if
// the name is in use.
func (p *Place) Listen(ctx context.Context, name string) (*Listener, error) {
	if err := p.check(name); err != nil {
		return nil, err
	}
	if p.inherit { // wherever that socket stands
		if listener, err := p.inheritSocket(name); listener != nil || err != nil {
			return listener, err
		}
	}
	path, err := p.path(name)
	if err != nil {
		return nil, err
	}
	if err := p.makeFolder(); err != nil {
		return nil, err
	}
	older, err := lockOfOlder(path)
	if err != nil {
		return nil, err
	}
	defer older.release() // from now on a connection finds the socket
	lock, err := p.acquireLock(path)
	if err != nil {
		return nil, err
	}
	listener, err := p.listenLocked(ctx, path, lock)
	if err != nil {
		return nil, errors.Join(err, lock.release())
	}
	return listener, nil
}

// Dial connects to the server of a name. It fails with ErrNotListening if there is none, and
// with ErrBusy if its queue is full.
func (p *Place) Dial(ctx context.Context, name string) (net.Conn, error) {
	path, err := p.path(name)
	if err != nil {
		return nil, err
	}
	if err := p.checkFolder(); err != nil {
		return nil, p.hint(name, explainDial(err))
	}
	conn, err := undenied(ctx, func(ctx context.Context) (*net.UnixConn, error) { return dialUnix(ctx, path) })
	return conn, p.hint(name, err)
}

// Names lists, in order, the names that have a socket, alive or left behind.
func (p *Place) Names(ctx context.Context) (names []string, err error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if p.invalid != nil {
		return nil, p.invalid
	}
	var entries []fs.DirEntry
	if err = p.checkFolder(); err == nil {
		entries, err = os.ReadDir(p.dir)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		name, found := strings.CutSuffix(entry.Name(), socketSuffix)
		if found && entry.Type() == fs.ModeSocket && CheckName(name) == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names) // a name may come before another one that its file comes after
	return names, nil
}

// Watch waits for news of a name: news has a value when the name may have become reachable. The
// caller calls stop in the end.
func (p *Place) Watch(name string) (news <-chan struct{}, stop func()) {
	return p.Folder.Add(name + socketSuffix)
}

// check fails if there can be no socket of name.
func (p *Place) check(name string) error { return cmp.Or(CheckName(name), p.invalid) }

// path returns where the socket of name stands. It fails when that is longer than
// the system allows, which by itself would only say "invalid argument".
func (p *Place) path(name string) (string, error) {
	if err := p.check(name); err != nil {
		return "", err
	}
	path := filepath.Join(p.dir, name+socketSuffix)
	if limit := maxSocketPath(); len(path) > limit {
		return "", fmt.Errorf("%w: the socket path %s has %d bytes, the system allows %d; a shorter name or Dir helps",
			ErrInvalid, path, len(path), limit)
	}
	return path, nil
}

// hint adds to ErrNotListening which other folder that is often used has a socket of
// the name.
func (p *Place) hint(name string, err error) error {
	if !errors.Is(err, ErrNotListening) {
		return err
	}
	temp := os.TempDir()
	for _, dir := range []string{DefaultDir(), temporaryDir(), filepath.Join(temp, "innmind", "ipc"), temp} {
		if dir == p.dir {
			continue
		}
		path := filepath.Join(dir, name+socketSuffix)
		if info, failed := os.Lstat(path); failed == nil && info.Mode().Type() == fs.ModeSocket {
			return fmt.Errorf("%w; but there is %s, which Dir %s is for", err, path, dir)
		}
	}
	return err
}
