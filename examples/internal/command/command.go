// Package command implements the roles, flags and exit codes of the example programs.
package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"

	"github.com/rxipc/rxipc/socket"
)

// ErrUsage means that the arguments of a program are invalid.
var ErrUsage = errors.New("usage")

// Main is the main function of a program whose first argument is a role. Without arguments
// it runs story.
func Main(name, usage string, story func() error, roles map[string]func(args []string) error) {
	err := ErrUsage
	if len(os.Args) == 1 {
		err = story()
	} else if play := roles[os.Args[1]]; play != nil {
		err = play(os.Args[2:])
	}
	Exit(name, usage, err)
}

// Self returns a command that runs this program with other arguments and writes to the output of
// this process. The end of ctx kills it, unless its Cancel is set.
func Self(ctx context.Context, args ...string) *exec.Cmd {
	self, err := os.Executable()
	process := exec.CommandContext(ctx, self, args...)
	process.Stdout, process.Stderr = os.Stdout, os.Stderr
	if err != nil {
		process.Err = err // Start returns it
	}
	return process
}

// Story calls tell with a temporary folder and a context that ends with a signal, or with the
// first error that fail is called with. It returns why the context ended: nil if it did not.
func Story(name string, tell func(ctx context.Context, dir string, fail func(error))) error {
	dir, err := os.MkdirTemp("", name)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ctx, stop := socket.NotifyContext(context.Background())
	defer stop()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	tell(ctx, dir, fail)
	return context.Cause(ctx)
}

// Exit ends the program of that name with the exit code of err, see [socket.ExitCode].
// For [ErrUsage] it prints usage, and the code is 2. It prints any other error, except a
// signal, which the shell prints.
func Exit(name, usage string, err error) {
	code := socket.ExitCode(err)
	switch {
	case err == ErrUsage:
		code = 2
		fmt.Fprint(os.Stderr, usage)
	case err != nil && code < 128:
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
	}
	os.Exit(code)
}

// DirFlag adds the flag for the folder of the sockets.
func DirFlag(flags *flag.FlagSet) *string {
	return flags.String("dir", "", "`folder` of the sockets (default "+socket.DefaultDir()+")")
}

// NameFlag adds the flag for the name of the server.
func NameFlag(flags *flag.FlagSet, name string) *string {
	return flags.String("name", name, "`name` of the server")
}

// ParseDialect parses the version of innmind/ipc that a server speaks.
func ParseDialect(text string) (socket.Dialect, error) {
	switch text {
	case "4":
		return socket.Dialect4, nil
	case "5":
		return socket.Dialect5, nil
	}
	return 0, fmt.Errorf("parse dialect %q: want 4 or 5", text)
}
