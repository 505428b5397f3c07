package system

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/rxipc/rxipc/internal/subprocess"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/text"
)

// CommandError says how a child process failed. It wraps the [*exec.ExitError], or the
// error of starting the process or waiting for it.
type CommandError struct {
	Command   string // as exec.Cmd prints it
	LastWords string // the end of its standard error, at most 4 KiB
	Err       error  // the *exec.ExitError, or the error of starting the command or waiting for it
}

// Error names the command, how it ended, and the last line that it wrote to standard error.
func (e *CommandError) Error() string {
	message := fmt.Sprintf("system: command %q: %v", e.Command, e.Err)
	words := strings.TrimSpace(e.LastWords)
	if last := words[strings.LastIndexByte(words, '\n')+1:]; last != "" {
		message += ": " + last
	}
	return message
}

// Unwrap returns Err.
func (e *CommandError) Unwrap() error { return e.Err }

// Command starts a child process in each run and emits the lines of its standard output,
// read as by [text.Lines] with the options. The run completes when the output has ended and
// the child has exited with status 0. It fails with a [*CommandError] if the child cannot
// be started or exits otherwise.
//
// The run leaves no process. However it ends, it kills the process group of the child, to
// which the processes that the child started belong; on Windows it kills the child alone.
// If the WaitDelay of the exec.Cmd is positive, the run first sends SIGTERM to the group of
// a child that has not exited, and waits for its exit, at most that long.
//
// make returns a new exec.Cmd at each call; nil panics. Its Stdout must not be set. If its Stderr is
// nil, the end of the standard error is kept for the CommandError. If another process still
// has the standard error open when the child has exited, the run waits for it a second at
// most.
func Command(make func() *exec.Cmd, options ...text.Option) stream.Observable[string] {
	mustHave("Command", "function", make != nil)
	return func(ctx context.Context, yield func(string) bool) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		c, err := start(make())
		if err != nil {
			return err
		}
		defer c.stop()
		wanted := true
		err = text.Lines(c.output, options...)(ctx, func(line string) bool {
			wanted = yield(line)
			return wanted
		})
		if err != nil || !wanted {
			return err
		}
		select {
		case <-c.Exited:
			if c.Err != nil {
				return c.failure(c.Err)
			}
		case <-ctx.Done():
		}
		return context.Cause(ctx)
	}
}

// child is the process of a run.
type child struct {
	*subprocess.Process
	output *os.File
}

func start(cmd *exec.Cmd) (*child, error) {
	mustHave("Command", "exec.Cmd", cmd != nil)
	c := &child{Process: subprocess.Prepare(cmd)}
	if cmd.Stdout != nil {
		return nil, c.failure(errors.New("its Stdout is set"))
	}
	output, input, err := os.Pipe()
	if err != nil {
		return nil, c.failure(err)
	}
	defer input.Close()
	c.output, cmd.Stdout = output, input
	if err := c.Start(); err != nil {
		output.Close()
		return nil, c.failure(err)
	}
	return c, nil
}

// stop ends the child and its group.
func (c *child) stop() {
	defer c.output.Close()
	c.Stop()
}

func (c *child) failure(err error) error {
	return &CommandError{Command: c.Cmd.String(), LastWords: string(c.Words.Bytes()), Err: err}
}
