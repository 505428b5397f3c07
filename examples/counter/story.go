package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/rxipc/rxipc/socket"
)

// story runs a server and 42 clients as processes of their own, all at once: a
// client waits for its server. A client prints before it closes its connection and
// the server ends when 42 have, so that the server has the last word.
func story() error {
	dir, err := os.MkdirTemp("", "counter")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)

	ctx, stop := socket.NotifyContext(context.Background())
	defer stop()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)

	var processes sync.WaitGroup
	start := func(args ...string) {
		processes.Go(func() {
			if err := runSelf(ctx, args...); err != nil {
				fail(fmt.Errorf("%s: %w", args[0], err)) // and end the others
			}
		})
	}
	start("serve", "-dir", dir, "-until", "42")
	for range 42 {
		start("send", "-dir", dir, "-timeout", "1m", "hello world")
	}
	processes.Wait()
	return context.Cause(ctx)
}

// runSelf runs this program with other arguments. When ctx ends first it is
// interrupted, which lets a server say what it has counted.
func runSelf(ctx context.Context, args ...string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	process := exec.CommandContext(ctx, self, args...)
	process.Stdout, process.Stderr = os.Stdout, os.Stderr
	process.Cancel = func() error { return process.Process.Signal(os.Interrupt) }
	process.WaitDelay = 5 * time.Second // then it is killed
	return process.Run()
}
