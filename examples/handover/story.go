package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
)

// story runs the first server. One client stays connected to it while it hands over, and new
// clients connect all the time. The first server ends once the client has left.
func story() error {
	dir, err := os.MkdirTemp("", "handover")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	upgrade := make(chan os.Signal, 1)
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, dir, upgrade) }()

	ipc := socket.New(socket.Config{Dir: dir})
	successor, err := fold.Then(ipc.ConnectTo(ctx, name), socket.Closing(ctx, func(stays *socket.Process) fold.Attempt[*os.Process] {
		upgrade <- syscall.SIGHUP
		return fold.Try(newServer(ctx, ipc, stays))
	})).Get()
	if err != nil {
		return err
	}
	if err := <-ended; err != nil {
		return err
	}
	fmt.Println("the first server has ended by itself")
	if err := successor.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	_, err = successor.Wait() // the successor is a child of this process
	return err
}

// newServer makes requests as new clients until a process other than the first server answers,
// and returns that process.
func newServer(ctx context.Context, ipc *socket.IPC, stays *socket.Process) (*os.Process, error) {
	for {
		answer, err := ask(ctx, ipc) // never refused
		if err != nil {
			return nil, err
		}
		first, err := stays.Request(ctx, socket.Text("who?")).Get()
		if err != nil {
			return nil, err
		}
		if answer != first.Content() {
			fmt.Println("one client is still answered by", first.Content(), "and new ones by", answer)
			pid, err := strconv.Atoi(answer)
			if err != nil {
				return nil, err
			}
			return os.FindProcess(pid)
		}
	}
}
