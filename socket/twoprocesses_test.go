//go:build unix

package socket

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rxipc/rxipc/fold"
)

// roleKey is the variable that makes the test binary a server or a client.
const roleKey = "RXIPC_TEST_ROLE"

func TestMain(m *testing.M) {
	role, dir, _ := strings.Cut(os.Getenv(roleKey), ":")
	switch role {
	case "server":
		playServer(New(Config{Dir: dir, ServerConfig: ServerConfig{Listening: func(Name) { fmt.Println("listening") }}}))
	case "client":
		playClient(New(Config{Dir: dir}))
	default:
		if play := roles[role]; play != nil {
			play(dir)
			return
		}
		heedSignals()
		slog.SetDefault(slog.New(slog.DiscardHandler)) // handlers panic here on purpose
		os.Exit(m.Run())
	}
}

// heedSignals makes the processes that the tests start heed INT and HUP, though the
// tests themselves may have been started to ignore them, by nohup or in the background
// of a script: a signal that is handled here is not ignored there.
func heedSignals() {
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGHUP} {
		if signal.Ignored(s) {
			signal.Notify(make(chan os.Signal, 1), s)
		}
	}
}

// roles are what else a process of this binary can be, given a folder.
var roles = map[string]func(dir string){}

// playServer serves until a signal, or the message "stop", and prints its carry.
func playServer(ipc *IPC) {
	ctx, stop := NotifyContext(context.Background())
	defer stop()
	served := Serve(ipc, counter, fold.Sum[int]()).With(ctx, func(m Message, c Continuation[int], count int) Continuation[int] {
		if m.Content() == "stop" {
			return c.Stop()
		}
		return echo(m, c, count)
	})
	fmt.Println("carried", Carry(served).GetOr(-1), errors.As(served.Err(), new(*SignalError)))
}

// playClient sends one message and waits for ever after.
func playClient(ipc *IPC) {
	p, err := fold.Then(ipc.ConnectTo(context.Background(), counter), Send(context.Background(), Text("one"))).Get()
	fmt.Println("sent", err)
	p.Messages().Run(context.Background())
}

// started is another process of this binary.
type started struct {
	t     *testing.T
	cmd   *exec.Cmd
	in    io.Writer
	lines *bufio.Scanner
}

func start(t *testing.T, role, dir string) *started {
	t.Helper()
	return startCommand(t, exec.Command(os.Args[0]), role, dir)
}

func startCommand(t *testing.T, cmd *exec.Cmd, role, dir string) *started {
	t.Helper()
	s, err := startOr(t, cmd, role, dir)
	if err != nil {
		t.Fatalf("start a process as %s: %v", role, err)
	}
	return s
}

// startOr is startCommand where failing to start is no failure of the test.
func startOr(t *testing.T, cmd *exec.Cmd, role, dir string) (*started, error) {
	cmd.Env = append(cmd.Environ(), roleKey+"="+role+":"+dir)
	cmd.Stderr = os.Stderr
	in, inErr := cmd.StdinPipe()
	out, outErr := cmd.StdoutPipe()
	err := cmp.Or(inErr, outErr)
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, err
	}
	s := &started{t, cmd, in, bufio.NewScanner(out)}
	t.Cleanup(s.kill)
	return s, nil
}

func (s *started) expect(want string) {
	s.t.Helper()
	if got := s.next(); got != want {
		s.t.Fatalf("printed %q, want %q", got, want)
	}
}

// next is the next line that it prints, empty at the end.
func (s *started) next() string {
	s.lines.Scan()
	return s.lines.Text()
}

func (s *started) say(line string) {
	s.t.Helper()
	if _, err := fmt.Fprintln(s.in, line); err != nil {
		s.t.Errorf("write the line %q to the process: %v", line, err)
	}
}

func (s *started) kill() {
	s.cmd.Process.Kill()
	s.cmd.Wait()
}

