// Command counter is the first example of rxipc: a server that echoes messages and counts them,
// and clients that send one message each. Without arguments it runs a server and 42 clients that
// find each other in a temporary folder, each in a process of its own:
//
//	go run ./examples/counter
//
// To run them in two terminals, in either order:
//
//	go run ./examples/counter serve -until 3
//	go run ./examples/counter send -n 3 'hello world'
//
// The server is in serve.go, the client in send.go. With -dir set to the folder
// that innmind/ipc uses, a PHP process may replace either of them.
package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"time"

	"github.com/rxipc/rxipc/examples/internal/command"
	"github.com/rxipc/rxipc/socket"
)

const usage = `usage:
  counter                          a server and 42 clients, each a process
  counter serve [flags]            answer messages and count them
  counter send [flags] MESSAGE     send a message and print the answer
`

func main() {
	command.Main("counter", usage, story, map[string]func([]string) error{"serve": runServe, "send": runSend})
}

func runServe(args []string) error {
	flags := flag.NewFlagSet("counter serve", flag.ExitOnError)
	dir, nameText := command.DirFlag(flags), command.NameFlag(flags, "a")
	until := flags.Int("until", 42, "end when the ended connections had sent `N` messages; 0: never")
	attached := flags.Bool("stdin", false, "end when the standard input ends, and ignore signals")
	dialectText := flags.String("dialect", "5", "version of innmind/ipc to speak, `4 or 5`")
	flags.Parse(args)
	if flags.NArg() != 0 {
		return command.ErrUsage
	}
	name, err := socket.ParseName(*nameText)
	if err != nil {
		return err
	}
	dialect, err := command.ParseDialect(*dialectText)
	if err != nil {
		return err
	}
	ending := func() (context.Context, context.CancelFunc) { return socket.NotifyContext(context.Background()) }
	if *attached {
		ending = untilInputEnds
	}
	ctx, stop := ending()
	defer stop()
	err = serve(ctx, name, socket.Config{Dir: *dir, ServerConfig: socket.ServerConfig{Dialect: dialect}}, *until)
	if errors.Is(err, io.EOF) { // the expected end
		return nil
	}
	return err
}

func runSend(args []string) error {
	flags := flag.NewFlagSet("counter send", flag.ExitOnError)
	dir, nameText := command.DirFlag(flags), command.NameFlag(flags, "a")
	times := flags.Int("n", 1, "send the message `N` times")
	mediaTypeText := flags.String("type", "text/plain", "`media type` of the message")
	timeout := flags.Duration("timeout", 5*time.Second, "give up after this `time`")
	flags.Parse(args)
	if flags.NArg() != 1 || *times < 1 {
		return command.ErrUsage
	}
	name, err := socket.ParseName(*nameText)
	if err != nil {
		return err
	}
	mediaType, err := socket.ParseMediaType(*mediaTypeText)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), *timeout)
	defer cancel()
	return send(ctx, socket.New(socket.Config{Dir: *dir}), name, socket.NewMessage(mediaType, flags.Arg(0)), *times)
}
