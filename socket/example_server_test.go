package socket_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
)

// ask makes requests over one connection and prints the responses and the last error.
func ask(ctx context.Context, ipc *socket.IPC, name socket.Name, contents ...string) {
	err := fold.Then(ipc.ConnectTo(ctx, name), socket.Closing(ctx, func(p *socket.Process) (last fold.Attempt[socket.Message]) {
		for _, content := range contents {
			last = p.Request(ctx, socket.Text(content))
			if last.Err() != nil {
				return last
			}
			m, _ := last.Get()
			fmt.Println("client:", m.Content())
		}
		return last
	})).Err()
	if err != nil {
		fmt.Println("client:", err)
	}
}

// background runs a server until stop is called, which waits for its end.
func background(run func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		run(ctx)
	}()
	return func() {
		cancel()
		<-ended
	}
}

// The carry of a connection is what the handler returns with CarryWith. When the connection ends, the
// monoid combines it with those of the others: here a count of words for each length.
func ExampleServer_With() {
	ipc, remove := inNewDir()
	defer remove()
	ctx, stop := context.WithCancel(context.Background())
	lengths := fold.ByKey[int](fold.Sum[int]())
	go func() {
		ask(ctx, ipc, shouter, "to", "be", "or", "not")
		stop()
	}()
	served := socket.Serve(ipc, shouter, lengths).
		With(ctx, func(m socket.Message, c socket.Continuation[map[int]int], carry map[int]int) socket.Continuation[map[int]int] {
			return c.Respond(m).CarryWith(lengths.Combine(carry, map[int]int{m.Len(): 1}))
		})
	fmt.Println(socket.Carry(served).Get()) // the end of ctx interrupted the server; what it carried is there
	fmt.Println(errors.Is(served.Err(), context.Canceled))
	// Output:
	// client: to
	// client: be
	// client: or
	// client: not
	// map[2:3 3:1] true
	// true
}

// The monitor sees the total when a connection has ended. It can change the total, and end the server.
func ExampleServer_Monitor() {
	ipc, remove := inNewDir()
	defer remove()
	ctx := context.Background()
	counted := make(chan int, 2)
	go func() {
		ask(ctx, ipc, shouter, "a", "b")
		<-counted // the first connection is in the total
		ask(ctx, ipc, shouter, "c")
	}()
	total, err := socket.Serve(ipc, shouter, fold.Sum[int]()).
		Monitor(func(total int, next socket.Next[int]) socket.Next[int] {
			fmt.Println("monitor:", total)
			counted <- total
			if total == 3 {
				return next.CarryWith(total * 100).Finish()
			}
			return next
		}).
		With(ctx, func(m socket.Message, c socket.Continuation[int], count int) socket.Continuation[int] {
			return c.Respond(m).CarryWith(count + 1)
		}).Get()
	fmt.Println("server:", total, err)
	// Output:
	// client: a
	// client: b
	// monitor: 2
	// client: c
	// monitor: 3
	// server: 300 <nil>
}

// A held message is answered later, here by the goroutine that does the work. The handler takes the next
// message meanwhile, and the answers leave in the order of the messages.
func ExampleContinuation_Hold() {
	ipc, remove := inNewDir()
	defer remove()
	jobs := make(chan *socket.Held, 10)
	defer background(func(ctx context.Context) {
		for held := range jobs {
			held.Respond(ctx, socket.Text("done: "+held.Content()))
		}
	})()
	defer close(jobs)
	defer background(func(ctx context.Context) {
		socket.Serve(ipc, shouter, fold.Unit()).
			With(ctx, func(_ socket.Message, c socket.Continuation[struct{}], _ struct{}) socket.Continuation[struct{}] {
				jobs <- c.Hold()
				return c
			})
	})()
	ask(context.Background(), ipc, shouter, "one", "two")
	// Output:
	// client: done: one
	// client: done: two
}

// A rejected message is not acknowledged, and its connection ends.
func ExampleContinuation_Reject() {
	ipc, remove := inNewDir()
	defer remove()
	defer background(func(ctx context.Context) {
		socket.Serve(ipc, shouter, fold.Sum[int]()).
			With(ctx, func(m socket.Message, c socket.Continuation[int], count int) socket.Continuation[int] {
				if m.Len() == 0 {
					return c.Reject(errors.New("an empty message")) // Config.Log gets it, the client does not
				}
				return c.CarryWith(count + 1)
			})
	})()
	ctx := context.Background()
	sent := fold.Then(ipc.ConnectTo(ctx, shouter), socket.Send(ctx, socket.Text("a"), socket.Text(""), socket.Text("c")))
	failed, _ := errors.AsType[*socket.SendError](sent.Err())
	fmt.Println("handled:", failed.Acknowledged)
	fmt.Println("rejected:", errors.Is(sent.Err(), socket.ErrRejected))
	// Output:
	// handled: 1
	// rejected: true
}

// A server as a pipeline has one state for all its clients.
func ExampleExchange_Respond() {
	ipc, remove := inNewDir()
	defer remove()
	defer background(func(ctx context.Context) {
		number := 0
		socket.Exchanges(ipc.Listen(shouter)).ForEach(ctx, func(x socket.Exchange) {
			number++ // no lock: there is one exchange at a time
			x.Respond(socket.Text(fmt.Sprint(number, ": ", x.Content())))
		})
	})()
	ctx := context.Background()
	ask(ctx, ipc, shouter, "Ada", "Bob")
	ask(ctx, ipc, shouter, "Cid")
	// Output:
	// client: 1: Ada
	// client: 2: Bob
	// client: 3: Cid
}

// Answers may be given from any goroutine, and in any order. They leave in the order of the messages.
func ExampleHeld_Respond() {
	ipc, remove := inNewDir()
	defer remove()
	defer background(func(ctx context.Context) {
		stream.Pipe2(
			socket.Exchanges(ipc.Listen(shouter)),
			operators.Map(socket.Exchange.Hold),
			operators.BufferCount[*socket.Held](2),
		).ForEach(ctx, func(pair []*socket.Held) {
			pair[1].Respond(ctx, socket.Text("with "+pair[0].Content()))
			pair[0].Respond(ctx, socket.Text("with "+pair[1].Content()))
		})
	})()
	ctx := context.Background()
	p, err := ipc.ConnectTo(ctx, shouter).Get()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Close(ctx)
	answers := p.RequestAll(stream.Just(socket.Text("Ada"), socket.Text("Bob")))
	fmt.Println(answers.ForEach(ctx, func(m socket.Message) { fmt.Println(m.Content()) }))
	// Output:
	// with Bob
	// with Ada
	// <nil>
}
