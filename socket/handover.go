package socket

import (
	"context"
	"os/exec"
)

// HandOver replaces this process by a new one, mostly of a newer version of the same program, and
// no client is refused meanwhile. It starts cmd with the sockets of all names that this IPC listens
// on, waits until the new process listens on each of them, and then stops accepting: each run of
// [IPC.Listen] completes. Connections that were accepted before stay with this process. Its server
// ends when its last client has left, or with its context, and keeps its own carry. A [Pool] keeps
// its connections as long as it has requests. If the server ends by its context, the pool goes on
// with the new process, and no request fails.
//
// The sockets arrive as systemd passes them, in LISTEN_FDS and LISTEN_FDNAMES, so the new process
// needs nothing but [Unix.Inherit]. There is no LISTEN_PID, whose number is not known before the
// start. The new process also gets the lock on the name, and removes the socket in the end. HandOver
// tells a manager of services the new main process, and ignores a manager that is gone.
//
// If a socket file was removed, the new process makes it again. If another server has replaced
// it, HandOver fails with [ErrInUse] before it starts cmd, since no client would reach the new
// process there: end that server first. If it is replaced later, the new process calls
// [ServerHooks].SocketLost and leaves the file alone.
//
// HandOver fails with [ErrSuccessor] if cmd or ctx ends before cmd listens on all names. The error
// has the exit status, as an *exec.ExitError, and up to 2 KiB of the standard error of cmd. HandOver
// kills cmd then, and this process goes on as before. Clients that cmd had accepted lose their
// connection. While one HandOver is under way, another one fails at once with [ErrHandingOver] and
// starts nothing. If this IPC listens on no name, HandOver fails with [ErrNotListening].
//
// After success a caller that stays for long calls cmd.Wait. Give cmd files as Stdout and Stderr,
// or nothing: other writers end with this process. If the path of cmd is that of this process's own
// executable, and there is no file any more, HandOver uses the file that replaced it or, on Linux,
// the executable that runs.
//
// The new process is a child of this one, which must be able to end before its child. HandOver
// fails with errors.ErrUnsupported and the reason where that is not so: as process 1 of a
// container, under a supervisor that knows one process only (runit, s6, daemontools, supervisord,
// launchd, and tini and others in containers), and in a service of systemd that is not of
// Type=notify. A supervisor that is not recognized, such as a script, has to outlive this process.
//
// The ExtraFiles of cmd must be empty, because the sockets go there. HandOver also fails with
// errors.ErrUnsupported on Windows, and if the Transport of a name is another than [Unix].
func (ipc *IPC) HandOver(ctx context.Context, cmd *exec.Cmd) error {
	if err := ipc.listeners.HandOver(ctx, cmd, ipc.config.Log); err != nil {
		return &Error{Op: "hand over", Err: err}
	}
	return nil
}
