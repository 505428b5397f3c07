//go:build unix

// Package programtest runs a program as real processes in its own tests. The test binary is the
// program as well: its processes call main instead of the tests.
package programtest

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is the time that a test waits for a program, much longer than needed on a loaded
// machine.
const patience = 2 * time.Minute

const asProgram = "RXIPC_EXAMPLE_AS_PROGRAM"

// Main runs the tests, or main in a process that Start has started. TestMain calls it.
func Main(m *testing.M, main func()) {
	if os.Getenv(asProgram) != "" {
		main()
		os.Exit(0)
	}
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGHUP} {
		if signal.Ignored(s) { // a handled signal is not ignored in the programs
			signal.Notify(make(chan os.Signal, 1), s)
		}
	}
	os.Exit(m.Run())
}

// Dir makes a folder with a path short enough for sockets.
func Dir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "rxipc")
	if err != nil {
		t.Fatalf("make a folder: got %v, want no error", err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// Program is a process that runs the program, with the processes that it starts.
type Program struct {
	t       *testing.T
	process *exec.Cmd
	input   io.Closer
	output  output
	stderr  bytes.Buffer
	ended   chan struct{} // closed when it has exited and its output is at the end
}

// Result is the outcome of a program.
type Result struct {
	Code   int      // -1 if a signal ended it
	Lines  []string // lines of standard output that the test has not read
	Stderr string   // text of standard error
}

// Start starts the program in a process group of its own. The end of the test kills the group. Its temporary folder is temp, unless that is empty.
func Start(t *testing.T, temp string, args ...string) *Program {
	t.Helper()
	p := &Program{t: t, ended: make(chan struct{})}
	p.output.changed = make(chan struct{}, 1)
	p.process = exec.Command(os.Args[0], args...)
	p.process.Env = append(os.Environ(), asProgram+"=1", "GORACE=atexit_sleep_ms=0")
	if temp != "" {
		p.process.Env = append(p.process.Env, "TMPDIR="+temp)
	}
	p.process.Stderr = &p.stderr
	p.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.process.Stdout = &p.output
	input, err := p.process.StdinPipe()
	if err == nil {
		p.input = input
		err = p.process.Start()
	}
	if err != nil {
		t.Fatalf("start the program with the arguments %q: %v", args, err)
	}
	go func() {
		defer close(p.ended)
		p.process.Wait() // waits for the end of the output, too
	}()
	t.Cleanup(p.kill)
	return p
}

// Run starts the program and waits for its end.
func Run(t *testing.T, args ...string) Result {
	t.Helper()
	return Start(t, "", args...).Wait()
}

// kill kills the remaining processes. The group's ID is in use as long as one of them runs.
func (p *Program) kill() {
	select {
	case <-p.ended:
		return
	default:
	}
	syscall.Kill(-p.process.Process.Pid, syscall.SIGKILL)
	<-p.ended
}

// Line waits for the next line on standard output.
func (p *Program) Line() string {
	p.t.Helper()
	late := time.After(patience)
	for {
		if line, ok := p.output.line(); ok {
			return line
		}
		select {
		case <-p.output.changed:
		case <-p.ended:
			if line, ok := p.output.line(); ok {
				return line
			}
			p.t.Fatalf("read a line of %q: it ended, %v, %s", p.process.Args[1:], p.process.ProcessState, &p.stderr)
		case <-late:
			p.t.Fatalf("read a line of %q: got none within %v", p.process.Args[1:], patience)
		}
	}
}

// Await reads lines up to the given one.
func (p *Program) Await(want string) {
	p.t.Helper()
	for p.Line() != want {
	}
}

// Signal sends a signal to the program, and not to the processes that it started.
func (p *Program) Signal(s os.Signal) {
	p.t.Helper()
	if err := p.process.Process.Signal(s); err != nil {
		p.t.Fatalf("send %v to %q: got %v, want no error", s, p.process.Args[1:], err)
	}
}

// SignalAll sends a signal to the program and the processes that it started, as a terminal does.
func (p *Program) SignalAll(s syscall.Signal) {
	p.t.Helper()
	if err := syscall.Kill(-p.process.Process.Pid, s); err != nil {
		p.t.Fatalf("send %v to %q: got %v, want no error", s, p.process.Args[1:], err)
	}
}

// EndInput ends the program's standard input, which is empty.
func (p *Program) EndInput() { p.input.Close() }

// Wait waits until the program and the processes that it started have ended.
func (p *Program) Wait() Result {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.t.Fatalf("wait for the end of %q: it still runs after %v", p.process.Args[1:], patience)
	}
	if err := syscall.Kill(-p.process.Process.Pid, 0); !errors.Is(err, syscall.ESRCH) {
		p.t.Errorf("end %q: its processes still run, want none", p.process.Args[1:])
	}
	var lines []string
	for line, ok := p.output.line(); ok; line, ok = p.output.line() {
		lines = append(lines, line)
	}
	return Result{p.process.ProcessState.ExitCode(), lines, p.stderr.String()}
}

// Expect fails the test unless the program ended with the code and the unread lines of its output
// are these. If the code is 0 or that of a signal, standard error must be empty.
func (r Result) Expect(t *testing.T, code int, lines ...string) {
	t.Helper()
	if r.Code != code || !slices.Equal(r.Lines, lines) || (code == 0 || code > 128) && r.Stderr != "" {
		t.Fatalf("end the program: got code %d, lines %q and %q on standard error; want %d, %q", r.Code, r.Lines, r.Stderr, code, lines)
	}
}

// ExpectError fails the test unless the program ended with code 1, and printed only one line, on
// standard error, that contains all the texts.
func (r Result) ExpectError(t *testing.T, texts ...string) {
	t.Helper()
	missing := slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(r.Stderr, text) })
	if r.Code != 1 || len(r.Lines) > 0 || strings.Count(r.Stderr, "\n") != 1 || missing {
		t.Fatalf("end the program: got code %d, lines %q and %q on standard error; want code 1 and one line with %q", r.Code, r.Lines, r.Stderr, texts)
	}
}

// IsEmpty fails the test if the folder is not empty.
func IsEmpty(t *testing.T, dir string) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(left) > 0 {
		t.Fatalf("list the folder: got %q, %v, want it empty", left, err)
	}
}

// output buffers the unread output of a program.
type output struct {
	changed chan struct{} // holds a token after a write

	mu      sync.Mutex
	written []byte
}

// Write implements io.Writer for the program.
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	o.written = append(o.written, b...)
	o.mu.Unlock()
	select {
	case o.changed <- struct{}{}:
	default:
	}
	return len(b), nil
}

// line takes the next line, if it is complete.
func (o *output) line() (string, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	line, rest, found := bytes.Cut(o.written, []byte{'\n'})
	if found {
		o.written = rest
	}
	return string(line), found
}
