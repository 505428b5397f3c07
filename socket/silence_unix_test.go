//go:build unix

package socket

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/rxipc/rxipc/operators"
)

func init() {
	roles["lively server"] = func(dir string) {
		playServer(New(Config{Dir: dir, Heartbeat: 50 * time.Millisecond, ServerConfig: ServerConfig{Listening: func(Name) { fmt.Println("listening") }}}))
	}
}

// TestSilenceOfAStoppedProcessIsNoticed stops the process of a server; the system keeps its
// connections. Wait, Follow and Pool must return ErrSilent.
func TestSilenceOfAStoppedProcessIsNoticed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := start(t, "lively server", dir)
	server.expect("listening")
	ctx := within(t)
	ipc := New(Config{Dir: dir, SilenceTimeout: 2 * time.Second})
	p, err := ipc.ConnectTo(ctx, counter).Get()
	if err != nil {
		t.Fatal("connecting failed:", err)
	}
	pool := ipc.Pool(counter, PoolConfig{Retry: operators.RetryPolicy{If: func(error) bool { return false }}})
	if err := pool.Request(ctx, Text("one")).Err(); err != nil {
		t.Fatal("a request failed:", err)
	}
	connected, lost := make(chan struct{}), make(chan error, 1)
	following, leave := context.WithCancel(ctx)
	followed := make(chan error)
	go func() {
		followed <- ipc.Follow(counter, FollowConfig{
			Subscribe: func(context.Context, *Process) error { close(connected); return nil },
			Lost:      func(err error) { lost <- err; leave() },
		}).Run(following)
	}()
	<-connected
	if err := server.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal("stopping the server failed:", err)
	}
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(server.cmd.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatalf("the server has the status %v, and waiting failed with %v, want it stopped", status, err)
	}
	results := make(chan error, 2)
	go func() { results <- pool.Request(ctx, Text("two")).Err() }()
	go func() { results <- p.Wait(ctx).Err() }()
	for range 2 {
		says(t, "a call to a stopped server", <-results, []error{ErrSilent})
	}
	if err := <-lost; !errors.Is(err, ErrSilent) {
		t.Errorf("Follow lost its server with %v, want ErrSilent", err)
	}
	says(t, "Follow", <-followed, []error{context.Canceled, ErrSilent})
	pool.Close(ctx)
}
