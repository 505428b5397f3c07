package unixsock

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

// Registry has the listeners of an IPC, which HandOver gives to another process. The zero
// Registry is ready for use.
type Registry struct {
	busy sync.Mutex // locked by HandOver

	mu  sync.Mutex
	all map[*listening]struct{}
}

// listening is a name and its listener.
type listening struct {
	name     string
	listener net.Listener
}

// Add makes a listener one of those to hand over, until remove is called.
func (r *Registry) Add(name string, l net.Listener) (remove func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all == nil {
		r.all = map[*listening]struct{}{}
	}
	s := &listening{name, l}
	r.all[s] = struct{}{}
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.all, s)
	}
}

// HandOver starts cmd with the sockets of all listeners, and waits until cmd listens on each of
// them. From then on Accept of the listeners fails with ErrHandedOver. If cmd does not take over,
// HandOver ends it and fails with ErrSuccessor, and the listeners stay with this process. While
// one call is under way another fails with ErrHandingOver. Without a listener it fails with
// ErrNotListening.
func (r *Registry) HandOver(ctx context.Context, cmd *exec.Cmd, log *slog.Logger) (err error) {
	if !r.busy.TryLock() {
		return ErrHandingOver
	}
	defer r.busy.Unlock()
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
	b, err := r.pack()
	defer func() { err = errors.Join(err, b.settle(err == nil)) }()
	if err != nil {
		return err
	}
	return b.deliver(ctx, cmd, log)
}

// bundle is the descriptors that go to another process.
type bundle struct {
	listeners []*Listener
	files     []*os.File
	names     []string   // of the files
	copies    []*os.File // of the listeners' sockets
}

// pack takes all listeners. From then on they are between two processes.
func (r *Registry) pack() (*bundle, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := new(bundle)
	for s := range r.all {
		l, ok := s.listener.(*Listener)
		if !ok {
			return b, fmt.Errorf("%v, listened on by a %T: %w", s.name, s.listener, errors.ErrUnsupported)
		}
		if err := b.add(s.name, l); err != nil {
			return b, fmt.Errorf("%v: %w", s.name, err)
		}
	}
	if len(b.listeners) == 0 {
		return b, fmt.Errorf("%w on any name of this IPC", ErrNotListening)
	}
	return b, nil
}

// add packs one listener, and its lock.
func (b *bundle) add(name string, l *Listener) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil // its server is just ending
	}
	if err := l.lost(); errors.Is(err, ErrInUse) {
		return err
	}
	file, err := copyOf(l.socket)
	if err != nil {
		return err
	}
	l.state = between
	b.listeners = append(b.listeners, l)
	b.copies = append(b.copies, file)
	b.files, b.names = append(b.files, file), append(b.names, name)
	if l.lock != nil {
		b.files, b.names = append(b.files, l.lock.file), append(b.names, lockName(name, l.info))
	}
	return nil
}

// lockName returns the name of the descriptor of a lock: NAME.FILE.lock, with the identity of
// the socket's file, so that the new process does not take another server's file for its own.
// Without a file it is NAME.lock.
func lockName(name string, file fs.FileInfo) string {
	if file == nil {
		return name + lockSuffix
	}
	return name + "." + fileIdentity(file) + lockSuffix
}

// deliver starts the new process and waits until it is ready. If it does not get ready, deliver
// kills it.
func (b *bundle) deliver(ctx context.Context, cmd *exec.Cmd, log *slog.Logger) error {
	s, err := b.start(cmd)
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
	default: // a manager that is gone cannot end the service
		log.Warn("the manager of services was not told of the new main process", "error", err)
	}
	return nil
}

// settle ends the time between two processes: either the other one has the sockets, or they stay.
func (b *bundle) settle(delivered bool) (err error) {
	for i, l := range b.listeners {
		err = errors.Join(err, l.settle(delivered, b.copies[i]), b.copies[i].Close())
	}
	return err
}

// settle is that of a bundle for one listener and the copy of its socket. A listener that stays
// calls listen(2) again, since the other process may have called it, and clients see the process
// that called it last.
func (l *Listener) settle(delivered bool, socket *os.File) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case delivered:
		l.state, l.closed = away, true
		err := l.stop()
		if l.lock != nil {
			err = errors.Join(err, l.lock.file.Close()) // the other process has a copy, which holds the lock
		}
		return err
	case l.closed: // during the hand-over
		return l.close()
	}
	l.state = here
	if l.lock == nil {
		return nil
	}
	_ = l.lock.sign() // the other process may have signed it
	return listenWith(socket, l.place.backlog)
}
