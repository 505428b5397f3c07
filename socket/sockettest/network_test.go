package sockettest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
)

var one, two = socket.MustParseName("one"), socket.MustParseName("two")

func TestNetworkFailsAsUnixSocketsDo(t *testing.T) {
	n, ctx := NewNetwork(), t.Context()
	n.Backlog = 1
	refused := func(err, want error, text string) {
		t.Helper()
		var structured *socket.Error
		if !errors.Is(err, want) || !errors.As(err, &structured) || err.Error() != text {
			t.Errorf("got %v, want %s", err, text)
		}
	}
	_, err := n.Dial(ctx, one)
	refused(err, socket.ErrNotListening, "socket: dial one: nobody listens")
	first, err := n.Listen(ctx, one)
	if err != nil || first.Addr() != Addr("one") {
		t.Fatalf("listen on one: got %v, want a listener with the address one", err)
	}
	_, err = n.Listen(ctx, one)
	refused(err, socket.ErrInUse, "socket: listen one: name already in use")
	_, err = n.Listen(ctx, socket.Name{})
	refused(err, socket.ErrInvalid, "socket: listen: invalid")
	_, err = n.Dial(ctx, socket.Name{})
	refused(err, socket.ErrInvalid, "socket: dial: invalid")
	waiting, err := n.Dial(ctx, one)
	if err != nil {
		t.Fatalf("dial one: %v", err)
	}
	_, err = n.Dial(ctx, one)
	refused(err, socket.ErrBusy, "socket: dial one: too many connections are waiting")

	if err := first.Close(); err != nil {
		t.Fatalf("close the listener: %v", err)
	}
	if _, err := waiting.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("read on a connection that was not accepted before the listener closed: got %v, want io.EOF", err)
	}
	for call, err := range map[string]error{"Close": first.Close(), "Accept": second(first.Accept())} {
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s on a closed listener: got %v, want net.ErrClosed", call, err)
		}
	}
	_, err = n.Dial(ctx, one)
	refused(err, socket.ErrNotListening, "socket: dial one: nobody listens")
	again, err := n.Listen(ctx, one)
	if err != nil {
		t.Fatalf("listen on one again: %v", err)
	}
	first.Close() // does not close the listener that has replaced it
	if _, err := n.Dial(ctx, one); err != nil {
		t.Errorf("dial one after the old listener's second Close: %v", err)
	}
	again.Close()
}

func second(_ net.Conn, err error) error { return err }

func TestNetworkReturnsTheCauseOfADoneContext(t *testing.T) {
	n, reason := NewNetwork(), errors.New("reason")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(reason)
	_, listening := n.Listen(ctx, one)
	_, dialing := n.Dial(ctx, one)
	_, listing := n.Names(ctx)
	for call, err := range map[string]error{"Listen": listening, "Dial": dialing, "Names": listing} {
		if !errors.Is(err, reason) {
			t.Errorf("%s with a cancelled context: got %v, want the cause %v", call, err, reason)
		}
	}
}

func TestNetworkListsNames(t *testing.T) {
	n := NewNetwork()
	for _, name := range []socket.Name{two, one} {
		if _, err := n.Listen(t.Context(), name); err != nil {
			t.Fatalf("listen on %v: %v", name, err)
		}
	}
	if names, err := n.Names(t.Context()); !slices.Equal(names, []socket.Name{one, two}) || err != nil {
		t.Errorf("names: got %v, %v, want [one two]", names, err)
	}
	if names, err := NewNetwork().Names(t.Context()); names != nil || err != nil {
		t.Errorf("names of another network: got %v, %v, want none", names, err)
	}
}

func TestListenerCloseWakesAccept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener, _ := NewNetwork().Listen(t.Context(), one)
		go func() {
			time.Sleep(time.Hour)
			listener.Close()
		}()
		if _, err := listener.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("accept while the listener closed: got %v, want net.ErrClosed", err)
		}
	})
}

// Real servers and real clients talk in both dialects, also with buffers so small that
// every message fills them.
func TestNetworkConnectsServersAndClients(t *testing.T) {
	for _, dialect := range []socket.Dialect{socket.Dialect4, socket.Dialect5} {
		for _, buffer := range []int{1, 100, DefaultBuffer} {
			t.Run(fmt.Sprintf("dialect %d, %d bytes", dialect, buffer), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					n := NewNetwork()
					n.Buffer = buffer
					talk(t, socket.New(socket.Config{Transport: n, ServerConfig: socket.ServerConfig{Dialect: dialect}}))
				})
			})
		}
	}
}

func talk(t *testing.T, ipc *socket.IPC) {
	question := socket.Text(string(make([]byte, 200)))
	for range 3 {
		go func() {
			answer := fold.Then(ipc.ConnectTo(t.Context(), one), // waits until the server listens
				socket.Closing(t.Context(), func(p *socket.Process) fold.Attempt[socket.Message] {
					return fold.Then(p.Send(t.Context(), question), socket.Wait(t.Context()))
				}))
			if m, err := answer.Get(); m != question || err != nil {
				t.Errorf("echo of %v: got %v, %v", question, m, err)
			}
		}()
	}
	time.Sleep(time.Minute)
	go func() {
		time.Sleep(time.Second)
		if names, err := ipc.Names(t.Context()).Get(); !slices.Equal(names, []socket.Name{one}) || err != nil {
			t.Errorf("names: got %v, %v, want [one]", names, err)
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	served := socket.Serve(ipc, one, fold.Sum[int]()).With(ctx,
		func(m socket.Message, c socket.Continuation[int], count int) socket.Continuation[int] {
			return c.Respond(m).CarryWith(count + 1)
		})
	if total, _ := socket.Carry(served).Get(); total != 3 || !errors.Is(served.Err(), context.DeadlineExceeded) {
		t.Errorf("serve 3 clients for a minute: got %v, want the carry 3 and context.DeadlineExceeded", served)
	}
}
