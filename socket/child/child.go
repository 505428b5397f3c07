package child

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/internal/subprocess"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/systemd"
	"github.com/rxipc/rxipc/stream/system"
)

// defaultGrace is the time between SIGTERM and SIGKILL.
const defaultGrace = 5 * time.Second

// connectionName is the name that systemd gives to a connection.
const connectionName = "connection"

// Child is a program that was started, and the connection to it. Its methods may be called from any
// goroutine.
type Child struct {
	child   *subprocess.Process
	process *socket.Process
	named   bool
	end     context.CancelCauseFunc // ends the child
	done    chan struct{}           // closed when it has exited, and nothing of its group is left
	willing bool                    // it has exited by itself; to be read when done
}

// Start starts cmd with one end of a socketpair, and does the handshake with the server in it. ctx is
// the life of the child: when it ends, the child is ended. If the child ends before the handshake,
// Start fails at once, with a [*system.CommandError] that has the exit status and the last 4 KiB of
// its standard error. If the handshake fails otherwise, or ctx ends, Start ends the child and fails
// with that reason in the same way.
//
// cmd must not have been started. Its Stderr, if there is one, gets the standard error through a
// pipe. Its ExtraFiles begin at descriptor 4 in the child. [socket.ClientConfig.Servers] of ipc sees this
// process's own user as the peer. On Windows Start fails with errors.ErrUnsupported; see
// [StartNamed].
//
// [ClientConfig.Servers]: https://pkg.go.dev/github.com/rxipc/rxipc/socket#ClientConfig
func Start(ctx context.Context, ipc *socket.IPC, cmd *exec.Cmd) fold.Attempt[*Child] {
	c := prepare(cmd, false)
	ours, theirs, err := socketpair()
	if err != nil {
		return c.fail(err)
	}
	cmd.ExtraFiles = append([]*os.File{theirs}, cmd.ExtraFiles...)
	cmd.Env = systemd.ListenEnviron(cmd.Environ(), connectionName)
	err = c.child.Start()
	theirs.Close()
	if err != nil {
		ours.Close()
		return c.fail(err)
	}
	return c.connect(ctx, func(ctx context.Context) fold.Attempt[*socket.Process] { return ipc.Attach(ctx, ours) })
}

// StartNamed starts cmd and connects to the name on which the program listens. The arguments of cmd
// tell the program the folder of ipc. Otherwise it is [Start], with two differences. Close sends
// SIGTERM at once, since the server does not end with its client. And others can connect, so a folder
// of the program's own helps:
//
//	dir, err := os.MkdirTemp("", "private")
//	ipc := socket.New(socket.Config{Dir: dir})
//	c := child.StartNamed(ctx, ipc, exec.Command("worker", "-dir", dir), name)
func StartNamed(ctx context.Context, ipc *socket.IPC, cmd *exec.Cmd, name socket.Name) fold.Attempt[*Child] {
	c := prepare(cmd, true)
	if err := c.child.Start(); err != nil {
		return c.fail(err)
	}
	return c.connect(ctx, func(ctx context.Context) fold.Attempt[*socket.Process] { return ipc.ConnectTo(ctx, name) })
}

func prepare(cmd *exec.Cmd, named bool) *Child {
	if cmd.Stderr != nil {
		cmd.Stderr = &subprocess.Words{Tail: subprocess.LastWords, To: cmd.Stderr}
	}
	cmd.WaitDelay = cmp.Or(cmd.WaitDelay, defaultGrace)
	dieWithParent(cmd)
	return &Child{child: subprocess.Prepare(cmd), named: named, done: make(chan struct{})}
}

// connect connects to a child that was started, unless it exits before. The child ends with ctx
// from then on.
func (c *Child) connect(ctx context.Context, connect func(context.Context) fold.Attempt[*socket.Process]) fold.Attempt[*Child] {
	life, end := context.WithCancelCause(ctx)
	c.end = end
	go c.keep(life)
	process, err := connect(life).Get()
	if err != nil {
		return c.fail(c.reason(err))
	}
	c.process = process
	return fold.Succeed(c)
}

// keep waits until the child exits, or is to be ended. The group is killed once, at the exit: later
// the system may use its number again.
func (c *Child) keep(life context.Context) {
	defer close(c.done)
	select {
	case <-c.child.Exited:
		c.willing = true
	case <-life.Done():
	}
	c.child.Stop()
	c.end(errExited)
}

var (
	errExited = errors.New("the program has ended")
	errEnough = errors.New("the child was closed")
)

// exitTime is how long a program that has closed its connection has to exit, before it is ended
// and the reason is that it closed the connection.
const exitTime = 250 * time.Millisecond

// reason ends a child to which no connection was made, and returns why: by its exit, otherwise by
// the error of connecting.
func (c *Child) reason(err error) error {
	late := time.NewTimer(exitTime)
	defer late.Stop()
	select {
	case <-c.done:
	case <-late.C:
		c.end(errEnough)
		<-c.done
	}
	switch {
	case !c.willing:
		return err
	case c.child.Err != nil:
		return c.child.Err
	}
	return fmt.Errorf("it exited with status 0 before it was connected: %w", err)
}

// fail returns the failure of a start.
func (c *Child) fail(err error) fold.Attempt[*Child] {
	return fold.Fail[*Child](c.failure(err))
}

func (c *Child) failure(err error) error {
	return &system.CommandError{Command: c.child.Cmd.String(), LastWords: string(c.child.Words.Bytes()), Err: err}
}

// Process returns the connection to the child. Its calls fail when the child has ended; Err says how
// then. Closing it ends a child that serves a [Listener].
func (c *Child) Process() *socket.Process { return c.process }

// Cmd returns the command, for instance for its process ID. It must not be waited for.
func (c *Child) Cmd() *exec.Cmd { return c.child.Cmd }

// Done is closed when the child has exited, and what was left of its group was killed.
func (c *Child) Done() <-chan struct{} { return c.done }

// Err returns how the child has exited: nil before Done and for status 0, otherwise a
// [*system.CommandError] with the exit status and the last 4 KiB of its standard error.
func (c *Child) Err() error {
	select {
	case <-c.done:
	default:
		return nil
	}
	if c.child.Err != nil {
		return c.failure(c.child.Err)
	}
	return nil
}

// Close closes the connection in an orderly way and waits for the exit of the child, which a server
// of a [Listener] does by itself. A child that has not exited after the grace, and one of StartNamed
// at once, gets SIGTERM, and after the grace SIGKILL; so do the processes of its group. When ctx
// ends, Close goes on to SIGTERM at once. It returns when the child has exited. Its error is that of
// Err, and nil if the child exited because of these signals.
func (c *Child) Close(ctx context.Context) error {
	c.process.Close(ctx)
	if !c.named {
		late := time.NewTimer(c.child.Grace())
		defer late.Stop()
		select {
		case <-c.done:
		case <-late.C:
		case <-ctx.Done():
		}
	}
	c.end(errEnough)
	<-c.done
	if c.willing {
		return c.Err()
	}
	return nil
}
