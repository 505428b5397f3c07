// Command handover shows how to replace a running server without refusing a client. At a SIGHUP
// the server starts its successor, a process of the same program, and hands the socket over to
// it. It serves its own clients until they leave, and then ends. Without arguments the command
// runs the servers and clients:
//
//	go run ./examples/handover
//
// To run them in several terminals:
//
//	go run ./examples/handover serve
//	go run ./examples/handover ask
//	kill -HUP PID
//
// The server is in serve.go.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/rxipc/rxipc/examples/internal/command"
	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
)

const usage = `usage:
  handover                 a server that hands over, and clients before and after
  handover serve [flags]   answer each message with the process ID; hand over at SIGHUP
  handover ask [flags]     print an answer
`

func main() {
	command.Main("handover", usage, story, map[string]func([]string) error{"serve": runServe, "ask": runAsk})
}

// parse returns the folder in the arguments of a role.
func parse(role string, args []string) (dir string, err error) {
	flags := flag.NewFlagSet("handover "+role, flag.ExitOnError)
	named := command.DirFlag(flags)
	flags.Parse(args)
	if flags.NArg() != 0 {
		return "", command.ErrUsage
	}
	return *named, nil
}

func runServe(args []string) error {
	dir, err := parse("serve", args)
	if err != nil {
		return err
	}
	ctx, stop := socket.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	upgrade := make(chan os.Signal, 1)
	signal.Notify(upgrade, syscall.SIGHUP)
	return serve(ctx, dir, upgrade)
}

func runAsk(args []string) error {
	dir, err := parse("ask", args)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	answer, err := ask(ctx, socket.New(socket.Config{Dir: dir}))
	if err == nil {
		fmt.Println("answered by", answer)
	}
	return err
}

var name = socket.MustParseName("handover")

// ask makes a request on a connection of its own.
func ask(ctx context.Context, ipc *socket.IPC) (string, error) {
	answer, err := fold.Then(ipc.ConnectTo(ctx, name), socket.Closing(ctx, socket.Request(ctx, socket.Text("who?")))).Get()
	return answer.Content(), err
}
