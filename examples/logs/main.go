// Command logs ships the lines of log files to a collector, which writes them all to one file. Each
// line arrives exactly once, whatever is killed when: the collector keeps with each line the position
// behind it, a shipper goes on from the last one, and the collector refuses a line that does not
// follow on the one before. Without arguments the command runs both, and kills them with SIGKILL.
// To run them in terminals, in any order:
//
//	go run ./examples/logs collect FILE
//	go run ./examples/logs ship LOGFILE
//
// The collector is in collect.go.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"syscall"
	"time"

	"github.com/rxipc/rxipc/examples/internal/command"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream/system"
)

const usage = `usage:
  logs                       a shipper and a collector that are killed
  logs collect [flags] FILE  write the lines that are shipped to FILE; hand over at SIGHUP
  logs ship [flags] LOGFILE  ship the lines of LOGFILE, and new ones as they come
`

var name = socket.MustParseName("logs")

func main() {
	command.Main("logs", usage, func() error { return command.Story("logs", tell) }, map[string]func([]string) error{
		"collect": func(args []string) error { return run("collect", args, collect) },
		"ship":    func(args []string) error { return run("ship", args, ship) },
	})
}

// run runs a role with its flags.
func run(role string, args []string, play func(ctx context.Context, dir, file string) error) error {
	flags := flag.NewFlagSet("logs "+role, flag.ExitOnError)
	dir := command.DirFlag(flags)
	flags.Parse(args)
	if flags.NArg() != 1 {
		return command.ErrUsage
	}
	ctx, stop := socket.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return play(ctx, *dir, flags.Arg(0))
}

// ship keeps nothing itself: whenever it has connected, it asks the collector where to go on.
func ship(ctx context.Context, dir, file string) error {
	ipc, source := socket.New(socket.Config{Dir: dir}), url.QueryEscape(file)
	return operators.Retry[socket.Message](operators.RetryPolicy{
		Delay: 10 * time.Millisecond, MaxDelay: time.Second, ResetOnValue: true,
		If: func(err error) bool { return socket.IsPassing(err) || errors.Is(err, socket.ErrRejected) },
	})(func(ctx context.Context, yield func(socket.Message) bool) error {
		collector, err := ipc.ConnectTo(ctx, name).Get()
		if err != nil {
			return err
		}
		defer collector.Close(context.WithoutCancel(ctx))
		answer, err := collector.Request(ctx, socket.Text(source)).Get()
		if err != nil {
			return err
		}
		last, from := answer.Content(), system.Position{}
		fmt.Sscanf(last, "%d-%d-%d", &from.Device, &from.File, &from.Offset)
		return collector.SendAll(operators.Map(func(l system.Line) socket.Message {
			before := last
			last = fmt.Sprintf("%d-%d-%d", l.Next.Device, l.Next.File, l.Next.Offset)
			return socket.Text(source + " " + before + " " + last + " " + l.Text)
		})(system.Follow(file, system.FollowOptions{From: from})))(ctx, yield)
	}).Run(ctx)
}
