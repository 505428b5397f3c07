package recording_test

import (
	"context"
	"fmt"
	"net"
	"strings"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/recording"
	"github.com/rxipc/rxipc/socket/sockettest"
)

var shop = socket.MustParseName("shop")

// shouting is a server that answers in capitals.
func shouting(ctx context.Context, ipc *socket.IPC) {
	socket.Serve(ipc, shop, fold.Unit()).With(ctx, func(m socket.Message, c socket.Continuation[struct{}], _ struct{}) socket.Continuation[struct{}] {
		return c.Respond(socket.Text(strings.ToUpper(m.Content())))
	})
}

// A client records its connection. The recording is then played to the server again.
func Example() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	network := sockettest.NewNetwork() // in a program it is a socket.Unix
	go shouting(ctx, socket.New(socket.Config{Transport: network}))

	var file strings.Builder
	writer := recording.NewWriter(&file, recording.Config{Name: "shop"})
	ipc := socket.New(socket.Config{Transport: recording.Transport(network, writer)})
	answer := fold.Then(ipc.ConnectTo(ctx, shop), socket.Closing(ctx, socket.Request(ctx, socket.Text("apples"))))
	fmt.Println(answer.Get())

	r, err := recording.Read(strings.NewReader(file.String()))
	if err != nil {
		fmt.Println(err)
	}
	for _, e := range r.Entries {
		if e.Kind == recording.Message {
			fmt.Println(e.From, e)
		}
	}
	differences, err := r.PlayClients(ctx, recording.Player{Fast: true}, func(ctx context.Context, name string) (net.Conn, error) {
		return network.Dial(ctx, socket.MustParseName(name))
	})
	fmt.Println(len(differences), "differences,", err)
	// Output:
	// text/plain (6 bytes) <nil>
	// client message text/plain "apples"
	// server message text/plain "APPLES"
	// 0 differences, <nil>
}
