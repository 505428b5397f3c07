//go:build unix

package socket

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rxipc/rxipc/fold"
)

func init() {
	roles["heir"] = func(dir string) {
		if l, err := (Unix{Dir: dir, Inherit: true, Mode: 0o400}).Listen(context.Background(), counter); !errors.Is(err, ErrInvalid) {
			fmt.Printf("listening with a Unix that is invalid: %v, %v; want ErrInvalid\n", l, err)
		}
		playServer(New(Config{Transport: Unix{Dir: dir, Inherit: true}, ServerConfig: ServerConfig{
			Listening: func(Name) {
				if os.Getenv("LISTEN_FDS")+os.Getenv("LISTEN_PID")+os.Getenv("LISTEN_FDNAMES") != "" {
					fmt.Println("children would inherit, too")
				}
				fmt.Println("listening")
			},
		}}))
	}
}

// startWithSockets starts this binary as a manager of services does.
func startWithSockets(t *testing.T, role, dir, names string, sockets ...*os.File) *started {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", `LISTEN_PID=$$ exec "$0"`, os.Args[0])
	cmd.Env = append(os.Environ(), "LISTEN_FDS="+strconv.Itoa(len(sockets)), "LISTEN_FDNAMES="+names)
	cmd.ExtraFiles = sockets
	return startCommand(t, cmd, role, dir)
}

// socketFile is a socket that somebody else listens on at path.
func socketFile(t *testing.T, path string) *os.File {
	t.Helper()
	file, err := listenForeign(t, path).File()
	if err != nil {
		t.Fatalf("duplicate the descriptor of a socket: %v", err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

func TestServerListensOnTheSocketOfItsManager(t *testing.T) {
	dir, ctx := openDir(t), within(t)
	path := filepath.Join(dir, "counter.sock")
	file := socketFile(t, path)
	ipc := New(Config{Dir: dir})
	request := func() fold.Attempt[Message] {
		return fold.Then(ipc.ConnectTo(ctx, counter), Closing(ctx, func(p *Process) fold.Attempt[Message] {
			return fold.Then(p.Send(ctx, Text("hello")), Wait(ctx))
		}))
	}
	elsewhere := "/no/such/folder/" + strings.Repeat("long", 100)
	for range 2 {
		answer := make(chan fold.Attempt[Message])
		go func() { answer <- request() }() // before there is a server
		server := startWithSockets(t, "heir", elsewhere, "counter.socket", file)
		server.expect("listening")
		if m, err := (<-answer).Get(); m != Text("echo: hello") {
			t.Errorf("request before the server runs: got %v, %v, want echo: hello", m, err)
		}
		server.cmd.Process.Signal(os.Interrupt)
		server.expect("carried 1 true")
		server.cmd.Wait()
		if _, err := os.Lstat(path); err != nil {
			t.Fatal("it removed the socket of its manager: ", err)
		}
	}
}
