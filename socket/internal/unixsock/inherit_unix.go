//go:build unix

package unixsock

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/rxipc/rxipc/socket/systemd"
)

// inheritSocket listens on the socket of a name that the process was started with. It returns nil
// if there is none.
func (p *Place) inheritSocket(name string) (*Listener, error) {
	return inherited().listen(p, name)
}

// inherited returns the sockets that the process was started with. It reads the environment once.
// All places share it, because descriptors belong to the process, as its environment does.
var inherited = sync.OnceValue(func() *inheritance {
	names, err := systemd.TakeListenNames()
	return newInheritance(names, err, systemd.FirstFD)
})

// inheritance has the sockets that another process made, by name.
type inheritance struct {
	err error // the environment contradicts itself

	mu      sync.Mutex
	sockets map[string]*inheritedSocket
	ready   *os.File // where this process says that it is ready; nil: none waits for it
	stderr  *os.File // becomes the standard error then; may be nil
	pipe    *os.File // is open until then; may be nil
}

// inheritedSocket is a socket that another process made.
type inheritedSocket struct {
	file *os.File
	lock heldLock // without a file if the socket stays its maker's
	used bool     // it is listened on, or it was handed on
}

// heldLock is a lock that came with a socket.
type heldLock struct {
	file     *os.File
	identity string // of the socket's file, from the name of the lock; empty: not known
}

// newInheritance makes an inheritance of descriptors from first on, and closes them in child
// processes. It leaves a descriptor alone if its name is not of a socket of rxipc. names and err
// are the results of systemd.TakeListenNames.
func newInheritance(names []string, err error, first int) *inheritance {
	in := &inheritance{sockets: map[string]*inheritedSocket{}}
	for i := range names {
		unix.CloseOnExec(first + i)
	}
	if err != nil {
		in.err = fmt.Errorf("%w: %w", ErrInvalid, err)
		return in
	}
	locks := map[string]heldLock{}
	for i, name := range names {
		in.err = errors.Join(in.err, in.take(first+i, name, locks))
	}
	for name, lock := range locks {
		if socket := in.sockets[name]; socket != nil {
			socket.lock = lock
		}
	}
	return in
}

// take takes one descriptor.
func (in *inheritance) take(fd int, called string, locks map[string]heldLock) error {
	switch called {
	case readyName:
		in.ready = os.NewFile(uintptr(fd), called)
		return nil
	case stderrName:
		in.stderr = os.NewFile(uintptr(fd), called)
		return nil
	case pipeName:
		in.pipe = os.NewFile(uintptr(fd), called)
		return nil
	}
	if stem, found := strings.CutSuffix(called, lockSuffix); found {
		stem, identity, _ := strings.Cut(stem, ".") // see lockName
		if CheckName(stem) == nil {
			locks[stem] = heldLock{os.NewFile(uintptr(fd), called), identity}
		}
		return nil
	}
	if called == "" {
		called = strings.TrimSuffix(filepath.Base(socketPath(fd)), socketSuffix)
	}
	name := strings.TrimSuffix(called, ".socket")
	if CheckName(name) != nil {
		return nil // it is not for rxipc
	}
	if in.sockets[name] != nil {
		return fmt.Errorf("%w: two sockets are called %v", ErrInvalid, name)
	}
	in.sockets[name] = &inheritedSocket{file: os.NewFile(uintptr(fd), called)}
	return nil
}

// socketPath returns the path that a unix socket is bound to, or an empty one.
func socketPath(fd int) string {
	address, err := unix.Getsockname(fd)
	if bound, ok := address.(*unix.SockaddrUnix); ok && err == nil {
		return bound.Name
	}
	return ""
}

func (in *inheritance) listen(p *Place, name string) (*Listener, error) {
	if in.err != nil {
		return nil, in.err
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	socket := in.sockets[name]
	if socket == nil {
		return nil, nil
	}
	if socket.used {
		return nil, fmt.Errorf("%w: %s listens on its inherited socket", ErrInUse, processText(os.Getpid(), ""))
	}
	listener, err := in.open(p, name, socket)
	if err != nil {
		return nil, fmt.Errorf("inherited: %w", err)
	}
	in.tellReady()
	return listener, nil
}

// open listens on a socket. A socket that came with its lock is like one made here from then on:
// its listener removes it. Any other socket can be listened on again once its listener is closed.
func (in *inheritance) open(p *Place, name string, socket *inheritedSocket) (*Listener, error) {
	if socket.lock.file == nil {
		inner, err := listenerOf(socket.file)
		if err != nil {
			return nil, err
		}
		socket.used = true
		l := &Listener{place: p, addr: inner.Addr(), socket: inner, done: func() {
			in.mu.Lock()
			defer in.mu.Unlock()
			socket.used = false
		}}
		if info, err := os.Lstat(inner.Addr().String()); err == nil {
			l.path, l.info = inner.Addr().String(), info
		}
		return l, nil
	}
	inner, err := p.listenOn(socket.file)
	if err != nil {
		return nil, err
	}
	path := inner.Addr().String()
	info, err := os.Lstat(path) // Look makes a socket again that was removed
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(err, inner.Close())
	}
	if err == nil && socket.lock.identity != "" && socket.lock.identity != fileIdentity(info) {
		info = nil // another server replaced it meanwhile
	}
	lock := &lockFile{socket.lock.file}
	_ = lock.sign() // a failure costs only the name of the holder in errors
	delete(in.sockets, name)
	return &Listener{
		place: p, addr: inner.Addr(), path: path, socket: inner, info: info, lock: lock,
	}, socket.file.Close()
}

// tellReady tells the process that hands over when all sockets are listened on. The standard error
// that this process was given takes the place of the pipe then.
func (in *inheritance) tellReady() {
	if in.ready == nil {
		return
	}
	for _, socket := range in.sockets {
		if !socket.used {
			return
		}
	}
	if in.stderr != nil && unix.Dup2(int(in.stderr.Fd()), syscall.Stderr) == nil {
		in.stderr.Close()
	} else if in.stderr != nil {
		in.pipe = nil // stays open, since writing to a broken pipe would end this process
	}
	in.ready.Write([]byte{1}) // if the other process has ended, this one keeps the sockets all the same
	in.ready.Close()
	if in.pipe != nil {
		in.pipe.Close()
	}
	in.ready, in.stderr, in.pipe = nil, nil, nil
}

// fileIdentity returns a text that no other file has as long as this one exists.
func fileIdentity(info fs.FileInfo) string {
	stat := info.Sys().(*syscall.Stat_t)
	return fmt.Sprintf("%x-%x", stat.Dev, stat.Ino)
}

// copyOf returns a second descriptor of a listener's socket. A file of UnixListener.File becomes
// blocking when a process is started with it, and so does the listener: nothing could wake its
// Accept then.
func copyOf(l *net.UnixListener) (*os.File, error) {
	raw, err := l.SyscallConn()
	if err != nil {
		return nil, err
	}
	var copied int
	var failure error
	err = raw.Control(func(fd uintptr) { copied, failure = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) })
	if err = errors.Join(err, os.NewSyscallError("fcntl", failure)); err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(copied), l.Addr().String()), nil
}
