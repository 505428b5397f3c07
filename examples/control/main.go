// Command control is a daemon and the program that controls it, by typed requests. The daemon
// greets again and again, in its log. Without arguments the command runs a daemon and controls it.
// To run it in two terminals, with a FILE such as {"greeting": "hello", "every": 500}:
//
//	go run ./examples/control serve -config FILE
//	go run ./examples/control status
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/rxipc/rxipc/examples/internal/command"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/rpc"
	"github.com/rxipc/rxipc/stream"
)

const usage = `usage:
  control                             a daemon, and commands to it
  control serve -config FILE [flags]  the daemon
  control status [flags]              print what the daemon does
  control reload [flags]              let the daemon read its configuration again
  control tail [flags]                print the last lines of the log, and new ones as they come
`

type config struct {
	Greeting string `json:"greeting"`
	Every    int    `json:"every" doc:"milliseconds from one greeting to the next"`
}

type state struct {
	PID    int
	Since  time.Time
	Config config
}

// The daemon and the commands share its methods.
var (
	name   = socket.MustParseName("control")
	status = rpc.NewMethod[struct{}, state]("status").Doc("What the daemon does.")
	reload = rpc.NewMethod[struct{}, config]("reload").Doc("Reads the configuration again, and returns it.")
	tail   = rpc.NewStream[struct{}, string]("tail").Doc("The last 20 lines of the log, and new ones as they come.")

	errConfig = &rpc.Problem{Type: "https://example.com/bad-configuration", Title: "the configuration stays as it is"}
)

func main() {
	command.Main("control", usage, func() error { return command.Story("control", tell) }, map[string]func([]string) error{
		"serve":  func(args []string) error { return run("serve", args, serve) },
		"status": func(args []string) error { return run("status", args, client(ask(status))) },
		"reload": func(args []string) error { return run("reload", args, client(ask(reload))) },
		"tail":   func(args []string) error { return run("tail", args, client(follow)) },
	})
}

// run runs a role with its flags.
func run(role string, args []string, play func(ctx context.Context, ipc *socket.IPC, file string) error) error {
	flags := flag.NewFlagSet("control "+role, flag.ExitOnError)
	dir, file := command.DirFlag(flags), flags.String("config", "", "configuration `file` of the daemon")
	flags.Parse(args)
	if flags.NArg() != 0 || (role == "serve") != (*file != "") {
		return command.ErrUsage
	}
	ctx, stop := socket.NotifyContext(context.Background())
	defer stop()
	ipc := socket.New(socket.Config{Dir: *dir, ServerConfig: socket.ServerConfig{Listening: func(socket.Name) { fmt.Println("listening") }}})
	return play(ctx, ipc, *file)
}

// serve is the daemon. A tail that reads too slowly misses lines, and does not stop the daemon.
func serve(ctx context.Context, ipc *socket.IPC, file string) error {
	first, err := read(file)
	if err != nil {
		return err
	}
	since, configs, log := time.Now(), stream.NewBehaviorSubject(first), stream.NewReplaySubject[string](20, 0)
	ctx, stop := context.WithCancel(ctx)
	var work sync.WaitGroup
	defer work.Wait()
	defer stop()
	work.Go(func() { log.Feed(ctx, stream.Pipe1(configs.Observe(1, stream.DropOldest), operators.SwitchMap(greet))) })
	return rpc.NewServer(
		rpc.Handle(status, func(context.Context, struct{}) (state, error) {
			current, _ := configs.Value().Get()
			return state{os.Getpid(), since, current}, nil
		}),
		rpc.Handle(reload, func(context.Context, struct{}) (config, error) {
			changed, err := read(file)
			if err != nil {
				return config{}, errConfig.Detailf("%v", err)
			}
			configs.Next(changed)
			return changed, nil
		}),
		rpc.HandleStream(tail, func(context.Context, struct{}) stream.Observable[string] { return log.Observe(100, stream.DropOldest) }),
	).Serve(ctx, ipc, name)
}

// greet emits the lines of the log, until the next configuration.
func greet(c config) stream.Observable[string] {
	return stream.Pipe1(stream.Interval(time.Duration(c.Every)*time.Millisecond), operators.Map(func(int) string { return c.Greeting }))
}

func read(file string) (c config, err error) {
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err == nil && c.Every < 1 {
		err = errors.New("every: want at least 1")
	}
	return c, err
}

// client returns a command that controls the daemon. It fails at once if none runs.
func client(play func(context.Context, *socket.Process) error) func(context.Context, *socket.IPC, string) error {
	return func(ctx context.Context, ipc *socket.IPC, _ string) error {
		daemon, err := ipc.Dial(ctx, name).Get()
		if err != nil {
			return err
		}
		defer daemon.Close(ctx)
		return play(ctx, daemon)
	}
}

// ask calls a method and prints the answer.
func ask[Answer any](method rpc.Method[struct{}, Answer]) func(context.Context, *socket.Process) error {
	return func(ctx context.Context, daemon *socket.Process) error {
		answer, err := method.Call(ctx, daemon, struct{}{})
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(answer)
	}
}

func follow(ctx context.Context, daemon *socket.Process) error {
	return tail.Observe(daemon, struct{}{}).ForEach(ctx, func(line string) { fmt.Println(line) })
}
