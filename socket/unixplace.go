package socket

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/rxipc/rxipc/socket/internal/unixsock"
	"github.com/rxipc/rxipc/socket/internal/wire"
)

// unixPlace is what a [Unix] means. It is found out once, by New for an IPC: if the
// process changes its working directory, user, umask or environment afterwards, the
// place stays.
type unixPlace struct {
	dir     string // absolute, so that it never begins with the '@' of Linux's abstract sockets
	made    bool   // dir is DefaultDir, which is made for one user
	shared  bool
	inherit bool
	user    int // effective, -1 on Windows
	group   int // of the sockets; -1: what the system gives
	mode    fs.FileMode
	backlog int
	invalid error // why nothing of it can be used

	watch unixsock.FolderWatch
}

var (
	_ Transport = (*unixPlace)(nil)
	_ watcher   = (*unixPlace)(nil)
)

// place finds out what u means now. What is wrong with u is the error of each use.
func (u Unix) place() *unixPlace {
	p := &unixPlace{
		shared:  u.Shared,
		inherit: u.Inherit,
		user:    os.Geteuid(),
		group:   -1,
		mode:    u.Mode,
		backlog: max(1, orDefault(u.Backlog, defaultBacklog)),
	}
	p.invalid = p.resolve(u)
	p.watch.Dir = p.dir
	return p
}

func (p *unixPlace) resolve(u Unix) (err error) {
	if runtime.GOOS == "windows" && (u.Mode != 0 || u.Group != "" || u.Backlog != 0) {
		return fmt.Errorf("Unix.Mode, Group and Backlog: %w on Windows", errors.ErrUnsupported)
	}
	if strings.ContainsRune(u.Dir, 0) {
		return fmt.Errorf("%w: Unix.Dir %s contains a zero byte", ErrInvalid, wire.Quote(u.Dir))
	}
	dir := u.Dir
	if p.made = dir == ""; p.made {
		dir = DefaultDir()
	}
	if p.dir, err = filepath.Abs(dir); err != nil {
		return fmt.Errorf("the working directory that Unix.Dir %s begins at: %w", u.Dir, err)
	}
	if u.Group != "" {
		if p.group, err = unixsock.GroupNumber(u.Group); err != nil {
			return fmt.Errorf("Unix.Group: %w", err)
		}
		p.mode = orDefault(p.mode, 0o660)
	}
	p.mode = orDefault(p.mode, 0o600)
	switch {
	case p.mode&^fs.ModePerm != 0:
		return fmt.Errorf("%w: Unix.Mode %#o has more than permissions; an octal number begins with 0o", ErrInvalid, uint32(p.mode))
	case p.mode&0o222 == 0:
		return fmt.Errorf("%w: Unix.Mode %#o lets nobody write, so nobody could connect", ErrInvalid, uint32(p.mode))
	}
	return nil
}

// Listen is that of Unix.
func (p *unixPlace) Listen(ctx context.Context, name Name) (net.Listener, error) {
	listener, err := p.listen(ctx, name)
	if err != nil {
		return nil, &Error{Op: "listen", Name: name.text, Err: err}
	}
	return listener, nil
}

// Dial is that of Unix.
func (p *unixPlace) Dial(ctx context.Context, name Name) (net.Conn, error) {
	conn, err := p.dial(ctx, name)
	if err != nil {
		return nil, &Error{Op: "dial", Name: name.text, Err: err}
	}
	return conn, nil
}

// Names is that of Unix.
func (p *unixPlace) Names(ctx context.Context) ([]Name, error) {
	names, err := p.names(ctx)
	if err != nil {
		return nil, &Error{Op: "names", Err: err}
	}
	return names, nil
}

func (p *unixPlace) listen(ctx context.Context, name Name) (*unixListener, error) {
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

func (p *unixPlace) dial(ctx context.Context, name Name) (net.Conn, error) {
	path, err := p.path(name)
	if err != nil {
		return nil, err
	}
	if err := p.checkFolder(); err != nil {
		return nil, p.hint(name, explainDial(err))
	}
	conn, err := undenied(ctx, func() (*net.UnixConn, error) { return dialUnix(ctx, path) })
	return conn, p.hint(name, err)
}

func (p *unixPlace) names(ctx context.Context) ([]Name, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if p.invalid != nil {
		return nil, p.invalid
	}
	err := p.checkFolder()
	var entries []fs.DirEntry
	if err == nil {
		entries, err = os.ReadDir(p.dir)
	}
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

// check fails if there can be no socket of name.
func (p *unixPlace) check(name Name) error {
	if err := name.check(); err != nil {
		return err
	}
	return p.invalid
}

// path returns where the socket of name stands. It fails when that is longer than
// the system allows, which by itself would only say "invalid argument".
func (p *unixPlace) path(name Name) (string, error) {
	if err := p.check(name); err != nil {
		return "", err
	}
	path := filepath.Join(p.dir, name.text+socketSuffix)
	if limit := maxSocketPath(); len(path) > limit {
		return "", fmt.Errorf("%w: the socket path %s has %d bytes, the system allows %d; a shorter name or Dir helps",
			ErrInvalid, path, len(path), limit)
	}
	return path, nil
}

// folderMode is the mode of a folder that is made for the sockets: whoever may connect
// may enter it and see what is there.
func (p *unixPlace) folderMode() fs.FileMode {
	mode := fs.FileMode(0o700)
	if p.mode&0o020 != 0 {
		mode |= 0o050
	}
	if p.mode&0o002 != 0 {
		mode |= 0o005
	}
	return mode
}

// hint adds to ErrNotListening which other folder that is often used has a socket of
// the name.
func (p *unixPlace) hint(name Name, err error) error {
	if !errors.Is(err, ErrNotListening) {
		return err
	}
	temp := os.TempDir()
	for _, dir := range []string{DefaultDir(), temporaryDir(), filepath.Join(temp, "innmind", "ipc"), temp} {
		if dir == p.dir {
			continue
		}
		path := filepath.Join(dir, name.text+socketSuffix)
		if info, failed := os.Lstat(path); failed == nil && info.Mode().Type() == fs.ModeSocket {
			return fmt.Errorf("%w; but there is %s, which Dir %s is for", err, path, dir)
		}
	}
	return err
}

func (p *unixPlace) watchName(name Name) (news <-chan struct{}, stop func()) {
	return p.watch.Add(name.text + socketSuffix)
}
