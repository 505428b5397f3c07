// Package command has what the programs among the examples share: flags, and their end.
package command

import (
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/rxipc/rxipc/socket"
)

// ErrUsage says that the arguments of a program mean nothing to it.
var ErrUsage = errors.New("usage")

// Exit ends the program of that name with the exit code of err, see [socket.ExitCode].
// For [ErrUsage] it prints usage, and the code is 2. It prints any other error, unless a
// signal was the reason, which the shell tells.
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
	return 0, fmt.Errorf("dialect %q: there are 4 and 5", text)
}
