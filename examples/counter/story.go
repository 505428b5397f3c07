package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/rxipc/rxipc/examples/internal/command"
)

// story runs a server and 42 clients as processes of their own, all at once. The clients wait
// until the server listens. A client prints before it closes its connection, and the server ends
// after 42 closed connections, so the server prints last.
//
// An interrupted story keeps this order: it kills the clients first, then it ends the server's
// standard input. The server itself ignores signals, because a terminal
// interrupts all processes at once, and a client would complain that its server is gone.
func story() error { return command.Story("counter", tell) }

func tell(ctx context.Context, dir string, fail func(error)) {
	open, closing := context.WithCancel(context.Background())
	defer closing()

	var server, clients sync.WaitGroup
	start := func(ctx context.Context, role *sync.WaitGroup, args ...string) {
		role.Go(func() {
			if err := runSelf(ctx, args...); err != nil {
				fail(fmt.Errorf("%s: %w", args[0], err)) // ends the other processes
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
}

// runSelf runs this program with other arguments. The end of ctx kills a client. It ends the
// standard input of a server, so that the server prints its count and ends.
func runSelf(ctx context.Context, args ...string) error {
	process := command.Self(ctx, args...)
	if args[0] == "serve" {
		input, err := process.StdinPipe()
		if err != nil {
			return err
		}
		process.Cancel = input.Close
		process.WaitDelay = 5 * time.Second // after this time the process is killed
	}
	return process.Run()
}

// untilInputEnds returns a context that ends with the standard input, and with io.EOF as its
// cause. The input ends when the parent closes it or dies. The signals that would end the
// process are ignored.
func untilInputEnds() (ctx context.Context, stop context.CancelFunc) {
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	ctx, cancel := context.WithCancelCause(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel(io.EOF)
	}()
	return ctx, func() { cancel(nil) }
}