// within is a context that ends a test which hangs, and no other one however loaded the
// machine is.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func TestWaitEndsAtOnceWhenTheServerIsKilled(t *testing.T) {
	dir, ctx := shortDir(t), within(t)
	server := start(t, "server", dir)
	ipc := New(Config{Dir: dir})
	p, err := fold.Chain2(ipc.ConnectTo(ctx, counter), Send(ctx, Text("hello")), func(p *Process) fold.Attempt[*Process] {
		return fold.Map(p.Wait(ctx), func(Message) *Process { return p })
	}).Get()
	if err != nil {
		t.Fatalf("send to the server and wait for the answer: %v", err)
	}
	server.expect("listening")
	waiting := make(chan error)
	go func() { waiting <- p.Wait(ctx).Err() }()
	server.kill()
	if err := <-waiting; !errors.Is(err, io.ErrUnexpectedEOF) { // and not the end of ctx
		t.Errorf("Wait on a server that was killed: %v, want %v", err, io.ErrUnexpectedEOF)
	}
	if err := p.Close(ctx).Err(); err != nil {
		t.Errorf("close after the server was killed: got %v, want no error", err)
	}
	if names, err := ipc.Names(ctx).Get(); len(names) > 0 || err != nil {
		t.Errorf("names after the server was killed: got %v, %v, want none", names, err)
	}

	again := start(t, "server", dir) // the name is free in spite of what is left there
	again.expect("listening")
	if names, err := ipc.Names(ctx).Get(); len(names) != 1 || err != nil {
		t.Errorf("names with a new server: got %v, %v, want one", names, err)
	}
	if err := fold.Then(ipc.ConnectTo(ctx, counter), Closing(ctx, Send(ctx, Text("one"), Text("two"), Text("stop")))).Err(); err != nil && !errors.Is(err, ErrDisconnected) {
		t.Errorf("send to the new server and stop it: %v", err)
	}
	again.expect("carried 2 false")
}

func TestClientThatIsKilledCostsTheServerNothing(t *testing.T) {
	dir, ctx := shortDir(t), within(t)
	server := start(t, "server", dir)
	server.expect("listening")
	client := start(t, "client", dir)
	client.expect("sent <nil>")
	client.kill()
	if err := fold.Then(New(Config{Dir: dir}).ConnectTo(ctx, counter), Closing(ctx, Send(ctx, Text("two")))).Err(); err != nil {
		t.Errorf("send after another client was killed: %v", err)
	}
	server.cmd.Process.Signal(os.Interrupt)
	server.expect("carried 2 true")
}

func TestServerThatIsWaitedForEndsAtASignal(t *testing.T) {
	dir, ctx := shortDir(t), within(t)
	server := start(t, "server", dir)
	server.expect("listening")
	p, err := New(Config{Dir: dir}).ConnectTo(ctx, counter).Get()
	if err != nil {
		t.Fatalf("connect to the server: %v", err)
	}
	server.cmd.Process.Signal(os.Interrupt)
	if err := p.Wait(ctx).Err(); !errors.Is(err, ErrDisconnected) {
		t.Errorf("wait while a signal ends the server: got %v, want ErrDisconnected", err)
	}
	server.expect("carried 0 true")
}

func TestSendOfLargeMessagesOverRealSockets(t *testing.T) {
	dir, ctx := shortDir(t), within(t)
	ipc := New(Config{Dir: dir})
	serving, end := context.WithCancel(ctx)
	result := make(chan fold.Attempt[int])
	go func() {
		result <- Serve(ipc, counter, fold.Sum[int]()).With(serving, func(m Message, c Continuation[int], count int) Continuation[int] {
			return c.Respond(m, m).CarryWith(count + 1)
		})
	}()
	large := NewMessage(OctetStream(), strings.Repeat("x", 4<<20))
	p, err := fold.Then(ipc.ConnectTo(ctx, counter), Send(ctx, large, large)).Get()
	if err != nil {
		t.Fatalf("send two large messages: %v", err)
	}
	for range 4 {
		if m, err := p.Wait(ctx).Get(); m != large {
			t.Errorf("wait for a large message: got %v, %v, want %v", m, err, large)
		}
	}
	if err := p.Close(ctx).Err(); err != nil {
		t.Errorf("close the connection: %v", err)
	}
	end()
	interrupted(t, <-result, 2, context.Canceled)
}
