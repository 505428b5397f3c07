package rpc_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/rpc"
	"github.com/rxipc/rxipc/socket/sockettest"
)

type greeting struct{ Name string }

var hello = rpc.NewMethod[greeting, string]("hello")

var name = socket.MustParseName("typed")

func TestMethodCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ipc := socket.New(socket.Config{Transport: sockettest.NewNetwork()})
		ctx, stop := context.WithCancel(t.Context())
		server := rpc.NewServer(rpc.Handle(hello, func(_ context.Context, g greeting) (string, error) { return "hello " + g.Name, nil }))
		served := make(chan error, 1)
		go func() { served <- server.Serve(ctx, ipc, name) }()
		pool := ipc.Pool(name, socket.PoolConfig{})
		got, err := hello.Call(ctx, pool, greeting{"Ada"})
		if got != "hello Ada" || err != nil {
			t.Errorf("call hello: got %q, %v, want hello Ada", got, err)
		}
		pool.Close(ctx)
		stop()
		if err := <-served; err != context.Canceled {
			t.Errorf("serve until the context ends: got %v, want %v", err, context.Canceled)
		}
	})
}
