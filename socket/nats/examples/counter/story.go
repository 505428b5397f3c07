package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/rxipc/rxipc/socket"
)

// story runs two servers, one after the other, as processes of their own, and 42 clients.
func story(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "counter")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)

	server, err := startServer(ctx, dir)
	if err != nil {
		return err
	}
	err = sendFromEach(ctx, dir, 20)
	if err = errors.Join(err, server.Process.Kill()); err != nil { // on Unix, the signal SIGKILL
		return err
	}
	server.Wait() // it was killed
	fmt.Println("20 messages are acknowledged, and the server is killed")

	if server, err = startServer(ctx, dir); err != nil {
		return err
	}
	return errors.Join(sendFromEach(ctx, dir, 22), server.Wait())
}

// startServer runs this program as a server. The end of ctx interrupts it.
func startServer(ctx context.Context, dir string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	server := exec.CommandContext(ctx, self, "serve", "-dir", dir, "-journal", filepath.Join(dir, "journal"))
	server.Stdout, server.Stderr = os.Stdout, os.Stderr
	return server, server.Start()
}

// sendFromEach sends a message from each of n clients at once.
func sendFromEach(ctx context.Context, dir string, n int) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	ipc, name := socket.New(socket.Config{Dir: dir}), socket.MustParseName("counter")
	errs := make([]error, n)
	var clients sync.WaitGroup
	for i := range n {
		clients.Go(func() { errs[i] = send(ctx, ipc, name, socket.Text("hello world"), 1) })
	}
	clients.Wait()
	return errors.Join(errs...)
}
