package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/rxipc/rxipc/examples/internal/command"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/rpc"
	"github.com/rxipc/rxipc/stream"
)

// tell runs a daemon in a process of its own, and controls it.
func tell(ctx context.Context, dir string, fail func(error)) {
	file := filepath.Join(dir, "control.json")
	if err := os.WriteFile(file, []byte(`{"greeting": "hello", "every": 20}`), 0o600); err != nil {
		fail(err)
		return
	}
	daemon := command.Self(ctx, "serve", "-dir", dir, "-config", file)
	daemon.Cancel = func() error { return daemon.Process.Signal(os.Interrupt) }
	if err := daemon.Start(); err != nil {
		fail(err)
		return
	}
	if err := control(ctx, socket.New(socket.Config{Dir: dir}), file); err != nil {
		fail(err)
	}
	_ = daemon.Process.Signal(os.Interrupt) // it may have ended at the signal that ended ctx
	_ = daemon.Wait()                       // its code is that of the signal
}

// control waits for the daemon, and gives it one command after the other.
func control(ctx context.Context, ipc *socket.IPC, file string) error {
	daemon, err := ipc.ConnectTo(ctx, name).Get()
	if err != nil {
		return err
	}
	defer daemon.Close(ctx)
	now, err := status.Call(ctx, daemon, struct{}{})
	if err != nil {
		return err
	}
	fmt.Printf("the daemon says %s every %d ms\n", now.Config.Greeting, now.Config.Every)
	for _, text := range []string{`{"greeting": "good bye", "every": 10}`, `{"every": 0}`} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return err
		}
		changed, err := reload.Call(ctx, daemon, struct{}{})
		if problem, ok := errors.AsType[*rpc.Problem](err); ok {
			fmt.Println("the daemon tells a problem:", problem)
		} else if err != nil {
			return err
		} else {
			fmt.Printf("from now on the daemon says %s every %d ms\n", changed.Greeting, changed.Every)
		}
	}
	return stream.Pipe2(
		tail.Observe(daemon, struct{}{}),
		operators.SkipWhile(func(line string) bool { return line == now.Config.Greeting }), // of the log so far
		operators.Take[string](3),
	).ForEach(ctx, func(line string) { fmt.Println("log:", line) })
}
