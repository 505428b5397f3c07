package pubsub_test

import (
	"context"
	"fmt"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/pubsub"
	"github.com/rxipc/rxipc/socket/sockettest"
	"github.com/rxipc/rxipc/stream"
)

// A hub retains the last message of each topic, so the subscriber may come later.
func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	ipc := socket.New(socket.Config{Transport: sockettest.NewNetwork()})

	hub := pubsub.NewHub(ipc, pubsub.Config{Retain: 100})
	served := hub.Serve(socket.Exchanges(ipc.Listen(name))).Subscribe(ctx, stream.Observer[socket.Exchange]{})
	hub.Publish(ctx, "orders.eu.paid", socket.Text("17"))
	hub.Publish(ctx, "orders.eu.open", socket.Text("18"))

	events := pubsub.Subscribe(ipc, name, "orders.*.paid")
	e, err := events.First(ctx).Get()
	fmt.Println(e.Topic, e.Message.Content(), err)

	cancel()
	served.Wait()
	// Output: orders.eu.paid 17 <nil>
}

// A server publishes what its clients send.
func ExampleHub_Serve() {
	ctx, cancel := context.WithCancel(context.Background())
	ipc := socket.New(socket.Config{Transport: sockettest.NewNetwork()})

	hub := pubsub.NewHub(ipc, pubsub.Config{Retain: 100})
	served := stream.Pipe1(
		hub.Serve(socket.Exchanges(ipc.Listen(name))),
		operators.Tap(func(x socket.Exchange) {
			topic, m, _ := pubsub.Split(x.Message)
			if err := hub.Publish(x.Context(), topic, m); err != nil {
				x.Reject(err)
			}
		}),
	).Subscribe(ctx, stream.Observer[socket.Exchange]{})

	client, _ := ipc.ConnectTo(ctx, name).Get()
	m, _ := pubsub.WithTopic("orders.eu.paid", socket.Text("17"))
	fmt.Println("publish:", client.Send(ctx, m).Err())
	e, _ := pubsub.Subscribe(ipc, name).First(ctx).Get()
	fmt.Println(e.Topic, e.Message.Content())

	client.Close(ctx)
	cancel()
	served.Wait()
	// Output:
	// publish: <nil>
	// orders.eu.paid 17
}
