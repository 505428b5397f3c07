package socket

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"runtime"
	"sync"

	"github.com/rxipc/rxipc/socket/systemd"
)

// HandOver replaces this process by a new one, mostly of a newer version of the same
// program, without a client being refused. It starts cmd with the sockets of all names
// that this IPC listens on, waits until the new process listens on each of them, and
// then stops accepting: each run of [IPC.Listen] completes. What was accepted stays
// with this process, whose server ends when its last client has left, or earlier, by
// its context; what it carried is its own. A [Pool] keeps its connections while it has
// requests: end the server by its context, which makes the pool go on with the new process
// and fails no request.
//
// The sockets arrive as systemd passes them (LISTEN_FDS and LISTEN_FDNAMES; but no
// LISTEN_PID, as the number is not known before), so that the new process needs
// [Unix.Inherit] and nothing else. With them goes the lock on the name, and the duty to
// remove the socket. A manager of services is told that the main process is another; one
// that is gone does not matter.
//
// If a socket file was removed, the new process makes it again. If another server has replaced
// it, HandOver fails with [ErrInUse] before it starts cmd, since no client would reach the new
// process there: end that server first. If it is replaced later, the new process calls
// [Hooks].SocketLost and leaves the file alone.
//
// When cmd ends before it is ready, or ctx does, or a name is not listened on there,
// HandOver fails with [ErrSuccessor], which tells the exit status, as an *exec.ExitError,
// and what cmd wrote to its standard error, as far as 2 KiB go: cmd is killed, and this
// process goes on as before; clients that the new one had accepted by then lose their
// connection. While one is under way another one fails at once with [ErrHandingOver], and
// starts nothing. Without a name that is listened on it fails with [ErrNotListening].
//
// Once it has succeeded, cmd.Wait is the caller's to call if it stays long. Give cmd files
// as Stdout and Stderr, or nothing: other writers end with this process. A path of cmd
// that was this process's own executable, and is gone, becomes that of the file that
// replaced it or, on Linux, of the one that runs.
//
// A successor is a child of this process, which must be free to end before it. HandOver
// fails with errors.ErrUnsupported and the reason where it is not: as process 1 of a
// container, under a supervisor that cannot be told (runit, s6, daemontools, supervisord,
// launchd, and tini and its like in containers), and in a service of systemd that is not
// of Type=notify. One that is not recognized, such as a script, has to outlive this process.
//
// The ExtraFiles of cmd must be empty: there the sockets go. It also fails with
// errors.ErrUnsupported on Windows, and when a name is listened on by a Transport
// other than [Unix].
func (ipc *IPC) HandOver(ctx context.Context, cmd *exec.Cmd) error {
	if err := ipc.handing.handOver(ctx, cmd, ipc.config.Log); err != nil {
		return &Error{Op: "hand over", Err: err}
	}
	return nil
}

// errHandedOver is why a listener ends whose socket another process has.
var errHandedOver = errors.New("the socket was handed over")

// handing is what there is to hand over.
type handing struct {
	busy sync.Mutex // one at a time

	mu  sync.Mutex
	all map[*listening]bool
}

// listening is a name and what listens on it.
type listening struct {
	name     Name
	listener net.Listener
}

// add makes a listener one of those to hand over, until the function is called.
func (h *handing) add(name Name, l net.Listener) (remove func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.all == nil {
		h.all = map[*listening]bool{}
	}
	s := &listening{name, l}
	h.all[s] = true
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.all, s)
	}
}

func (h *handing) handOver(ctx context.Context, cmd *exec.Cmd, log *slog.Logger) (err error) {
	if !h.busy.TryLock() {
		return ErrHandingOver
	}
	defer h.busy.Unlock()
	switch {
	case runtime.GOOS == "windows":
		return errors.ErrUnsupported
	case len(cmd.ExtraFiles) > 0:
		return fmt.Errorf("%w: the command has ExtraFiles", ErrInvalid)
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	if err := surroundingsHere().mayLeave(); err != nil {
		return err
	}
	parcel, err := h.pack()
	defer func() { err = errors.Join(err, parcel.settle(err == nil)) }()
	if err != nil {
		return err
	}
	return parcel.deliver(ctx, cmd, log)
}

// parcel is what goes to another process.
type parcel struct {
	listeners []*unixListener
	files     []*os.File
	names     []string   // of the files
	copies    []*os.File // of the listeners' sockets
}

// pack takes all listeners there are. From then on they are between two processes.
func (h *handing) pack() (*parcel, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := new(parcel)
	for s := range h.all {
		l, ok := s.listener.(*unixListener)
		if !ok {
			return p, fmt.Errorf("%v, listened on by a %T: %w", s.name, s.listener, errors.ErrUnsupported)
		}
		if err := p.add(s.name, l); err != nil {
			return p, fmt.Errorf("%v: %w", s.name, err)
		}
	}
	if len(p.listeners) == 0 {
		return p, fmt.Errorf("%w on any name of this IPC", ErrNotListening)
	}
	return p, nil
}

// add packs one listener, and its lock.
func (p *parcel) add(name Name, l *unixListener) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil // it ends at this moment
	}
	if err := l.lost(); errors.Is(err, ErrInUse) {
		return err
	}
	file, err := copyOf(l.socket)
	if err != nil {
		return err
	}
	l.state = between
	p.listeners = append(p.listeners, l)
	p.copies = append(p.copies, file)
	p.files, p.names = append(p.files, file), append(p.names, name.text)
	if l.lock != nil {
		p.files, p.names = append(p.files, l.lock.file), append(p.names, lockName(name, l.info))
	}
	return nil
}

// lockName returns the name of the descriptor of a lock: NAME.FILE.lock, with the identity of
// the socket's file, so that the new process does not take another server's file for its own.
// Without a file it is NAME.lock.
func lockName(name Name, file fs.FileInfo) string {
	if file == nil {
		return name.text + lockSuffix
	}
	return name.text + "." + fileIdentity(file) + lockSuffix
}

// deliver starts the new process and waits until it is ready; else it kills it.
func (p *parcel) deliver(ctx context.Context, cmd *exec.Cmd, log *slog.Logger) error {
	s, err := p.start(cmd)
	if err != nil {
		return err
	}
	if err := s.awaitReady(ctx); err != nil {
		return s.end(err)
	}
	err = systemd.Notify(ctx, systemd.MainPID(cmd.Process.Pid))
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return s.end(err)
	default: // a manager that is gone ends nobody
		log.Warn("the manager of services was not told of the new main process", "error", err)
	}
	return nil
}

// settle ends the time between two processes: the other has the sockets now, or
// they stay.
func (p *parcel) settle(delivered bool) (err error) {
	for i, l := range p.listeners {
		err = errors.Join(err, l.settle(delivered, p.copies[i]), p.copies[i].Close())
	}
	return err
}

// settle is that of a parcel for one listener and the copy of its socket. One that stays
// listens anew: the other process may have, and clients ask who it was.
func (l *unixListener) settle(delivered bool, socket *os.File) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case delivered:
		l.state, l.closed = away, true
		err := l.stop()
		if l.lock != nil {
			err = errors.Join(err, l.lock.file.Close()) // the lock is one with the copy that went
		}
		return err
	case l.closed: // meanwhile
		return l.close()
	}
	l.state = here
	if l.lock == nil {
		return nil
	}
	_ = l.lock.sign() // the other process may have
	return listenWith(socket, l.place.backlog)
}
