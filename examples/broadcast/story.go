package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
)

// lines are the messages of the clients of the story, one each.
var lines = []string{"Ada: good morning", "Bob: good afternoon", "Cid: good night"}

// story runs a server and all clients at the same time, over real connections. Each client sends
// its line after it has connected, receives the earlier lines too, and leaves when it has all
// lines. The clients connect in any order, so the output is sorted.
func story(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "room")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ipc, name := socket.New(socket.Config{Dir: dir}), socket.MustParseName("room")

	ctx, fail := context.WithCancelCause(ctx)
	room := serve(ipc, name).Subscribe(ctx, stream.Observer[socket.Message]{Error: fail})
	defer room.Wait()
	defer room.Unsubscribe()

	reports, err := stream.Pipe1(
		stream.FromSlice(lines),
		operators.MergeMap(func(line string) stream.Observable[string] { return visit(ipc, name, line) }),
	).Collect(ctx)
	slices.Sort(reports)
	for _, report := range reports {
		fmt.Println(report)
	}
	return err
}

// visit is a client of the story. It emits the lines that it has received.
func visit(ipc *socket.IPC, name socket.Name, line string) stream.Observable[string] {
	return func(ctx context.Context, yield func(string) bool) error {
		report, err := fold.Then(ipc.ConnectTo(ctx, name), socket.Closing(ctx, func(p *socket.Process) fold.Attempt[string] {
			return fold.Then(p.Send(ctx, socket.Text(line)), hearAll(ctx))
		})).Get()
		if err != nil {
			return err
		}
		who, _, _ := strings.Cut(line, ":")
		yield(who + " heard " + report)
		return nil
	}
}

// hearAll waits until it has received all lines.
func hearAll(ctx context.Context) func(p *socket.Process) fold.Attempt[string] {
	return func(p *socket.Process) fold.Attempt[string] {
		heard, err := stream.Pipe2(
			p.Messages(),
			operators.Map(socket.Message.Content),
			operators.Take[string](len(lines)),
		).Collect(ctx)
		slices.Sort(heard)
		return fold.Try(strings.Join(heard, ", "), err)
	}
}
