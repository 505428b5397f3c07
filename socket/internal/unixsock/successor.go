package unixsock

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/rxipc/rxipc/internal/subprocess"
	"github.com/rxipc/rxipc/socket/systemd"
)

const (
	// readyName is the name of the pipe in which the successor says that it is ready. The
	// name of a server has no dot.
	readyName = "rxipc.ready"

	// stderrName is the name of the standard error that cmd was given. Until the successor is
	// ready, its descriptor 2 is a pipe to this process, which passes on what it reads and
	// has the last words for an error.
	stderrName = "rxipc.stderr"

	// pipeName is the name of the reading end of that pipe. The successor holds it, too, so
	// that it can still write if this process dies.
	pipeName = "rxipc.pipe"

	// wordsTime is how long this process waits for the last words of a successor that has
	// ended: a child of the successor may still hold its standard error.
	wordsTime = 250 * time.Millisecond

	// wordsSize is how many bytes are kept of the beginning and of the end of what a successor
	// says.
	wordsSize = 1 << 10
)

// successor is the process that gets the sockets.
type successor struct {
	cmd   *exec.Cmd
	ready *os.File          // where it says that it is ready
	words *subprocess.Words // what it writes to its standard error
	heard chan struct{}     // closed when words is complete, or will be after cmd.Wait
}

// start starts cmd with the files of the bundle.
func (b *bundle) start(cmd *exec.Cmd) (*successor, error) {
	ready, tell, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer tell.Close()
	s := &successor{cmd: cmd, ready: ready, words: &subprocess.Words{Head: wordsSize, Tail: wordsSize}, heard: make(chan struct{})}
	b.files, b.names = append(b.files, tell), append(b.names, readyName)

	stdout, stderr := cmd.Stdout, cmd.Stderr
	if file, isFile := stderr.(*os.File); isFile || stderr == nil {
		err = s.startWithPipe(b, file)
	} else {
		s.words.To, cmd.Stderr = stderr, s.words
		if sameWriter(stdout, stderr) {
			cmd.Stdout = s.words // one goroutine writes both, as without words
		}
		close(s.heard)
		err = b.startCommand(cmd)
	}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if err != nil {
		return nil, errors.Join(err, ready.Close())
	}
	return s, nil
}

// startWithPipe starts the command with a pipe as its standard error. The standard error that it
// was given, a file or nothing, goes with the other files.
func (s *successor) startWithPipe(b *bundle, stderr *os.File) error {
	beside := stderr
	if stderr == nil {
		null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		defer null.Close()
		beside = null
	} else {
		s.words.To = stderr
	}
	hear, say, err := os.Pipe()
	if err != nil {
		return err
	}
	b.files, b.names = append(b.files, beside, hear), append(b.names, stderrName, pipeName)
	s.cmd.Stderr = say
	err = errors.Join(b.startCommand(s.cmd), say.Close())
	if err != nil {
		return errors.Join(err, hear.Close())
	}
	go func() {
		io.Copy(s.words, hear)
		hear.Close()
		close(s.heard)
	}()
	return nil
}

// startCommand starts cmd with the files of the bundle as they are then.
func (b *bundle) startCommand(cmd *exec.Cmd) error {
	cmd.ExtraFiles = b.files
	cmd.Env = systemd.ListenEnviron(cmd.Environ(), b.names...)
	findExecutable(cmd)
	return cmd.Start()
}

// awaitReady waits until the successor says that it is ready.
func (s *successor) awaitReady(ctx context.Context) error {
	defer s.ready.Close()
	defer context.AfterFunc(ctx, func() { s.ready.SetReadDeadline(longAgo) })()
	_, err := io.ReadFull(s.ready, make([]byte, 1))
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// end kills a successor that did not take over, and returns an error that says why: by cause, which
// is io.EOF if the successor has ended or has closed what it was given.
func (s *successor) end(cause error) error {
	s.cmd.Process.Kill() // a process that has ended keeps its exit status
	if s.cmd.WaitDelay == 0 && s.cmd.Cancel == nil {
		s.cmd.WaitDelay = wordsTime
	}
	err := s.cmd.Wait()
	timer := time.NewTimer(wordsTime)
	defer timer.Stop()
	select {
	case <-s.heard:
	case <-timer.C:
	}
	if errors.Is(cause, io.EOF) {
		cause = errors.New(s.cmd.ProcessState.String())
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			exit.Stderr = s.words.Bytes()
			cause = exit
		}
	}
	if said := s.words.Line(); said != "" {
		return fmt.Errorf("%w: %w; it said: %s", ErrSuccessor, cause, said)
	}
	return fmt.Errorf("%w: %w", ErrSuccessor, cause)
}

// sameWriter reports whether two writers are the same. Writers that cannot be compared are not.
func sameWriter(a, b io.Writer) bool {
	defer func() { _ = recover() }()
	return a == b
}

// findExecutable corrects a path where there is no file, if it is the path of this process's own
// executable: that may have been replaced or removed, or the path may be relative to a folder that
// this process has left.
func findExecutable(cmd *exec.Cmd) {
	if !isMissing(cmd.Path) {
		return
	}
	self, err := os.Executable()
	path := strings.TrimSuffix(cmd.Path, " (deleted)") // what Linux adds to one that was replaced
	if err != nil || path != self && cmd.Path != os.Args[0] {
		return
	}
	for _, path := range []string{self, "/proc/self/exe"} {
		if !isMissing(path) {
			cmd.Path = path
			return
		}
	}
}

func isMissing(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}
