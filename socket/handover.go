package socket

import (
	"context"
	"os/exec"
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
	if err := ipc.listeners.HandOver(ctx, cmd, ipc.config.Log); err != nil {
		return &Error{Op: "hand over", Err: err}
	}
	return nil
}
