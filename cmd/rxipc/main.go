// Command rxipc finds out which servers run on this machine, and talks to them. "rxipc help" lists
// its commands; README.md says more.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/rpc"
)

func main() {
	ctx, stop := socket.NotifyContext(context.Background())
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run runs the program with arguments, and returns its exit code.
func run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errs)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	code := exitCode(err)
	if code < exitSignal { // the shell tells of a signal
		fmt.Fprintln(errs, "rxipc:", err)
	}
	if code == exitUsage {
		fmt.Fprintln(errs, `"rxipc help" lists the commands, "rxipc help COMMAND" its arguments.`)
	}
	return code
}

// The exit codes. README.md documents them.
const (
	exitDone         = 0
	exitFailed       = 1
	exitUsage        = 2
	exitNotListening = 3
	exitNotAllowed   = 4
	exitRejected     = 5
	exitTimeout      = 6
	exitSignal       = 128 // plus the number of the signal
)

// errUsage means that the arguments are wrong.
var errUsage = errors.New("wrong arguments")

// exitCode returns the code for an error.
func exitCode(err error) int {
	var signalled *socket.SignalError
	var problem *rpc.Problem
	is := func(target error) bool { return errors.Is(err, target) }
	switch {
	case errors.As(err, &signalled):
		return socket.ExitCode(signalled)
	case is(errUsage):
		return exitUsage
	case is(socket.ErrNotListening):
		return exitNotListening
	case is(socket.ErrRefused), is(socket.ErrUntrusted), is(fs.ErrPermission):
		return exitNotAllowed
	case is(socket.ErrRejected), is(socket.ErrPanicked), errors.As(err, &problem):
		return exitRejected
	case is(context.DeadlineExceeded), is(socket.ErrNoHandshake):
		return exitTimeout
	}
	return exitFailed
}
