//go:build unix

package system_test

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/system"
	"github.com/rxipc/rxipc/stream/text"
)

// shell is a child that runs a script, and whose descriptor 3 is the writing end of a pipe.
// left reads that to its end, which comes when no process has it open.
func shell(t *testing.T, script string, options ...func(*exec.Cmd)) (source func(...text.Option) stream.Observable[string], left func() string) {
	t.Helper()
	r, w, err := os.Pipe()
	must(t, "make a pipe", err)
	t.Cleanup(func() { r.Close(); w.Close() })
	source = func(reading ...text.Option) stream.Observable[string] {
		return system.Command(func() *exec.Cmd {
			cmd := exec.Command("sh", "-c", script)
			cmd.ExtraFiles = []*os.File{w}
			for _, option := range options {
				option(cmd)
			}
			return cmd
		}, reading...)
	}
	return source, func() string {
		t.Helper()
		w.Close()
		r.SetReadDeadline(time.Now().Add(2 * time.Minute))
		written, err := io.ReadAll(r)
		if err != nil {
			t.Errorf("wait for the processes of the run to close their output: got %v, want its end", err)
		}
		return string(written)
	}
}

func TestCommandEmitsLinesUpToItsExit(t *testing.T) {
	source, left := shell(t, "echo a; echo to nobody >&2; printf 'b\\nc'")
	for range 2 { // each run is a process of its own
		if got, err := source().Collect(t.Context()); err != nil || !slices.Equal(got, []string{"a", "b", "c"}) {
			t.Errorf("a child that ends well: got %q, %v; want a, b, c", got, err)
		}
	}
	left()
}

func TestCommandThatFails(t *testing.T) {
	source, left := shell(t, "echo a; seq 5000 >&2; echo 'no such thing' >&2; exit 3")
	got, err := source().Collect(t.Context())
	var failed *system.CommandError
	var exit *exec.ExitError
	if !errors.As(err, &failed) || !errors.As(err, &exit) || exit.ExitCode() != 3 || !slices.Equal(got, []string{"a"}) {
		t.Fatalf("a child that exits with 3: got %q, %v; want a, a CommandError with status 3", got, err)
	}
	if !strings.HasSuffix(err.Error(), ": exit status 3: no such thing") {
		t.Errorf("the error is %q, want it to end with how the child ended, and its last words", err)
	}
	if n := len(failed.LastWords); n > 4<<10 || !strings.Contains(failed.LastWords, "4999\n5000\n") {
		t.Errorf("%d bytes of last words, want at most 4 KiB, of the end", n)
	}
	left()

	source, left = shell(t, "kill -9 $$")
	if err := source().Run(t.Context()); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Errorf("a child that was killed: %v, want an ExitError with SIGKILL", err)
	}
	left()
}

func TestCommandThatCannotBeStarted(t *testing.T) {
	var failed *system.CommandError
	err := system.Command(func() *exec.Cmd { return exec.Command("/does/not/exist") }).Run(t.Context())
	if !errors.As(err, &failed) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a program that does not exist: %v, want a CommandError with os.ErrNotExist", err)
	}
	err = system.Command(func() *exec.Cmd {
		cmd := exec.Command("true")
		cmd.Stdout = io.Discard
		return cmd
	}).Run(t.Context())
	if !errors.As(err, &failed) {
		t.Errorf("a Stdout that is set: %v, want a CommandError", err)
	}
	ended, cancel := context.WithCancelCause(t.Context())
	cancel(errCause)
	if err := system.Command(func() *exec.Cmd { panic("started") }).Run(ended); err != errCause {
		t.Errorf("a context that has ended: %v, want %v and no child", err, errCause)
	}
}

// TestCommandLeavesNoProcess ends runs in each way while the child and one that it
// started would go on for long.
func TestCommandLeavesNoProcess(t *testing.T) {
	const script = "sleep 10000 & echo ready; sleep 10000"
	t.Run("cancelled", func(t *testing.T) {
		source, left := shell(t, script)
		ctx, cancel := context.WithCancelCause(t.Context())
		if err := source()(ctx, func(string) bool { cancel(errCause); return true }); err != errCause {
			t.Errorf("a run that was cancelled: %v, want %v", err, errCause)
		}
		left()
	})
	t.Run("unwanted", func(t *testing.T) {
		source, left := shell(t, script)
		if line, err := source().First(t.Context()).Get(); line != "ready" || err != nil {
			t.Errorf("the first line: %q, %v; want ready", line, err)
		}
		left()
	})
	t.Run("failed", func(t *testing.T) {
		source, left := shell(t, script)
		if err := source(text.Limit(3)).Run(t.Context()); !errors.Is(err, text.ErrTooLong) {
			t.Errorf("a line over the limit: %v, want ErrTooLong", err)
		}
		left()
	})
	t.Run("panicked", func(t *testing.T) {
		source, left := shell(t, script)
		func() {
			defer func() { recover() }()
			source()(t.Context(), func(string) bool { panic("yield") })
		}()
		left()
	})
	t.Run("output closed, then cancelled", func(t *testing.T) {
		source, left := shell(t, "exec >&-; echo closed >&3; sleep 10000")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancelled := context.AfterFunc(ctx, func() {})
		defer cancelled()
		go cancel(errCause)
		if err := source().Run(ctx); err != errCause {
			t.Errorf("a run that was cancelled: %v, want %v", err, errCause)
		}
		left()
	})
	for name, script := range map[string]string{
		"exited, with one of its group left":                     "sleep 10000 >/dev/null 2>&1 & exit 0",
		"exited, with one of its group left that has its errors": "sleep 10000 >/dev/null & exit 0",
	} {
		t.Run(name, func(t *testing.T) {
			source, left := shell(t, script)
			if err := source().Run(t.Context()); err != nil {
				t.Errorf("run a child that exits with 0: got %v, want no error", err)
			}
			left()
		})
	}
}

func TestCommandIsAskedToEndFirst(t *testing.T) {
	patient := func(cmd *exec.Cmd) { cmd.WaitDelay = time.Hour }
	// The sleep holds the child's standard error, and ignores what the child heeds.
	source, left := shell(t, "(trap '' TERM; exec sleep 10000) & trap 'echo cleaned up >&3; exit 1' TERM; echo ready; wait", patient)
	if line, err := source().First(t.Context()).Get(); line != "ready" || err != nil {
		t.Errorf("the first line: %q, %v; want ready", line, err)
	}
	if got := left(); got != "cleaned up\n" {
		t.Errorf("the child wrote %q when it was asked to end, want cleaned up", got)
	}

	impatient := func(cmd *exec.Cmd) { cmd.WaitDelay = time.Millisecond }
	source, left = shell(t, "trap '' TERM; echo ready; sleep 10000 & wait", impatient)
	if line, err := source().First(t.Context()).Get(); line != "ready" || err != nil {
		t.Errorf("the first line: %q, %v; want ready", line, err)
	}
	left() // it ignores SIGTERM, and is killed
}
