// Command words shows a server with one state for all its clients, as in innmind/ipc 4.x. The
// messages of all connections are one ordered stream. A monoid of maps folds it to a running word
// count. Without arguments the command runs a server and three clients, each in a process of its
// own:
//
//	go run ./examples/words
//
// To run them in two terminals, in either order:
//
//	go run ./examples/words serve
//	go run ./examples/words send 'to be or not to be' 'that is the question'
//
// The server is in serve.go.
package main

import (
	"context"
	"flag"
	"time"

	"github.com/rxipc/rxipc/examples/internal/command"
	"github.com/rxipc/rxipc/socket"
)

const usage = `usage:
  words                         a server and three clients, each a process
  words serve [flags]           count the words of all messages
  words send [flags] LINE...    send lines
`

func main() {
	command.Main("words", usage, story, map[string]func([]string) error{"serve": runServe, "send": runSend})
}

func runServe(args []string) error {
	flags := flag.NewFlagSet("words serve", flag.ExitOnError)
	dir, nameText := command.DirFlag(flags), command.NameFlag(flags, "words")
	until := flags.Int("until", 0, "end after `N` words; 0: never")
	flags.Parse(args)
	if flags.NArg() != 0 {
		return command.ErrUsage
	}
	name, err := socket.ParseName(*nameText)
	if err != nil {
		return err
	}
	stop, forget := socket.NotifyContext(context.Background())
	defer forget()
	return serve(stop, name, socket.Config{Dir: *dir}, *until)
}

func runSend(args []string) error {
	flags := flag.NewFlagSet("words send", flag.ExitOnError)
	dir, nameText := command.DirFlag(flags), command.NameFlag(flags, "words")
	timeout := flags.Duration("timeout", 5*time.Second, "give up after this `time`")
	flags.Parse(args)
	if flags.NArg() == 0 {
		return command.ErrUsage
	}
	name, err := socket.ParseName(*nameText)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), *timeout)
	defer cancel()
	return send(ctx, socket.New(socket.Config{Dir: *dir}), name, flags.Args())
}
