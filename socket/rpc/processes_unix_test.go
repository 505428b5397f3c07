//go:build unix

package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/rpc"
	"github.com/rxipc/rxipc/stream"
)

// roleKey is the variable that makes the test binary a server or a client, in a folder.
const roleKey = "RXIPC_RPC_TEST_ROLE"

func TestMain(m *testing.M) {
	role, dir, _ := strings.Cut(os.Getenv(roleKey), ":")
	switch ipc := socket.New(socket.Config{Dir: dir}); role {
	case "server":
		fmt.Println("ended:", rpc.NewServer(greets, rpc.HandleStream(count, numbersThenSilence)).Serve(context.Background(), ipc, name))
	case "client":
		_, err := slow.Call(context.Background(), ipc.Pool(name, socket.PoolConfig{}), 1)
		fmt.Println("called:", err)
	default:
		os.Exit(m.Run())
	}
}

var slow = rpc.NewMethod[int, int]("slow")

// numbersThenSilence emits numbers, and then nothing until its context ends.
func numbersThenSilence(_ context.Context, n int) stream.Observable[int] {
	return func(ctx context.Context, yield func(int) bool) error {
		if err := stream.Range(1, n)(ctx, yield); err != nil {
			return err
		}
		<-ctx.Done()
		return context.Cause(ctx)
	}
}

// start starts this binary in a role. The process is killed at the end of the test.
func start(t *testing.T, role, dir string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleKey+"="+role+":"+dir)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatalf("start a %s: %v", role, err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return cmd
}

// patience ends a test that hangs.
func patience(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func TestStreamOfAServerThatIsKilled(t *testing.T) {
	ctx, dir := patience(t), t.TempDir()
	server := start(t, "server", dir)
	ipc := socket.New(socket.Config{Dir: dir})
	pool := ipc.Pool(name, socket.PoolConfig{})
	defer pool.Close(context.Background())
	const answers = 500
	got := 0
	err := count.Observe(pool, answers).ForEach(ctx, func(int) {
		if got++; got == answers {
			server.Process.Kill()
		}
	})
	if got != answers || !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, socket.ErrDisconnected) {
		t.Errorf("observe a stream whose server is killed: got %d answers, %v, want %d and io.ErrUnexpectedEOF", got, err, answers)
	}
	server.Wait()
	start(t, "server", dir)
	if greeted, err := hello.Call(ctx, pool, greeting{"Ada"}); greeted != "hello Ada" {
		t.Errorf("call over the same pool after a restart: got %q, %v, want \"hello Ada\"", greeted, err)
	}
	one, err := count.Observe(pool, 1).First(ctx).Get()
	if one != 1 || err != nil {
		t.Errorf("observe over the same pool after a restart: got %d, %v, want 1", one, err)
	}
}

func TestHandlerWhoseClientIsKilled(t *testing.T) {
	ctx, dir := patience(t), t.TempDir()
	serving, stop := context.WithCancel(ctx)
	started, ended, served := make(chan int, 1), make(chan error, 1), make(chan error, 1)
	server := rpc.NewServer(greets, rpc.Handle(slow, func(ctx context.Context, n int) (int, error) {
		c, _ := rpc.Connection(ctx)
		client, _ := c.Peer().Get()
		started <- client.PID
		<-ctx.Done()
		ended <- context.Cause(ctx)
		return n, nil
	}))
	ipc := socket.New(socket.Config{Dir: dir})
	go func() { served <- server.Serve(serving, ipc, name) }()
	client := start(t, "client", dir)
	select {
	case pid := <-started:
		if pid != client.Process.Pid && pid != 0 { // some systems do not know
			t.Errorf("the handler's connection is of process %d, want %d", pid, client.Process.Pid)
		}
	case <-ctx.Done():
		t.Fatal("the handler did not begin within a minute")
	}
	client.Process.Kill()
	select {
	case err := <-ended:
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("the context of the handler ended with %v, want io.ErrUnexpectedEOF", err)
		}
	case <-ctx.Done():
		t.Fatal("the context of the handler did not end within a minute after its client")
	}
	pool := ipc.Pool(name, socket.PoolConfig{})
	if greeted, err := hello.Call(ctx, pool, greeting{"Ada"}); greeted != "hello Ada" {
		t.Errorf("call the server afterwards: got %q, %v, want \"hello Ada\"", greeted, err)
	}
	pool.Close(ctx)
	stop()
	if err := <-served; err != context.Canceled {
		t.Errorf("end the server: got %v, want context.Canceled", err)
	}
}
