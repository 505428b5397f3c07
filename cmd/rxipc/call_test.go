//go:build unix

package main

import (
	"context"
	"log/slog"
	"testing"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/rpc"
	"github.com/rxipc/rxipc/stream"
)

type sum struct {
	A int `json:"a" doc:"the first number"`
	B int `json:"b"`
}

var (
	add     = rpc.NewMethod[sum, int]("add").Doc("Adds two numbers.")
	count   = rpc.NewStream[int, int]("count")
	touched = rpc.NewNotice[string]("touched")
)

// typed serves a method of each kind. The notification's handler sends its content to files.
func (s shell) typed(name string, files chan<- string) {
	server := rpc.NewServer(
		rpc.Handle(add, func(_ context.Context, r sum) (int, error) { return r.A + r.B, nil }),
		rpc.HandleStream(count, func(_ context.Context, n int) stream.Observable[int] { return stream.Range(1, n) }),
		rpc.HandleNotice(touched, func(_ context.Context, file string) error { files <- file; return nil }),
	)
	listening := make(chan struct{})
	ctx, stop := context.WithCancel(s.Context())
	ended := make(chan struct{})
	ipc := socket.New(socket.Config{Dir: s.dir, Log: slog.New(slog.DiscardHandler), ServerConfig: socket.ServerConfig{
		Listening: func(socket.Name) { close(listening) },
	}})
	go func() {
		defer close(ended)
		server.Serve(ctx, ipc, socket.MustParseName(name))
	}()
	s.Cleanup(func() { stop(); <-ended })
	<-listening
}

func TestCallCallsAMethodOfEachKind(t *testing.T) {
	s, files := newShell(t), make(chan string, 1)
	s.typed("daemon", files)
	s.wants("42\n", exitDone, "", "call", "daemon", "add", `{"a": 19, "b": 23}`)
	s.wants("42\n", exitDone, `{"a": 42}`, "call", "daemon", "add", "-")
	s.wants("0\n", exitDone, "", "call", "daemon", "add")
	s.wants("1\n2\n3\n", exitDone, "", "call", "daemon", "count", "3")
	s.wants("", exitDone, "", "call", "daemon", "touched", `"a.txt"`)
	if got := <-files; got != "a.txt" {
		t.Errorf("rxipc call of a notification: the server got %q, want a.txt", got)
	}
	s.fails(exitRejected, "no such method", "", "call", "daemon", "subtract")
	s.fails(exitRejected, "cannot unmarshal", "", "call", "daemon", "add", `{"a": "x"}`)
	s.fails(exitUsage, "not valid JSON", "", "call", "daemon", "add", "{")
}

func TestDescribePrintsMethods(t *testing.T) {
	s := newShell(t)
	s.typed("daemon", nil)
	s.wants(`method add
  Adds two numbers.
  request  {"type":"object","properties":{"a":{"description":"the first number","type":"integer"},"b":{"type":"integer"}},"required":["a","b"]}
  response {"type":"integer"}
stream count
  request  {"type":"integer"}
  response {"type":"integer"}
notice touched
  request  {"type":"string"}
`, exitDone, "", "describe", "daemon")
}
