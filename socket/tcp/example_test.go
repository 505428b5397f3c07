package tcp_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/tcp"
)

// A program that counts on this machine counts on another after one change: the Transport.
func Example() {
	certificate, directory := certificateForExample(), freeTable(outside{})
	ipc := socket.New(socket.Config{
		Transport:    tcp.Transport{TLS: certificate, Directory: directory},
		ServerConfig: socket.ServerConfig{Clients: socket.Named("client.example.org")},
	})
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		defer stop()
		answer := fold.Then(ipc.ConnectTo(ctx, counter), socket.Closing(ctx, socket.Request(ctx, socket.Text("hello"))))
		fmt.Println(answer.Get())
	}()
	total := socket.Serve(ipc, counter, fold.Sum[int]()).
		With(ctx, func(m socket.Message, c socket.Continuation[int], count int) socket.Continuation[int] {
			return c.Respond(m).CarryWith(count + 1)
		})
	fmt.Println(socket.Carry(total).GetOr(0), "message")
	// Output:
	// text/plain (5 bytes) <nil>
	// 1 message
}

// All machines have the same file, such as /etc/rxipc/names.
func ExampleFile() {
	path := filepath.Join(outside{}.TempDir(), "names")
	os.WriteFile(path, []byte("counter 10.0.0.7:4711\njournal a.example.org:4712 b.example.org:4712\n"), 0o600)
	directory := tcp.File(path)
	fmt.Println(directory.Addresses(context.Background(), socket.MustParseName("journal")))
	fmt.Println(directory.Names(context.Background()))
	// Output:
	// [a.example.org:4712 b.example.org:4712] <nil>
	// [counter journal] <nil>
}
