package socket_test

import (
	"context"
	"fmt"
	"net"
	"os"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
)

// A server tells its clients apart by what the system knows of them.
func ExampleConnection_Peer() {
	dir, _ := os.MkdirTemp("", "rxipc")
	defer os.RemoveAll(dir)
	ipc := socket.New(socket.Config{Dir: dir})
	name, ctx := socket.MustParseName("whoami"), context.Background()

	served := make(chan error)
	go func() {
		served <- socket.Serve(ipc, name, fold.Unit()).With(ctx, func(m socket.Message, c socket.Continuation[struct{}], _ struct{}) socket.Continuation[struct{}] {
			peer, known := c.Connection().Peer().Get()
			return c.Respond(socket.Text(fmt.Sprint(!known || peer.UID == os.Geteuid()))).Stop()
		}).Err()
	}()
	answer := fold.Chain2(ipc.ConnectTo(ctx, name), socket.Send(ctx, socket.Text("?")), socket.Wait(ctx))
	fmt.Println(fold.Map(answer, socket.Message.Content).Get())
	fmt.Println(<-served)
	// Output:
	// true <nil>
	// <nil>
}

// Clients says who may connect, beside the server's own user and root.
func ExampleAuthorizer() {
	_ = socket.Config{
		Transport:    socket.Unix{Dir: "/run/counter", Shared: true, Group: "4711"},
		ServerConfig: socket.ServerConfig{Clients: socket.Groups("4711")},
	}
	banned := func(_ net.Conn, peer fold.Maybe[socket.Peer]) error {
		if p, _ := peer.Get(); p.UID == 1001 {
			return fmt.Errorf("%v is banned", p)
		}
		return nil
	}
	for _, who := range []socket.Authorizer{socket.Users("1001"), socket.Groups("4711"), banned} {
		fmt.Println(who(nil, fold.Just(socket.Peer{PID: 12, UID: 1001, GID: 1001, Groups: []int{4711}})))
	}
	// Output:
	// <nil>
	// <nil>
	// process 12 of user 1001 is banned
}

// A parent and its child talk over a connection that has no name. Here net.Pipe stands
// for it.
func ExampleOne() {
	parent, child := net.Pipe()
	served := make(chan error)
	go func() {
		connections := socket.New(socket.Config{}).Accept(socket.One(child))
		served <- socket.ServeConnections(connections, fold.Sum[int]()).
			With(context.Background(), func(m socket.Message, c socket.Continuation[int], n int) socket.Continuation[int] {
				return c.Respond(socket.Text("hello, " + m.Content())).CarryWith(n + 1)
			}).Err()
	}()
	ctx := context.Background()
	answer := fold.Then(socket.New(socket.Config{}).Attach(ctx, parent),
		socket.Closing(ctx, socket.Request(ctx, socket.Text("parent"))))
	fmt.Println(answer.GetOr(socket.Message{}).Content())
	fmt.Println("server ended:", <-served)
	// Output:
	// hello, parent
	// server ended: <nil>
}
