package nats_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/nats"
	"github.com/rxipc/rxipc/socket/pubsub"
	"github.com/rxipc/rxipc/socket/queue"
	"github.com/rxipc/rxipc/socket/rpc"
	"github.com/rxipc/rxipc/stream"
)

// machines returns two that are connected to the same broker.
func machines(t *testing.T) (near, far *socket.IPC) {
	b := startBroker(t)
	return socket.New(socket.Config{Transport: nats.Transport(connect(t, b), nats.Config{})}),
		socket.New(socket.Config{Transport: nats.Transport(connect(t, b), nats.Config{})})
}

func TestTypedRequestsOverNATS(t *testing.T) {
	near, far := machines(t)
	type product struct{ A, B int }
	multiply := rpc.NewMethod[product, int]("multiply")
	count := rpc.NewStream[int, int]("count")
	server := rpc.NewServer(
		rpc.Handle(multiply, func(_ context.Context, p product) (int, error) { return p.A * p.B, nil }),
		rpc.HandleStream(count, func(_ context.Context, n int) stream.Observable[int] { return stream.Range(1, n) }),
	)
	ctx, stop := context.WithCancel(t.Context())
	var served sync.WaitGroup
	served.Go(func() { server.Serve(ctx, far, counter) })
	defer func() { stop(); served.Wait() }()

	pool := near.Pool(counter, socket.PoolConfig{})
	defer pool.Close(t.Context())
	if got, err := multiply.Call(t.Context(), pool, product{6, 7}); got != 42 || err != nil {
		t.Errorf("call a method: got %d, %v, want 42", got, err)
	}
	p, err := near.ConnectTo(t.Context(), counter).Get()
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	defer p.Close(t.Context())
	got, err := count.Observe(p, 1000).Collect(t.Context())
	if len(got) != 1000 || err != nil {
		t.Errorf("a stream of answers: got %d, %v, want 1000", len(got), err)
	}
}

func TestHubOverNATS(t *testing.T) {
	near, far := machines(t)
	ctx, stop := context.WithCancel(t.Context())
	hub := pubsub.NewHub(far, pubsub.Config{Retain: 100})
	served := hub.Serve(socket.Exchanges(far.Listen(counter))).Subscribe(ctx, stream.Observer[socket.Exchange]{})
	defer func() { stop(); served.Wait() }()
	if err := hub.Publish(t.Context(), "orders.eu.paid", socket.Text("17")); err != nil {
		t.Fatalf("publish: %v", err)
	}
	e, err := pubsub.Subscribe(near, counter, "orders.*.paid").First(t.Context()).Get()
	if err != nil || e.Message.Content() != "17" {
		t.Errorf("subscribe: got %v, %v, want 17", e, err)
	}
}

func TestQueueOverNATS(t *testing.T) {
	near, far := machines(t)
	ctx, stop := context.WithCancel(t.Context())
	var workers sync.WaitGroup
	for range 2 {
		workers.Go(func() {
			queue.Work(near, counter, func(_ context.Context, job socket.Message) (socket.Message, error) {
				return socket.Text(strings.ToUpper(job.Content())), nil
			}).Run(ctx)
		})
	}
	texts, err := stream.Pipe2(
		operators.Map(socket.Text)(stream.Just("a", "b", "c")),
		queue.Serve(far.Listen(counter), queue.Config{}),
		operators.Map(func(o queue.Done) string { return o.Result.Content() }),
	).Collect(t.Context())
	slices.Sort(texts)
	if !slices.Equal(texts, []string{"A", "B", "C"}) || err != nil {
		t.Errorf("jobs to workers on another machine: got %v, %v, want A B C", texts, err)
	}
	stop() // a worker that was late waits for the next supervisor
	workers.Wait()
}

// Follow goes on with the next server of the name, and Names finds it.
func TestFollowAndNamesOverNATS(t *testing.T) {
	near, far := machines(t)
	var served sync.WaitGroup
	defer served.Wait()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	texts := make(chan string)
	served.Go(func() {
		news := socket.FollowConfig{Subscribe: socket.Subscribe(socket.Text("news, please"))}
		near.Follow(counter, news).ForEach(ctx, func(m socket.Message) { texts <- m.Content() })
	})
	for _, text := range []string{"first", "second"} {
		ctx, stop := context.WithCancel(t.Context())
		served.Go(func() {
			socket.Exchanges(far.Listen(counter)).ForEach(ctx, func(x socket.Exchange) { x.Respond(socket.Text(text)) })
		})
		if got := <-texts; got != text {
			t.Errorf("follow the %s server: got the message %s", text, got)
		}
		names, err := near.Names(t.Context()).Get()
		if !slices.Equal(names, []socket.Name{counter}) || err != nil {
			t.Errorf("names while a server listens: got %v, %v, want counter", names, err)
		}
		stop()
	}
	stop()
}
