package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/rxipc/rxipc/socket"
)

// story runs a server and 42 clients as processes of their own, all at once: a client
// waits for its server. A client prints before it closes its connection and the server
// ends when 42 have, so that the server has the last word.
//
// It has so when the story is interrupted, too: the clients are killed, which have nothing
// to say, and then the server is told to end. A terminal interrupts all processes at the
// same time. So the server takes no signal, or a client would find it gone and complain.
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
	open, closing := context.WithCancel(context.Background())
	defer closing()

	var server, clients sync.WaitGroup
	start := func(ctx context.Context, role *sync.WaitGroup, args ...string) {
		role.Go(func() {
			if err := runSelf(ctx, args...); err != nil {
				fail(fmt.Errorf("%s: %w", args[0], err)) // and end the others
			}
		})
	}
	start(open, &server, "serve", "-stdin", "-dir", dir, "-until", "42")
	for range 42 {
		start(ctx, &clients, "send", "-dir", dir, "-timeout", "1m", "hello world")
	}
	clients.Wait()
	if ctx.Err() != nil {
		closing()
	}
	server.Wait()
	return context.Cause(ctx)
}

// runSelf runs this program with other arguments. When ctx ends first, a server is told
// so by the end of its standard input, which lets it say what it has counted, and a client
// is killed.
func runSelf(ctx context.Context, args ...string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	process := exec.CommandContext(ctx, self, args...)
	process.Stdout, process.Stderr = os.Stdout, os.Stderr
	if args[0] == "serve" {
		input, err := process.StdinPipe()
		if err != nil {
			return err
		}
		process.Cancel = input.Close
		process.WaitDelay = 5 * time.Second // then it is killed
	}
	return process.Run()
}

// untilInputEnds returns a context that ends when the standard input does, with io.EOF as
// its cause: the parent that holds it ended it, or died. Signals that ask to end are ignored.
func untilInputEnds() (ctx context.Context, stop context.CancelFunc) {
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	ctx, cancel := context.WithCancelCause(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel(io.EOF)
	}()
	return ctx, func() { cancel(nil) }
}
