package socket_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/sockettest"
)

// TestAwaitNameTakesTheServersPlace has a reserve that waits until the first server ends.
func TestAwaitNameTakesTheServersPlace(t *testing.T) {
	t.Run("in memory", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { replaceServer(t, sockettest.NewNetwork()) })
	})
	t.Run("over unix sockets", func(t *testing.T) {
		dir, err := os.MkdirTemp("", "rxipc")
		if err != nil {
			t.Fatalf("make a folder: got %v, want no error", err)
		}
		defer os.RemoveAll(dir)
		replaceServer(t, socket.Unix{Dir: dir})
	})
}

func replaceServer(t *testing.T, transport socket.Transport) {
	t.Helper()
	config := socket.Config{Transport: transport}
	config.AwaitName = true
	serve := func(ctx context.Context) (listening chan socket.Name, ended chan error) {
		listening, ended = make(chan socket.Name, 1), make(chan error, 1)
		config.Listening = func(name socket.Name) { listening <- name }
		ipc := socket.New(config)
		go func() { ended <- serveIdle(ctx, ipc).Err() }()
		return listening, ended
	}
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	first, end := context.WithCancel(ctx)
	defer end()
	listening, firstEnded := serve(first)
	<-listening
	config.AwaitName = false
	if err := serveIdle(ctx, socket.New(config)).Err(); !errors.Is(err, socket.ErrInUse) {
		t.Errorf("listen on a name in use without AwaitName: got %v, want ErrInUse", err)
	}
	config.AwaitName = true
	given, giveUp := context.WithCancel(ctx)
	_, gaveUp := serve(given)
	giveUp()
	if err := <-gaveUp; !errors.Is(err, context.Canceled) {
		t.Errorf("end the context of a server that waits: got %v, want its cause", err)
	}
	listening, reserveEnded := serve(ctx)
	end()
	<-firstEnded
	<-listening
	ask := fold.Then(socket.New(config).ConnectTo(ctx, idler), socket.Closing(ctx, socket.Request(ctx, socket.Text("a"))))
	if m, err := ask.Get(); err != nil || m.Content() != "a" {
		t.Errorf("request to the reserve: got %q, %v; want its echo", m.Content(), err)
	}
	stop()
	<-reserveEnded
}
