package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
)

// serve answers with the process ID. At each upgrade it hands over to a successor. It ends with
// ctx, or when its last client has left after a hand-over. With Inherit it takes over the sockets
// that it was started with, so a successor runs the same code.
func serve(ctx context.Context, dir string, upgrade <-chan os.Signal) error {
	pid := strconv.Itoa(os.Getpid())
	ipc := socket.New(socket.Config{
		Transport:    socket.Unix{Dir: dir, Inherit: true},
		ServerConfig: socket.ServerConfig{Listening: func(socket.Name) { fmt.Println(pid, "listens") }},
	})
	go func() {
		for range upgrade {
			if err := handOver(ctx, ipc, dir); err != nil {
				fmt.Println(pid, "goes on:", err) // the hand-over changed nothing
			}
		}
	}()
	served := socket.Serve(ipc, name, fold.Sum[int]()).
		With(ctx, func(m socket.Message, c socket.Continuation[int], count int) socket.Continuation[int] {
			return c.Respond(socket.Text(pid)).CarryWith(count + 1)
		})
	if count, carried := socket.Carry(served).Get(); carried {
		fmt.Println(pid, "ends, requests answered:", count)
	}
	return served.Err()
}

// handOver starts this program again, from the current contents of its file, and hands the
// socket over to it.
func handOver(ctx context.Context, ipc *socket.IPC, dir string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	successor := exec.Command(self, "serve", "-dir", dir)
	successor.Stdout, successor.Stderr = os.Stdout, os.Stderr
	return ipc.HandOver(ctx, successor)
}
