package unixsock

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// lockFile is an exclusive lock on a file, held until it is released or its
// process ends. It excludes other holders in this process, too.
type lockFile struct{ file *os.File }

// lockPath returns the path of the lock of a socket. The dot hides it from innmind/ipc 5.x, which
// takes every other file of the folder for a process.
func lockPath(socket string) string {
	stem := strings.TrimSuffix(filepath.Base(socket), socketSuffix)
	return filepath.Join(filepath.Dir(socket), "."+stem+lockSuffix)
}

// lockOfOlder takes the lock of older servers, whose file has no dot. It fails with ErrInUse if
// such a server runs. It returns nil if there is no such file, or if the file is no lock. The
// caller releases the lock once it listens, so that no older server starts at the same moment.
func lockOfOlder(socket string) (*lockFile, error) {
	file, err := os.OpenFile(strings.TrimSuffix(socket, socketSuffix)+lockSuffix, os.O_RDWR|noFollow, 0)
	if err != nil {
		return nil, nil
	}
	if err = lockOpened(file); errors.Is(err, ErrInUse) {
		return nil, errors.Join(err, file.Close())
	}
	if err != nil {
		return nil, file.Close()
	}
	return &lockFile{file}, nil
}

// acquireLock locks the file beside a socket. It makes a missing file, follows no link, and never
// removes the file, because all servers of a name must lock the same one. If another server holds
// the lock, acquireLock fails at once with ErrInUse, and names that server.
func (p *Place) acquireLock(socket string) (*lockFile, error) {
	for {
		file, err := p.openLock(lockPath(socket))
		if err != nil {
			return nil, err
		}
		lock := &lockFile{file}
		if err := lockOpened(file); err != nil {
			return nil, errors.Join(err, file.Close())
		}
		if err := errors.Join(p.shareLock(file), lock.sign()); err != nil {
			return nil, errors.Join(err, lock.release())
		}
		if lock.isAt(file.Name()) {
			return lock, nil
		}
		if err := lock.release(); err != nil { // it was removed before it was locked
			return nil, err
		}
	}
}

// openLock opens a lock, or makes it. One call that does both would not do: in a folder like /tmp,
// Linux lets nobody open another user's file with O_CREAT (fs.protected_regular).
func (p *Place) openLock(path string) (file *os.File, err error) {
	for range 10 { // others may make or remove it between two calls
		file, err = os.OpenFile(path, os.O_RDWR|noFollow, 0)
		if errors.Is(err, fs.ErrNotExist) {
			file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL|noFollow, 0o600)
		} else if errors.Is(err, fs.ErrPermission) {
			if info, failed := os.Lstat(path); failed == nil {
				err = fmt.Errorf("%w; the lock has mode %v, and this user may not open it: remove it while no server runs, and give all its servers the same Unix.Group",
					err, info.Mode())
			}
		}
		if !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return file, err
}

// lockMode returns the permissions of a lock: those of the socket, for the users who can listen in
// the folder.
func (p *Place) lockMode() fs.FileMode {
	mode := 0o600 | p.mode&0o660
	if p.shared {
		mode |= p.mode & 0o666
	}
	return mode
}

func lockOpened(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%w: the lock %s is not a plain file (%v)", fs.ErrExist, file.Name(), info.Mode().Type())
	}
	err = tryLock(file)
	if isLocked(err) {
		return fmt.Errorf("%w: %s holds %s", errHeld, signature(file), file.Name())
	}
	if err != nil {
		return &os.PathError{Op: "lock", Path: file.Name(), Err: err}
	}
	return nil
}

// sign writes the number and the command of this process into the lock.
func (l *lockFile) sign() error {
	text := fmt.Appendf(nil, "%d %s\n", os.Getpid(), filepath.Base(os.Args[0]))
	if _, err := l.file.WriteAt(text, 0); err != nil {
		return err
	}
	return l.file.Truncate(int64(len(text)))
}

// signature describes the holder of a lock by the text of the lock.
func signature(file *os.File) string {
	text := make([]byte, 256)
	n, _ := file.ReadAt(text, 0)
	line, _, whole := bytes.Cut(text[:n], []byte("\n"))
	number, command, _ := strings.Cut(string(line), " ")
	pid, err := strconv.ParseUint(number, 10, 31)
	if !whole || err != nil || pid == 0 {
		return "another server"
	}
	return processText(int(pid), command)
}

// processText describes a process in an error.
func processText(pid int, command string) string {
	text := "process " + strconv.Itoa(pid)
	if command != "" {
		text += " (" + strings.Trim(wire.Quote(command), `"`) + ")"
	}
	if pid == os.Getpid() {
		text += ", this one,"
	}
	return text
}

// isAt reports whether the locked file is the one at path.
func (l *lockFile) isAt(path string) bool {
	info, err := l.file.Stat()
	now, failed := os.Lstat(path)
	return err == nil && failed == nil && os.SameFile(info, now)
}

// release unlocks and closes the file. Closing is not enough, since a child process that is about
// to start may hold a copy of the descriptor for a moment.
func (l *lockFile) release() error {
	if l == nil {
		return nil
	}
	return errors.Join(unlock(l.file), l.file.Close())
}

// Lock locks a file that is not of a socket, and makes it if it is missing. It fails at once with
// ErrInUse, and names the process, if the file is locked. The lock ends with its process, too.
func Lock(path string) (release func() error, err error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|noFollow, 0o600)
	if err != nil {
		return nil, err
	}
	lock := &lockFile{file}
	if err := lockOpened(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if err := lock.sign(); err != nil {
		return nil, errors.Join(err, lock.release())
	}
	return lock.release, nil
}
