//go:build unix

package child_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/child"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/system"
)

// roleKey is the variable that makes the test binary a child, in a role with an argument.
const roleKey = "RXIPC_TEST_CHILD"

var name = socket.MustParseName("child")

func TestMain(m *testing.M) {
	role, argument, _ := strings.Cut(os.Getenv(roleKey), ":")
	if role == "" {
		os.Exit(m.Run())
	}
	os.Unsetenv(roleKey)
	roles[role](argument)
}

// roles are what a child can be.
var roles = map[string]func(argument string){
	"echo": func(string) { serveListener() },
	"named": func(dir string) {
		ctx, stop := socket.NotifyContext(context.Background())
		defer stop()
		os.Exit(socket.ExitCode(serve(ctx, socket.New(socket.Config{Dir: dir}).Listen(name))))
	},
	"fails": func(string) {
		fmt.Fprintln(os.Stderr, "loading\nno such table: people")
		os.Exit(3)
	},
	"leaves": func(string) {},
	"deaf": func(string) { // heeds neither the connection nor SIGTERM
		signal.Ignore(syscall.SIGTERM)
		go serveListener()
		select {}
	},
	"mute": func(string) { select {} },
	"crash": func(string) {
		listener, _ := child.Listener()
		socket.Exchanges(socket.New(socket.Config{}).Accept(listener)).ForEach(context.Background(), func(socket.Exchange) {
			fmt.Fprintln(os.Stderr, "out of paper")
			os.Exit(7)
		})
	},
	"parent": func(string) { // has a child, prints its number, and waits to be killed
		c, err := child.Start(context.Background(), socket.New(socket.Config{}), command("deaf", "")).Get()
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(c.Cmd().Process.Pid)
		select {}
	},
}

func serveListener() {
	listener, err := child.Listener()
	if err == nil {
		err = serve(context.Background(), socket.New(socket.Config{}).Accept(listener))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(ctx context.Context, connections stream.Observable[*socket.Connection]) error {
	return socket.ServeConnections(connections, fold.Unit()).With(ctx, func(m socket.Message, c socket.Continuation[struct{}], _ struct{}) socket.Continuation[struct{}] {
		return c.Respond(m)
	}).Err()
}

// command runs the test binary in a role.
func command(role, argument string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleKey+"="+role+":"+argument, "GORACE=atexit_sleep_ms=0")
	return cmd
}

// within is a context that ends a test which hangs.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func newIPC() *socket.IPC {
	return socket.New(socket.Config{Log: slog.New(slog.DiscardHandler)})
}

func start(t *testing.T, ctx context.Context, cmd *exec.Cmd) *child.Child {
	t.Helper()
	c, err := child.Start(ctx, newIPC(), cmd).Get()
	if err != nil {
		t.Fatalf("start %q: got %v, want no error", cmd, err)
	}
	return c
}

func ask(t *testing.T, ctx context.Context, c *child.Child) {
	t.Helper()
	if m, err := c.Process().Request(ctx, socket.Text("hello")).Get(); err != nil || m.Content() != "hello" {
		t.Errorf("request to the child: got %q, %v; want its echo", m.Content(), err)
	}
}

func TestChildAnswersAndEndsWithItsConnection(t *testing.T) {
	ctx := within(t)
	c := start(t, ctx, command("echo", ""))
	ask(t, ctx, c)
	if err := c.Close(ctx); err != nil {
		t.Errorf("close a child that serves its listener: got %v, want status 0", err)
	}
	if state := c.Cmd().ProcessState; state == nil || !state.Success() {
		t.Errorf("the child ended with %v, want status 0 and no signal", state)
	}
}

func TestChildThatEndsTooSoonTellsWhy(t *testing.T) {
	ctx := within(t)
	dir, err := os.MkdirTemp("", "rxipc") // short enough for sockets
	if err != nil {
		t.Fatalf("make a folder: got %v, want no error", err)
	}
	defer os.RemoveAll(dir)
	starts := map[string]func(cmd *exec.Cmd) error{
		"socketpair": func(cmd *exec.Cmd) error { return child.Start(ctx, newIPC(), cmd).Err() },
		"name": func(cmd *exec.Cmd) error {
			return child.StartNamed(ctx, socket.New(socket.Config{Dir: dir}), cmd, name).Err()
		},
	}
	for way, start := range starts {
		t.Run(way, func(t *testing.T) {
			var said strings.Builder
			cmd := command("fails", "")
			cmd.Stderr = &said
			err := start(cmd)
			failed, isCommand := errors.AsType[*system.CommandError](err)
			exit, isExit := errors.AsType[*exec.ExitError](err)
			if !isCommand || !isExit || exit.ExitCode() != 3 || failed.LastWords != "loading\nno such table: people\n" {
				t.Fatalf("start a program that fails: got %v, want a CommandError with status 3 and its last words", err)
			}
			if !strings.HasSuffix(err.Error(), "exit status 3: no such table: people") || said.String() != failed.LastWords {
				t.Errorf("start a program that fails: got %q and %q on its Stderr; want the status and the last line, and its words", err, said.String())
			}
			if err := start(command("leaves", "")); err == nil || !strings.Contains(err.Error(), "status 0") {
				t.Errorf("start a program that exits with status 0: got %v, want that it did", err)
			}
			if err := start(exec.Command("/does/not/exist")); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("start a program that is not there: got %v, want ErrNotExist", err)
			}
		})
	}
}

func TestChildThatSaysNothingEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(within(t))
	enough := errors.New("waited long enough")
	cmd := command("mute", "")
	cmd.Stderr = writer(func([]byte) {})
	time.AfterFunc(10*time.Millisecond, func() { cancel(enough) })
	if err := child.Start(ctx, newIPC(), cmd).Err(); !errors.Is(err, enough) {
		t.Errorf("start a program that says nothing: got %v, want the cause of the context", err)
	}
	if cmd.ProcessState == nil {
		t.Error("the program that says nothing still runs after Start has failed")
	}
}

type writer func([]byte)

func (w writer) Write(p []byte) (int, error) { w(p); return len(p), nil }

func TestChildNamed(t *testing.T) {
	ctx := within(t)
	dir, err := os.MkdirTemp("", "rxipc")
	if err != nil {
		t.Fatalf("make a folder: got %v, want no error", err)
	}
	defer os.RemoveAll(dir)
	c, err := child.StartNamed(ctx, socket.New(socket.Config{Dir: dir}), command("named", dir), name).Get()
	if err != nil {
		t.Fatalf("start a program that listens on a name: got %v, want no error", err)
	}
	ask(t, ctx, c)
	if err := c.Close(ctx); err != nil {
		t.Errorf("close a child that listens on a name: got %v, want no error", err)
	}
	if code := c.Cmd().ProcessState.ExitCode(); code != 143 {
		t.Errorf("the child ended with code %d, want 143: it was asked to", code)
	}
}

func TestChildEndsWithItsContext(t *testing.T) {
	for what, c := range map[string]struct {
		role  string
		grace time.Duration
		want  syscall.Signal
	}{
		"one that heeds SIGTERM":     {"echo", time.Hour, syscall.SIGTERM},
		"one that does not":          {"deaf", 10 * time.Millisecond, syscall.SIGKILL},
		"one that is killed at once": {"echo", -1, syscall.SIGKILL},
	} {
		t.Run(what, func(t *testing.T) {
			ctx, cancel := context.WithCancel(within(t))
			cmd := command(c.role, "")
			cmd.WaitDelay = c.grace
			child := start(t, ctx, cmd)
			ask(t, ctx, child)
			cancel()
			<-child.Done()
			exit, ok := errors.AsType[*exec.ExitError](child.Err())
			if !ok || exit.Sys().(syscall.WaitStatus).Signal() != c.want {
				t.Errorf("end the context of %s: got %v, want %v", what, child.Err(), c.want)
			}
		})
	}
}

func TestChildThatCrashesTellsWhy(t *testing.T) {
	ctx := within(t)
	c := start(t, ctx, command("crash", ""))
	if err := c.Process().Request(ctx, socket.Text("print")).Err(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("request to a child that crashes: got %v, want io.ErrUnexpectedEOF", err)
	}
	<-c.Done()
	exit, ok := errors.AsType[*exec.ExitError](c.Err())
	if !ok || exit.ExitCode() != 7 || !strings.HasSuffix(c.Err().Error(), "out of paper") {
		t.Errorf("a child that crashed: got %v, want status 7 and its last words", c.Err())
	}
	if err := c.Close(ctx); err == nil || err.Error() != c.Err().Error() {
		t.Errorf("close a child that crashed: got %v, want %v", err, c.Err())
	}
}

// TestChildLeavesNothingOfItsGroup has a child that starts another process and exits.
func TestChildLeavesNothingOfItsGroup(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatalf("make a pipe: got %v, want no error", err)
	}
	defer r.Close()
	cmd := exec.Command("sh", "-c", "sleep 10000 & echo left >&2; exit 4")
	cmd.ExtraFiles = []*os.File{w}
	if err := child.Start(within(t), newIPC(), cmd).Err(); err == nil {
		t.Error("start a shell that exits: got no error, want its status")
	}
	w.Close()
	r.SetReadDeadline(time.Now().Add(2 * time.Minute))
	if _, err := io.ReadAll(r); err != nil {
		t.Errorf("wait until no process has the pipe: got %v, want its end", err)
	}
}

func TestChildListenerWithoutAConnection(t *testing.T) {
	if _, err := child.Listener(); !errors.Is(err, child.ErrNoConnection) {
		t.Errorf("take the connection of a process without one: got %v, want ErrNoConnection", err)
	}
}

func atoi(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		t.Fatalf("read a number: got %v, want no error", err)
	}
	return n
}
