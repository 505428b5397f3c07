//go:build unix

package unixsock

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// isRefused reports whether connecting failed because nobody listens.
func isRefused(err error) bool { return errors.Is(err, unix.ECONNREFUSED) }

// isBusy reports whether connecting failed because the queue of the listener is full. Linux
// says so. The BSDs and macOS refuse the connection: a server without a lock seems dead there if
// its queue is full.
func isBusy(err error) bool { return errors.Is(err, unix.EAGAIN) }

// maxSocketPath is the size of sun_path less its closing zero (unix(7)).
func maxSocketPath() int {
	switch runtime.GOOS {
	case "darwin", "ios", "dragonfly", "freebsd", "netbsd", "openbsd":
		return 103
	}
	return 107
}

// listenAt makes a socket at path, gives it its group and mode, and then listens. The system
// refuses clients until then, but it checks the mode first: a client that passed this check gets
// in if the socket listens at the next moment. So the socket has a private mode before bind, and
// Linux gives the file that mode. Other systems do not; there Config.Clients refuses such a client.
func (p *Place) listenAt(path string) (*net.UnixListener, fs.FileInfo, error) {
	fd, err := streamSocket()
	if err != nil {
		return nil, nil, err
	}
	file := os.NewFile(uintptr(fd), path)
	defer file.Close() // the listener has a copy
	_ = unix.Fchmod(fd, 0o600)
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		err = &os.PathError{Op: "bind", Path: path, Err: err}
		if errors.Is(err, unix.EADDRINUSE) { // a server without a lock came after clearStale
			err = fmt.Errorf("%w: %w", ErrInUse, err)
		}
		return nil, nil, err
	}
	if err := p.secure(path, fs.ModeSocket, p.mode); err != nil {
		return nil, nil, errors.Join(err, os.Remove(path))
	}
	info, err := os.Lstat(path)
	if err != nil {
		return nil, nil, err
	}
	listener, err := p.listenOn(file)
	if err != nil {
		return nil, nil, errors.Join(err, removeSame(path, info))
	}
	return listener, info, nil
}

// streamSocket makes a socket that is closed in child processes.
func streamSocket() (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		return 0, os.NewSyscallError("socket", err)
	}
	unix.CloseOnExec(fd)
	return fd, nil
}

// listenOn makes a socket listen, and returns a listener with a descriptor of its own. If the
// socket listens already, clients see this process as their peer from then on.
func (p *Place) listenOn(file *os.File) (*net.UnixListener, error) {
	if err := listenWith(file, p.backlog); err != nil {
		return nil, err
	}
	return listenerOf(file)
}

func listenWith(file *os.File, backlog int) error {
	return os.NewSyscallError("listen", unix.Listen(int(file.Fd()), backlog))
}

// listenerOf returns a listener of a socket that listens already.
func listenerOf(file *os.File) (*net.UnixListener, error) {
	listening, err := unix.GetsockoptInt(int(file.Fd()), unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	if err != nil || listening == 0 {
		return nil, fmt.Errorf("%w: %s is no socket that listens", ErrInvalid, file.Name())
	}
	listener, err := net.FileListener(file)
	if err != nil {
		return nil, err
	}
	if Listener, ok := listener.(*net.UnixListener); ok && listener.Addr().Network() == "unix" {
		return Listener, nil
	}
	return nil, errors.Join(fmt.Errorf("%w: %s is no unix socket of streams", ErrInvalid, file.Name()), listener.Close())
}

// secure gives a new file at path the group of the place and a mode. It follows no link, and fails
// if the file is not of this kind.
func (p *Place) secure(path string, kind, mode fs.FileMode) error {
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer root.Close()
	name := filepath.Base(path)
	if p.group >= 0 {
		if err := root.Lchown(name, -1, p.group); err != nil {
			return fmt.Errorf("giving it to the group of Unix.Group: %w", err)
		}
	}
	if err := chmodSame(root, name, kind, mode); err != nil {
		return err
	}
	return isStill(root, name, kind)
}

// chmodSame changes the mode of a file of a kind. Linux before 6.6 and some sandboxes do not know
// AT_SYMLINK_NOFOLLOW. Root.Chmod is for these, although it would follow a link that has just
// taken the file's place, to another file of the folder.
func chmodSame(root *os.Root, name string, kind, mode fs.FileMode) error {
	folder, err := root.Open(".")
	if err != nil {
		return err
	}
	defer folder.Close()
	if unix.Fchmodat(int(folder.Fd()), name, uint32(mode.Perm()), unix.AT_SYMLINK_NOFOLLOW) == nil {
		return nil
	}
	if err := isStill(root, name, kind); err != nil {
		return err
	}
	return root.Chmod(name, mode)
}

// isStill fails with fs.ErrExist if a file is not of a kind any more.
func isStill(root *os.Root, name string, kind fs.FileMode) error {
	info, err := root.Lstat(name)
	if err == nil && info.Mode().Type() != kind {
		err = fmt.Errorf("%w: %s was replaced by something else (%v)", fs.ErrExist, filepath.Join(root.Name(), name), info.Mode())
	}
	return err
}

// shareLock gives a lock the group of the place and the mode of a lock. A lock of another user
// stays as it is.
func (p *Place) shareLock(file *os.File) error {
	info, err := file.Stat()
	if err != nil || ownerOf(info) != os.Geteuid() {
		return err
	}
	if p.group >= 0 {
		if err := file.Chown(-1, p.group); err != nil {
			return fmt.Errorf("giving the lock to the group of Unix.Group: %w", err)
		}
	}
	return file.Chmod(p.lockMode())
}
