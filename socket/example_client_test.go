package socket_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
)

var shouter = socket.MustParseName("shouter")

// shout serves the examples: it answers in capitals.
func shout(ipc *socket.IPC) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error)
	go func() {
		served <- socket.Exchanges(ipc.Listen(shouter)).ForEach(ctx, func(x socket.Exchange) {
			x.Respond(socket.Text(strings.ToUpper(x.Content())))
		})
	}()
	return func() {
		cancel()
		<-served
	}
}

func ExampleProcess_SendAll() {
	ipc, remove := inNewDir()
	defer remove()
	defer shout(ipc)()
	ctx := context.Background()
	sent := fold.Then(ipc.ConnectTo(ctx, shouter), socket.Closing(ctx, func(p *socket.Process) fold.Attempt[int] {
		return stream.Pipe3(
			stream.Range(1, 1000),
			operators.Map(func(n int) socket.Message { return socket.Text(fmt.Sprint("line ", n)) }),
			p.SendAll, // many are on their way; each comes out once it has been handled
			operators.Count[socket.Message](),
		).Last(ctx)
	}))
	fmt.Println(sent.Get())
	// Output: 1000 <nil>
}

func ExampleProcess_RequestAll() {
	ipc, remove := inNewDir()
	defer remove()
	defer shout(ipc)()
	ctx := context.Background()
	p, err := ipc.ConnectTo(ctx, shouter).Get()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Close(ctx)
	err = stream.Pipe2(
		stream.Just("one", "two", "three"),
		operators.Map(socket.Text),
		p.RequestAll,
	).ForEach(ctx, func(response socket.Message) { fmt.Println(response.Content()) })
	fmt.Println(err)
	// Output:
	// ONE
	// TWO
	// THREE
	// <nil>
}

func ExampleProcess_Request() {
	ipc, remove := inNewDir()
	defer remove()
	defer shout(ipc)()
	ctx := context.Background()
	answer, err := fold.Then(ipc.ConnectTo(ctx, shouter), socket.Closing(ctx, socket.Request(ctx, socket.Text("hello")))).Get()
	fmt.Println(answer.Content(), err)
	// Output: HELLO <nil>
}

func ExampleSendError() {
	ipc, remove := inNewDir()
	defer remove()
	served := make(chan error)
	go func() { // handles three messages, and has enough
		_, err := stream.Pipe1(socket.Exchanges(ipc.Listen(shouter)), operators.Take[socket.Exchange](3)).Last(context.Background()).Get()
		served <- err
	}()
	ctx := context.Background()
	lines := []socket.Message{socket.Text("one"), socket.Text("two"), socket.Text("three"), socket.Text("four"), socket.Text("five")}
	err := fold.Then(ipc.ConnectTo(ctx, shouter), socket.Closing(ctx, socket.Send(ctx, lines...))).Err()
	if e, ok := errors.AsType[*socket.SendError](err); ok {
		fmt.Println("handled:", len(lines[:e.Acknowledged]))
		fmt.Println("perhaps handled, or to be sent again:", len(lines[e.Acknowledged:]))
		fmt.Println(errors.Is(err, socket.ErrDisconnected), <-served)
	}
	// Output:
	// handled: 3
	// perhaps handled, or to be sent again: 2
	// true <nil>
}

func ExampleIPC_Pool() {
	ipc, remove := inNewDir()
	defer remove()
	defer shout(ipc)()
	ctx := context.Background()
	pool := ipc.Pool(shouter, socket.PoolConfig{Connections: 2})
	var callers sync.WaitGroup
	for i := range 100 {
		callers.Go(func() {
			answer, err := pool.Request(ctx, socket.Text(fmt.Sprint("caller ", i))).Get()
			if err != nil || answer.Content() != fmt.Sprint("CALLER ", i) {
				fmt.Println(answer, err)
			}
		})
	}
	callers.Wait()
	stats := pool.Stats()
	fmt.Println(stats.Answered, "answered,", stats.Connected <= 2, pool.Close(ctx).Err())
	// Output: 100 answered, true <nil>
}

// A run over a server that starts again after two requests: it fails none of them.
func ExamplePool_RequestAll() {
	ipc, remove := inNewDir()
	defer remove()
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan int)
	go func() {
		restarts := 0
		for ctx.Err() == nil {
			restarts++
			capitals := operators.Tap(func(x socket.Exchange) { x.Respond(socket.Text(strings.ToUpper(x.Content()))) })
			stream.Pipe2(socket.Exchanges(ipc.Listen(shouter)), capitals, operators.Take[socket.Exchange](2)).Run(ctx)
		}
		served <- restarts
	}()
	pool := ipc.Pool(shouter, socket.PoolConfig{Connections: 2})
	err := stream.Pipe2(
		stream.Just("one", "two", "three", "four", "five"),
		operators.Map(socket.Text),
		pool.RequestAll,
	).ForEach(ctx, func(response socket.Message) { fmt.Println(response.Content()) })
	fmt.Println(err, pool.Close(ctx).Err())
	stop()
	fmt.Println("restarted:", <-served > 1)
	// Output:
	// ONE
	// TWO
	// THREE
	// FOUR
	// FIVE
	// <nil> <nil>
	// restarted: true
}

func ExampleIPC_Follow() {
	ipc, remove := inNewDir()
	defer remove()
	ctx := context.Background()
	served := make(chan error)
	go func() { // a server that starts again after each subscription
		for n := range 2 {
			answered := operators.Tap(func(x socket.Exchange) { x.Respond(socket.Text(fmt.Sprint("news ", n))) })
			served <- stream.Pipe2(socket.Exchanges(ipc.Listen(shouter)), answered, operators.Take[socket.Exchange](1)).Run(ctx)
		}
	}()
	news := ipc.Follow(shouter, socket.FollowConfig{
		Subscribe: socket.Subscribe(socket.Text("news, please")),
		Lost: func(err error) {
			fmt.Println("a gap, closed in good order:", errors.Is(err, socket.ErrDisconnected), <-served)
		},
	})
	took := operators.Take[socket.Message](2)(news)
	fmt.Println(took.ForEach(ctx, func(m socket.Message) { fmt.Println(m.Content()) }), <-served)
	// Output:
	// news 0
	// a gap, closed in good order: true <nil>
	// news 1
	// <nil> <nil>
}
