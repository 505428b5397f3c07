// Command broadcast shows a server that pushes: it sends the messages of each client to all
// listening clients. The server is a pipeline around a stream.Subject. The subject replays the
// last messages to a new client. It has a bounded buffer for each client, so that a client
// which does not read loses messages and delays no other client. Without arguments the command
// runs a server and three clients over a real socket in a temporary folder:
//
//	go run ./examples/broadcast
//
// To run them in several terminals:
//
//	go run ./examples/broadcast serve
//	go run ./examples/broadcast listen
//	go run ./examples/broadcast say 'good morning'
//
// The server is in serve.go, the clients in client.go. With -dir set to the folder that
// innmind/ipc uses, and -dialect 4 for clients of its version 4, a PHP process may replace
// any of them. After a signal each ends in good order and exits with 128 plus the signal's number.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/rxipc/rxipc/examples/internal/command"
	"github.com/rxipc/rxipc/socket"
)

const usage = `usage:
  broadcast                      a server and three clients
  broadcast serve [flags]        send the messages of each client to all
  broadcast listen [flags]       print the messages
  broadcast say [flags] TEXT     send a message
`

func main() {
	ctx, stop := socket.NotifyContext(context.Background())
	err := run(ctx, os.Args[1:])
	stop()
	command.Exit("broadcast", usage, err)
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return story(ctx)
	}
	flags := flag.NewFlagSet("broadcast "+args[0], flag.ExitOnError)
	dir := command.DirFlag(flags)
	nameText := command.NameFlag(flags, "room")
	dialectText := "5"
	if args[0] == "serve" {
		flags.StringVar(&dialectText, "dialect", dialectText, "version of innmind/ipc to speak, `4 or 5`")
	}
	flags.Parse(args[1:])
	name, err := socket.ParseName(*nameText)
	if err != nil {
		return err
	}
	dialect, err := command.ParseDialect(dialectText)
	if err != nil {
		return err
	}
	config := socket.Config{
		Dir: *dir,
		ServerConfig: socket.ServerConfig{
			Dialect:   dialect,
			Listening: func(name socket.Name) { fmt.Println("listening on", name) },
		},
	}
	ipc := socket.New(config)
	switch {
	case args[0] == "serve" && flags.NArg() == 0:
		return serve(ipc, name).ForEach(ctx, printMessage)
	case args[0] == "listen" && flags.NArg() == 0:
		return listen(ctx, ipc, name)
	case args[0] == "say" && flags.NArg() == 1:
		return say(ctx, ipc, name, flags.Arg(0))
	}
	return command.ErrUsage
}
