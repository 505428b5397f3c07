// Command broadcast shows a server that pushes: what one client says reaches all
// who listen. The server is a pipeline around a stream.Subject, which tells one who
// comes what was said last, and in which each client has a bounded buffer of its own,
// so that one that does not read loses what is said and holds nobody up. Without arguments it is a story, a server and three
// clients over a real socket in a temporary folder:
//
//	go run ./examples/broadcast
//
// Or play the roles in several terminals:
//
//	go run ./examples/broadcast serve
//	go run ./examples/broadcast listen
//	go run ./examples/broadcast say 'good morning'
//
// The server is in serve.go, the clients in client.go. With -dir set to the folder that
// innmind/ipc uses, and -dialect 4 for clients of its version 4, a PHP process may play
// any of them. After a signal each ends in good order and exits with 128 plus its number.
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
  broadcast serve [flags]        pass on what clients say
  broadcast listen [flags]       print what is said
  broadcast say [flags] TEXT     say something
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
