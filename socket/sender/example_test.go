package sender_test

import (
	"context"
	"fmt"
	"os"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/sender"
	"github.com/rxipc/rxipc/socket/sockettest"
	"github.com/rxipc/rxipc/stream"
)

// The first run has no server, and leaves its messages in the spool. The second run sends them.
func ExampleSender_SendAll() {
	dir, _ := os.MkdirTemp("", "spool")
	defer os.RemoveAll(dir)
	ipc := socket.New(socket.Config{Transport: sockettest.NewNetwork()})
	lines := sender.New(ipc, name, sender.Config{Spool: dir})

	impatient, cancel := context.WithCancel(context.Background())
	numbers := operators.Map(func(n int) socket.Message {
		if n == 3 {
			cancel()
		}
		return socket.Text(fmt.Sprint("line ", n))
	})
	err := lines.SendAll(numbers(stream.Range(1, 3))).Run(impatient)
	fmt.Println("first run failed:", err != nil)

	ctx, end := context.WithCancel(context.Background())
	server := socket.Exchanges(ipc.Listen(name)).Subscribe(ctx, stream.Observer[socket.Exchange]{})
	lines.SendAll(stream.Empty[socket.Message]()).ForEach(ctx, func(d sender.Delivery) {
		fmt.Println(d.Message.Content(), d.Err, "doubtful:", d.Doubtful)
	})
	end()
	server.Wait()
	// Output:
	// first run failed: true
	// line 1 <nil> doubtful: true
	// line 2 <nil> doubtful: true
}
