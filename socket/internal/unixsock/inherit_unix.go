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

// inheritSocket listens on the socket that the process was started with for a name, or
// returns nil if there is none.
func (p *Place) inheritSocket(name string) (*Listener, error) {
	return inherited().listen(p, name)
}

// inherited is what the process was started with. It is looked at once: the
// descriptors are those of the first who asks.
var inherited = sync.OnceValue(func() *inheritance {
	names, err := systemd.TakeListenNames()
	return newInheritance(names, err, systemd.FirstFD)
})

// inheritance is the sockets of other makers, by name.
type inheritance struct {
	err error // the environment says what cannot be

	mu      sync.Mutex
	sockets map[string]*inheritedSocket
	ready   *os.File // tells the process that hands over; nil: none does
	stderr  *os.File // is to be the standard error once it is told; may be nil
	pipe    *os.File // is held until then; may be nil
}

// inheritedSocket is a socket that somebody else made.
type inheritedSocket struct {
	file *os.File
	lock *os.File // held; nil if the socket stays its maker's
	used bool     // it is listened on, or it was handed on

	identity string // of the socket's file, from the name of the lock; empty: not known
}

// heldLock is a lock that came with a socket, and the identity of the socket's file.
type heldLock struct {
	file     *os.File
	identity string
}

// newInheritance makes an inheritance of descriptors from first on. Child processes do not
// get them. It leaves a descriptor alone if its name is not of a socket of rxipc. names and err
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
			socket.lock, socket.identity = lock.file, lock.identity
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

// socketPath is where a unix socket is bound, or empty.
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

// open listens on a socket. One that came with its lock is from now on like one made
// here, and who removes it; any other can be opened again once it is closed.
func (in *inheritance) open(p *Place, name string, socket *inheritedSocket) (*Listener, error) {
	if socket.lock == nil {
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
	info, err := os.Lstat(path) // one that was removed is made again
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(err, inner.Close())
	}
	if err == nil && socket.identity != "" && socket.identity != fileIdentity(info) {
		info = nil // another server replaced it meanwhile
	}
	lock := &lockFile{socket.lock}
	_ = lock.sign() // that only helps those who ask
	delete(in.sockets, name)
	return &Listener{
		place: p, addr: inner.Addr(), path: path, socket: inner, info: info, lock: lock,
	}, socket.file.Close()
}

// tellReady tells the process that hands over that all of it is listened on, once it is.
// From then on the standard error is the one that this process was given.
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
		in.pipe = nil // it stays, and open: writing must not end this process
	}
	in.ready.Write([]byte{1}) // the other may have gone, but then the sockets are ours all the more
	in.ready.Close()
	if in.pipe != nil {
		in.pipe.Close()
	}
	in.ready, in.stderr, in.pipe = nil, nil, nil
}

// fileIdentity returns a text that no other file has while this one exists.
func fileIdentity(info fs.FileInfo) string {
	stat := info.Sys().(*syscall.Stat_t)
	return fmt.Sprintf("%x-%x", stat.Dev, stat.Ino)
}

// copyOf is a second descriptor of a listener's socket. The one that File gives would
// make Accept block beyond waking as soon as a process is started with it.
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
