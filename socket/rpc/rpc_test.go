package rpc_test

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"testing/synctest"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/rpc"
	"github.com/rxipc/rxipc/socket/sockettest"
)

type greeting struct{ Name string }

var (
	hello = rpc.NewMethod[greeting, string]("hello")
	name  = socket.MustParseName("typed")
)

// world is a server over a network in memory, in virtual time.
type world struct {
	t         *testing.T
	ctx       context.Context
	ipc       *socket.IPC
	transport socket.Transport
	log       *bytes.Buffer // of the server; read it after stop
	stop      func() error  // stops the server and returns its error
}

// virtual runs a test in a world of its own.
func virtual(t *testing.T, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, ctx: t.Context(), log: new(bytes.Buffer), transport: sockettest.NewNetwork(), stop: func() error { return nil }}
		w.ipc = socket.New(socket.Config{
			Transport: w.transport,
			Log:       slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelInfo})),
		})
		test(w)
		w.stop()
	})
}

// serve starts a server of some handlers.
func (w *world) serve(handlers ...rpc.Handler) { w.run(rpc.NewServer(handlers...)) }

func (w *world) run(server rpc.Server) {
	w.runWith(func(ctx context.Context, ipc *socket.IPC) error { return server.Serve(ctx, ipc, name) })
}

// runWith starts a server that a function runs.
func (w *world) runWith(serve func(context.Context, *socket.IPC) error) {
	ctx, cancel := context.WithCancel(w.ctx)
	served := make(chan error, 1)
	go func() { served <- serve(ctx, w.ipc) }()
	w.stop = func() error {
		cancel()
		err := <-served
		served <- err
		return err
	}
}

// connect returns a process of its own, which is closed at the end of the test.
func (w *world) connect() *socket.Process {
	w.t.Helper()
	p, err := w.ipc.ConnectTo(w.ctx, name).Get()
	if err != nil {
		w.t.Fatalf("connect to the server: %v", err)
	}
	w.t.Cleanup(func() { p.Close(context.WithoutCancel(w.ctx)) })
	return p
}

// pool returns a pool, which is closed at the end of the test.
func (w *world) pool() *socket.Pool {
	pool := w.ipc.Pool(name, socket.PoolConfig{})
	w.t.Cleanup(func() { pool.Close(context.WithoutCancel(w.ctx)) })
	return pool
}

// die ends a client without a word.
func die(p *socket.Process) { p.Conn().Close() }
