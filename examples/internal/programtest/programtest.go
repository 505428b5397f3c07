//go:build unix

// Package programtest runs a program as real processes in its own tests. The test
// binary is the program, too: started again, it calls main instead of the tests.
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

// patience is how long a test waits for what a program is to do: much longer than a
// loaded machine takes.
const patience = 2 * time.Minute

const asProgram = "RXIPC_EXAMPLE_AS_PROGRAM"

// Main is what TestMain calls with the program's main.
func Main(m *testing.M, main func()) {
	if os.Getenv(asProgram) != "" {
		main()
		os.Exit(0)
	}
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGHUP} {
		if signal.Ignored(s) { // the programs inherit that, unless it is handled here
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

// Program is a process that runs the program, and those it starts.
type Program struct {
	t       *testing.T
	process *exec.Cmd
	input   io.Closer
	output  output
	stderr  bytes.Buffer
	ended   chan struct{} // it has exited, and nobody can write to its output any more
}

// Result is how a program ended.
type Result struct {
	Code   int      // -1: by a signal
	Lines  []string // of standard output, those that were not read before
	Stderr string   // what it wrote there
}

// Start starts the program in a process group of its own, which is killed at the
// end of the test. Its temporary folder is temp, unless that is empty.
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
		t.Fatalf("start %q: %v", args, err)
	}
	go func() {
		defer close(p.ended)
		p.process.Wait() // for the end of its output, too
	}()
	t.Cleanup(p.kill)
	return p
}

// Run starts the program and waits for its end.
func Run(t *testing.T, args ...string) Result {
	t.Helper()
	return Start(t, "", args...).Wait()
}

// kill ends what still runs. The group's number is taken as long as one of it does.
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
			p.t.Fatalf("%q ended without another line: %v, %s", p.process.Args[1:], p.process.ProcessState, &p.stderr)
		case <-late:
			p.t.Fatalf("%q printed no line in %v", p.process.Args[1:], patience)
		}
	}
}

// Await reads lines up to the given one.
func (p *Program) Await(want string) {
	p.t.Helper()
	for p.Line() != want {
	}
}

// Signal sends the program a signal, not those that it started.
func (p *Program) Signal(s os.Signal) {
	p.t.Helper()
	if err := p.process.Process.Signal(s); err != nil {
		p.t.Fatalf("send %v to %q: got %v, want no error", s, p.process.Args[1:], err)
	}
}

// SignalAll sends a signal to the program and those it started, as a terminal does.
func (p *Program) SignalAll(s syscall.Signal) {
	p.t.Helper()
	if err := syscall.Kill(-p.process.Process.Pid, s); err != nil {
		p.t.Fatalf("send %v to %q: got %v, want no error", s, p.process.Args[1:], err)
	}
}

// EndInput ends the program's standard input, in which there is nothing.
func (p *Program) EndInput() { p.input.Close() }

// Wait waits until the program has ended and all that it started has, too.
func (p *Program) Wait() Result {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.t.Fatalf("%q did not end in %v", p.process.Args[1:], patience)
	}
	if err := syscall.Kill(-p.process.Process.Pid, 0); !errors.Is(err, syscall.ESRCH) {
		p.t.Errorf("%q left processes behind", p.process.Args[1:])
	}
	var lines []string
	for line, ok := p.output.line(); ok; line, ok = p.output.line() {
		lines = append(lines, line)
	}
	return Result{p.process.ProcessState.ExitCode(), lines, p.stderr.String()}
}

// Expect fails the test unless the program ended with the code and these lines were
// the rest of its output, and nothing on standard error if the code is 0 or tells a signal.
func (r Result) Expect(t *testing.T, code int, lines ...string) {
	t.Helper()
	if r.Code != code || !slices.Equal(r.Lines, lines) || (code == 0 || code > 128) && r.Stderr != "" {
		t.Fatalf("got %d, %q and %q on standard error; want %d, %q", r.Code, r.Lines, r.Stderr, code, lines)
	}
}

// ExpectError fails the test unless the program ended with code 1, and one line on
// standard error alone that has all the texts in it.
func (r Result) ExpectError(t *testing.T, texts ...string) {
	t.Helper()
	missing := slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(r.Stderr, text) })
	if r.Code != 1 || len(r.Lines) > 0 || strings.Count(r.Stderr, "\n") != 1 || missing {
		t.Fatalf("got %d, %q and %q on standard error; want 1 and one line with %q", r.Code, r.Lines, r.Stderr, texts)
	}
}

// IsEmpty fails the test if there is something in the folder.
func IsEmpty(t *testing.T, dir string) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(left) > 0 {
		t.Fatalf("%q are left, %v", left, err)
	}
}

// output is what a program has written and the test has not read.
type output struct {
	changed chan struct{} // one token

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
