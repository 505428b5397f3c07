package queue_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/queue"
	"github.com/rxipc/rxipc/socket/sockettest"
	"github.com/rxipc/rxipc/stream"
)

// Example gives jobs to a worker. Here both are in one process, over a network in memory.
func Example() {
	ctx := context.Background()
	ipc := socket.New(socket.Config{Transport: sockettest.NewNetwork()})
	name := socket.MustParseName("printer")

	var worker sync.WaitGroup
	worker.Go(func() {
		queue.Work(ipc, name, func(ctx context.Context, job socket.Message) (socket.Message, error) {
			if job.Content() == "" {
				return socket.Message{}, queue.Final(errors.New("an empty page"))
			}
			return socket.Text(strings.ToUpper(job.Content())), nil
		}).Run(ctx) // ends with the supervisor
	})

	dead := stream.NewReplaySubject[queue.Done](10, 0)
	results := stream.Pipe3(
		operators.Map(socket.Text)(stream.Just("to be", "", "or not to be")),
		queue.Serve(ipc.Listen(name), queue.Config{Retry: operators.RetryPolicy{Times: 3}}),
		queue.DeadLetters(dead),
		operators.Map(func(o queue.Done) string { return o.Result.Content() }),
	)
	texts, err := results.Collect(ctx)
	slices.Sort(texts) // they come in any order
	fmt.Println(strings.Join(texts, ", "), err)
	letters, _ := dead.Observe(10, stream.Block).Collect(ctx)
	fmt.Println(letters[0].Err)
	worker.Wait()
	// Output:
	// OR NOT TO BE, TO BE <nil>
	// queue: the worker failed: an empty page
}

// ExampleServeTyped has jobs and results of types of one's own.
func ExampleServeTyped() {
	ctx := context.Background()
	ipc := socket.New(socket.Config{Transport: sockettest.NewNetwork()})
	name := socket.MustParseName("squares")
	number := func(m socket.Message) (n int, err error) { _, err = fmt.Sscan(m.Content(), &n); return n, err }
	text := func(n int) (socket.Message, error) { return socket.Text(fmt.Sprint(n)), nil }

	var worker sync.WaitGroup
	worker.Go(func() {
		square := func(_ context.Context, n int) (int, error) { return n * n, nil }
		queue.Work(ipc, name, queue.Typed(number, text, square)).Run(ctx)
	})
	sum, err := stream.Pipe3(
		stream.Range(1, 10),
		queue.ServeTyped(ipc.Listen(name), queue.Config{InFlight: 4}, text, number),
		operators.Map(func(o queue.Outcome[int, int]) int { return o.Result }),
		operators.Fold(fold.Sum[int]()),
	).First(ctx).Get()
	fmt.Println(sum, err)
	worker.Wait()
	// Output: 385 <nil>
}
