//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
)

// asCommand makes the test binary the command itself.
const asCommand = "RXIPC_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

// shell runs the command in a folder of its own.
type shell struct {
	*testing.T
	dir string
}

func newShell(t *testing.T) shell {
	dir, err := os.MkdirTemp("", "rxc") // short, because it is part of the path of a socket
	if err != nil {
		t.Fatalf("make a folder: %v", err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return shell{t, dir}
}

func (s shell) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(s.Context(), os.Args[0], append([]string{"--dir", s.dir}, args...)...)
	cmd.Env = append(os.Environ(), asCommand+"=1", "XDG_RUNTIME_DIR="+s.dir, "TMPDIR="+s.dir)
	return cmd
}

// run runs the command with an input, and returns what it printed and its exit code.
func (s shell) run(input string, args ...string) (out, errs string, code int) {
	s.Helper()
	var stdout, stderr bytes.Buffer
	cmd := s.command(args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &stdout, &stderr
	err := cmd.Run()
	var exited *exec.ExitError
	if err != nil && !errors.As(err, &exited) {
		s.Fatalf("run rxipc %q: %v", args, err)
	}
	return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
}

// wants checks what the command prints and its exit code.
func (s shell) wants(want string, code int, input string, args ...string) {
	s.Helper()
	out, errs, got := s.run(input, args...)
	if out != want || got != code {
		s.Errorf("rxipc %q with the input %.100q: got exit code %d and the output %q, want %d and %q; error output:\n%s", args, input, got, out, code, want, errs)
	}
}

// fails checks the exit code and that the error output has a text.
func (s shell) fails(code int, text, input string, args ...string) {
	s.Helper()
	out, errs, got := s.run(input, args...)
	if got != code || !strings.Contains(errs, text) {
		s.Errorf("rxipc %q: got exit code %d and the errors %q, want %d and an error with %q; output:\n%s", args, got, errs, code, text, out)
	}
}

// start starts the command, and ends it with the test.
func (s shell) start(args ...string) (*exec.Cmd, *bufio.Scanner) {
	s.Helper()
	cmd := s.command(args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.Fatalf("make a pipe: %v", err)
	}
	if err := cmd.Start(); err != nil {
		s.Fatalf("start rxipc %q: %v", args, err)
	}
	s.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd, bufio.NewScanner(out)
}

// serve starts a server, and returns when it listens.
func (s shell) serve(args ...string) *exec.Cmd {
	s.Helper()
	cmd, _ := s.start(append([]string{"serve"}, args...)...)
	ipc := socket.New(socket.Config{Dir: s.dir})
	p, err := ipc.ConnectTo(s.Context(), socket.MustParseName(args[0])).Get()
	if err != nil {
		s.Fatalf("connect to rxipc serve %q: %v", args, err)
	}
	p.Close(s.Context())
	return cmd
}

// library serves with the library instead of the command, until the test ends.
func (s shell) library(name string, config socket.ServerConfig, serve func(context.Context, *socket.IPC, socket.Name)) {
	ctx, stop := context.WithCancel(s.Context())
	ended := make(chan struct{})
	listening := make(chan struct{})
	config.Listening = func(socket.Name) { close(listening) }
	ipc := socket.New(socket.Config{Dir: s.dir, ServerConfig: config})
	go func() {
		defer close(ended)
		serve(ctx, ipc, socket.MustParseName(name))
	}()
	s.Cleanup(func() { stop(); <-ended })
	<-listening
}

func echo(ctx context.Context, ipc *socket.IPC, name socket.Name) {
	serveWith(ctx, ipc, name, func(m socket.Message) socket.Message { return m })
}

func serveWith(ctx context.Context, ipc *socket.IPC, name socket.Name, answer func(socket.Message) socket.Message) {
	socket.Serve(ipc, name, fold.Unit()).With(ctx, func(m socket.Message, c socket.Continuation[struct{}], _ struct{}) socket.Continuation[struct{}] {
		return c.Respond(answer(m))
	})
}

func line(t *testing.T, what string, s *bufio.Scanner) string {
	t.Helper()
	if !s.Scan() {
		t.Fatalf("read a line of %s: got the end, %v", what, s.Err())
	}
	return s.Text()
}

func TestRequestPrintsResponses(t *testing.T) {
	s := newShell(t)
	s.serve("echo")
	s.wants("hello\n", exitDone, "", "request", "echo", "hello")
	s.wants("{\"mediaType\":\"text/plain\",\"content\":\"a\"}\n{\"mediaType\":\"application/json\",\"content\":\"{}\"}\n",
		exitDone, "", "request", "echo", "a", "{}", "--json")
	s.wants("one\ntwo\n", exitDone, "one\ntwo\n", "request", "echo", "--lines")
	s.wants("one\ntwo\n", exitDone, "one\ntwo\n", "request", "echo")
	s.wants("{\"mediaType\":\"application/octet-stream\",\"base64\":\"/w==\"}\n", exitDone, "\xff", "request", "echo", "--json")
	s.wants("{\"mediaType\":\"text/csv; header=present\",\"content\":\"a,b\"}\n", exitDone, "",
		"request", "echo", "a,b", "-t", "text/csv; header=present", "--json")
}

// Servers in PHP speak the same dialects.
func TestRequestSpeaksBothDialects(t *testing.T) {
	for name, dialect := range map[string]socket.Dialect{"four": socket.Dialect4, "five": socket.Dialect5} {
		s := newShell(t)
		s.library(name, socket.ServerConfig{Dialect: dialect}, echo)
		s.wants("hello\n", exitDone, "", "request", name, "hello")
	}
}

func TestRequestSendsFiles(t *testing.T) {
	s := newShell(t)
	s.serve("echo")
	path := filepath.Join(s.dir, "page.html")
	if err := os.WriteFile(path, []byte("<p>"), 0o600); err != nil {
		t.Fatalf("write a file: %v", err)
	}
	s.wants("{\"mediaType\":\"text/html; charset=utf-8\",\"content\":\"<p>\"}\n", exitDone, "", "request", "echo", "-f", path, "--json")
	s.fails(exitFailed, "no such file", "", "request", "echo", "-f", path+".missing")
	s.fails(exitUsage, "--lines", "", "request", "echo", "x", "--lines")
}

func TestSendCountsAcknowledgements(t *testing.T) {
	s := newShell(t)
	s.serve("echo")
	s.wants("{\"acknowledged\":1000}\n", exitDone, strings.Repeat("line\n", 1000), "send", "echo", "--lines", "--json")
	s.wants("", exitDone, "", "send", "echo", "a", "b")
}

func TestServeRunsAProgram(t *testing.T) {
	s := newShell(t)
	s.serve("upper", "--", "tr", "a-z", "A-Z")
	s.wants("HELLO\n", exitDone, "", "request", "upper", "hello")
	s.serve("type", "--", "sh", "-c", "echo $RXIPC_MEDIA_TYPE $RXIPC_PEER_PID")
	out, _, _ := s.run("", "request", "type", "{}")
	if !regexp.MustCompile(`^application/json \d+\n$`).MatchString(out) {
		t.Errorf("a program that prints its variables: got %q, want the media type and a process", out)
	}
	s.serve("broken", "--", "sh", "-c", "echo no luck >&2; exit 3")
	s.fails(exitRejected, "rejected", "", "request", "broken", "x")
	s.fails(exitUsage, "no-such-program", "", "serve", "nothing", "--", "no-such-program")
}

func TestServeGivesAFixedAnswer(t *testing.T) {
	s := newShell(t)
	s.serve("fixed", "--answer", "42")
	s.wants("42\n", exitDone, "", "request", "fixed", "what?")
	s.fails(exitUsage, "--answer", "", "serve", "both", "--answer", "x", "--", "cat")
}

// A signal ends a server in good order, with the code that a shell gives to signals.
func TestServeEndsWithASignal(t *testing.T) {
	s := newShell(t)
	server := s.serve("echo")
	server.Process.Signal(syscall.SIGTERM)
	server.Wait()
	if code := server.ProcessState.ExitCode(); code != 128+int(syscall.SIGTERM) {
		t.Errorf("rxipc serve after TERM: got exit code %d, want %d", code, 128+int(syscall.SIGTERM))
	}
	s.fails(exitNotListening, "nobody listens", "", "request", "echo", "x", "--timeout", "10ms")
}

func TestExitCodesTellWhatWasWrong(t *testing.T) {
	s := newShell(t)
	s.fails(exitNotListening, "nobody listens", "", "send", "nobody", "x", "--timeout", "10ms")
	s.fails(exitNotListening, "nobody listens", "", "ping", "nobody", "-c", "1")
	s.fails(exitUsage, "no command", "", "unheard-of")
	s.fails(exitUsage, "accepts at most", "", "doctor", "a", "b")
	s.fails(exitUsage, "unknown flag", "", "ls", "--unheard-of")
	s.fails(exitUsage, "invalid", "", "send", "a/b", "x")
	s.library("strict", socket.ServerConfig{Clients: socket.Named("nobody")}, echo)
	s.fails(exitNotAllowed, "this process may not connect", "", "send", "strict", "x")
	s.library("slow", socket.ServerConfig{}, func(ctx context.Context, ipc *socket.IPC, name socket.Name) {
		socket.Serve(ipc, name, fold.Unit()).With(ctx, func(m socket.Message, c socket.Continuation[struct{}], _ struct{}) socket.Continuation[struct{}] {
			<-c.Context().Done()
			return c
		})
	})
	s.fails(exitTimeout, "deadline", "", "request", "slow", "x", "--timeout", "100ms")
}

func TestLsShowsStates(t *testing.T) {
	s := newShell(t)
	server := s.serve("echo")
	s.library("strict", socket.ServerConfig{Clients: socket.Named("nobody")}, echo)
	stopped := s.serve("stopped")
	stopped.Process.Signal(syscall.SIGSTOP)
	killed := s.serve("killed")
	killed.Process.Kill()
	killed.Wait()

	out, _, code := s.run("", "ls", "--json", "--all")
	states := map[string]string{}
	for _, text := range strings.Split(strings.TrimSpace(out), "\n") {
		var got struct {
			Name, State, User string
			PID               int
			Since             string
		}
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatalf("rxipc ls --json: got the line %q: %v", text, err)
		}
		states[got.Name] = got.State
		if got.Name == "echo" && (got.PID != server.Process.Pid || got.User == "" || got.Since == "") {
			t.Errorf("rxipc ls --json: got %q, want the process %d, its user and since when", text, server.Process.Pid)
		}
	}
	for name, want := range map[string]string{"echo": responds, "strict": refuses, "stopped": frozen, "killed": dead} {
		if states[name] != want {
			t.Errorf("rxipc ls: got the state %q of %s, want %q; all: %v, exit code %d", states[name], name, want, states, code)
		}
	}
	table, _, _ := s.run("", "ls")
	if !strings.HasPrefix(table, "NAME ") || strings.Contains(table, "killed") {
		t.Errorf("rxipc ls: got %q, want a table without dead servers", table)
	}
}

func TestLsWatchPrintsChanges(t *testing.T) {
	s := newShell(t)
	server := s.serve("echo")
	_, lines := s.start("ls", "--watch")
	if got := line(t, "ls --watch", lines); !strings.HasPrefix(got, "appears  echo: responds, process ") {
		t.Errorf("rxipc ls --watch: got %q, want that echo appears", got)
	}
	server.Process.Kill()
	server.Wait()
	if got := line(t, "ls --watch", lines); !strings.HasPrefix(got, "goes     echo: ") {
		t.Errorf("rxipc ls --watch after the server was killed: got %q, want that echo goes", got)
	}
}

func TestPingPrintsStatistics(t *testing.T) {
	s := newShell(t)
	s.serve("echo")
	out, _, code := s.run("", "ping", "echo", "-c", "3", "-i", "1ms")
	want := regexp.MustCompile(`^(greeting of echo from process \d+ of user \d+: seq=\d time=[\d.]+ ms\n){3}\n--- echo ---\n` +
		`3 tries, 3 answered, 0 % lost\nmin/avg/max/stddev = [\d.]+/[\d.]+/[\d.]+/[\d.]+ ms\n$`)
	if code != exitDone || !want.MatchString(out) {
		t.Errorf("rxipc ping: got exit code %d and %q, want three greetings and statistics", code, out)
	}
}

func TestBenchPrintsRateAndLatencies(t *testing.T) {
	s := newShell(t)
	s.serve("echo")
	out, errs, code := s.run("", "bench", "echo", "-d", "10ms", "-c", "2", "--json")
	var got measured
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != exitDone {
		t.Fatalf("rxipc bench --json: got exit code %d and %q, %v; %s", code, out, err, errs)
	}
	if got.Requests < 2 || got.Rate <= 0 || got.P50 <= 0 || got.P50 > got.P99 || got.P99 > got.Max {
		t.Errorf("rxipc bench --json: got %+v, want requests, a rate, and latencies in order", got)
	}
	out, _, _ = s.run("", "bench", "echo", "-d", "1ms")
	if !strings.Contains(out, " a second\n") || !strings.Contains(out, "p99.9") || !strings.Contains(out, "#") {
		t.Errorf("rxipc bench: got %q, want the rate, latencies and bars", out)
	}
}

// watch prints the messages of two servers, of which the second replaces the first.
func TestWatchPrintsWhatIsPushed(t *testing.T) {
	s := newShell(t)
	answer := func(content string) func(context.Context, *socket.IPC, socket.Name) {
		return func(ctx context.Context, ipc *socket.IPC, name socket.Name) {
			socket.Serve(ipc, name, fold.Unit()).With(ctx, func(m socket.Message, c socket.Continuation[struct{}], _ struct{}) socket.Continuation[struct{}] {
				return c.Respond(socket.Text(content + m.Content()))
			})
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		answer("first ")(ctx, socket.New(socket.Config{Dir: s.dir}), socket.MustParseName("news"))
	}()
	_, lines := s.start("watch", "news", "--subscribe", "please", "--count", "2")
	if got := line(t, "watch", lines); got != "first please" {
		t.Errorf("rxipc watch: got %q, want what the first server pushed", got)
	}
	stop()
	<-ended
	s.library("news", socket.ServerConfig{}, answer("second "))
	if got := line(t, "watch", lines); got != "second please" {
		t.Errorf("rxipc watch after a restart: got %q, want what the second server pushed", got)
	}
	if lines.Scan() {
		t.Errorf("rxipc watch --count 2: got a third line %q", lines.Text())
	}
}

func TestDoctorFindsWhatIsWrong(t *testing.T) {
	s := newShell(t)
	s.serve("echo")
	out, _, code := s.run("", "doctor", "echo")
	if code != exitDone || !strings.Contains(out, "ok     echo answers\n") {
		t.Errorf("rxipc doctor of a server that answers: got exit code %d and %q", code, out)
	}
	s.wantsInDoctor("nobody", "nobody listens", "start the server")

	elsewhere := shell{t, filepath.Join(s.dir, "rxipc")} // the default folder of this test's processes
	elsewhere.serve("lost")
	s.wantsInDoctor("lost", "lost listens in the folder "+elsewhere.dir, "use --dir "+elsewhere.dir)
}

func (s shell) wantsInDoctor(name string, texts ...string) {
	s.Helper()
	out, _, code := s.run("", "doctor", name)
	for _, text := range texts {
		if code != exitFailed || !strings.Contains(out, text) {
			s.Errorf("rxipc doctor %s: got exit code %d and %q, want %d and %q", name, code, out, exitFailed, text)
		}
	}
}

func TestCompletionKnowsNames(t *testing.T) {
	s := newShell(t)
	s.serve("echo")
	out, _, _ := s.run("", "__complete", "request", "")
	if !strings.HasPrefix(out, "echo\n") {
		t.Errorf("complete rxipc request: got %q, want the name echo first", out)
	}
}

// A program keeps what it knows from message to message.
func TestServeRunsAProgramForEachConnection(t *testing.T) {
	s := newShell(t)
	s.serve("sum", "--each-connection", "--", "sh", "-c", "n=0; while read x; do n=$((n+x)); echo $n; done")
	s.wants("1\n3\n6\n", exitDone, "1\n2\n3\n", "request", "sum", "--lines")
	s.wants("10\n", exitDone, "", "request", "sum", "10")
	s.serve("echo", "--each-connection", "--json", "--", "cat")
	s.wants("{\"mediaType\":\"text/csv\",\"content\":\"a\\nb\"}\n{\"mediaType\":\"text/csv\",\"content\":\"c\"}\n", exitDone, "",
		"request", "echo", "a\nb", "c", "-t", "text/csv", "--json")
	s.serve("broken", "--each-connection", "--", "sh", "-c", "read line; exit 3")
	s.fails(exitRejected, "rejected", "", "request", "broken", "x")
	s.fails(exitUsage, "--each-connection", "", "serve", "x", "--push", "--", "cat")
	s.fails(exitUsage, "--each-connection", "", "serve", "x", "--each-connection")
	s.fails(exitUsage, "no-such-program", "", "serve", "x", "--each-connection", "--", "no-such-program")
}

func TestServePushesWhatAProgramPrints(t *testing.T) {
	s := newShell(t)
	s.serve("news", "--each-connection", "--push", "--", "sh", "-c", "echo first; while read line; do echo got $line; echo and more; done")
	s.wants("first\ngot a\nand more\n", exitDone, "", "watch", "news", "--subscribe", "a", "--count", "3")
	s.wants("", exitDone, "", "send", "news", "a", "b")
}

func TestServeRejectsAMessageWhoseProgramIsGone(t *testing.T) {
	if s, err := sessionOf(new(sync.Map), nil); s != nil || err == nil || !strings.Contains(err.Error(), "has ended") {
		t.Errorf("look for the program of a connection that has ended: got %v and %v, want an error", s, err)
	}
}

// The program ends with its connection.
func TestServeEndsTheProgramOfAConnection(t *testing.T) {
	s := newShell(t)
	file := filepath.Join(s.dir, "ended")
	if err := syscall.Mkfifo(file, 0o600); err != nil {
		t.Fatalf("make a fifo: %v", err)
	}
	s.serve("echo", "--each-connection", "--", "sh", "-c", "read line; echo $line; cat; [ -z $line ] || echo end of $line > "+file)
	said := make(chan string)
	go func() {
		text, _ := os.ReadFile(file) // waits for the program to write
		said <- string(text)
	}()
	s.wants("hello\n", exitDone, "", "request", "echo", "hello")
	if got := <-said; got != "end of hello\n" {
		t.Errorf("close the connection of a program: got %q, want that its input ends", got)
	}
}
