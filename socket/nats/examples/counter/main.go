// Command counter is the first example of rxipc in a form that survives. Its server keeps each
// message in a journal before it acknowledges it, and its count is a fold of the journal. Without
// arguments it runs a server and 42 clients. When 20 messages are acknowledged, it kills the server
// as kill -9 does, and starts another one, which counts on:
//
//	go run -C socket/nats ./examples/counter
//
// To do it by hand, in two terminals:
//
//	go run -C socket/nats ./examples/counter serve -journal /tmp/counter
//	go run -C socket/nats ./examples/counter send -n 20 'hello world'
//
// Compare serve.go with that of examples/counter, where a killed server loses its count.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
)

func main() {
	err := run(os.Args[1:])
	if code := socket.ExitCode(err); code != 0 {
		if code < 128 {
			fmt.Fprintf(os.Stderr, "counter: %v\n", err)
		}
		os.Exit(code)
	}
}

// run plays the role that the arguments name.
func run(args []string) error {
	ctx, stop := socket.NotifyContext(context.Background())
	defer stop()
	if len(args) == 0 {
		return story(ctx)
	}
	flags := flag.NewFlagSet("counter "+args[0], flag.ExitOnError)
	dir := flags.String("dir", "", "`folder` of the sockets (default "+socket.DefaultDir()+")")
	name := socket.MustParseName("counter")
	switch args[0] {
	case "serve":
		folder := flags.String("journal", "counter.journal", "`folder` or URL of the journal")
		until := flags.Int("until", 42, "end with message `N`")
		flags.Parse(args[1:])
		return serve(ctx, socket.Config{Dir: *dir}, name, *folder, *until)
	case "send":
		times := flags.Int("n", 1, "send the message `N` times")
		flags.Parse(args[1:])
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		return send(ctx, socket.New(socket.Config{Dir: *dir}), name, socket.Text(flags.Arg(0)), *times)
	}
	return fmt.Errorf("role %q: want serve or send", args[0])
}

// send waits until the server listens, sends the message times times over one connection, and waits
// for the answers.
func send(ctx context.Context, ipc *socket.IPC, name socket.Name, m socket.Message, times int) error {
	talk := func(p *socket.Process) fold.Attempt[*socket.Process] {
		for range times {
			if answer, err := fold.Then(p.Send(ctx, m), socket.Wait(ctx)).Get(); err != nil || answer != m {
				return fold.Fail[*socket.Process](fmt.Errorf("send %v: got %v, %w", m, answer, err))
			}
		}
		return fold.Succeed(p)
	}
	return fold.Then(ipc.ConnectTo(ctx, name), socket.Closing(ctx, talk)).Err()
}
