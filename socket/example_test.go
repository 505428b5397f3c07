package socket_test

import (
	"context"
	"fmt"
	"os"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
)

// inNewDir is an IPC in a folder of its own, and what removes that.
func inNewDir() (*socket.IPC, func()) {
	dir, err := os.MkdirTemp("", "rxipc")
	if err != nil {
		panic(err)
	}
	return socket.New(socket.Config{Dir: dir}), func() { os.RemoveAll(dir) }
}

// say sends messages to a server and prints as many answers.
func say(ipc *socket.IPC, name socket.Name, contents ...string) {
	ctx := context.Background()
	err := fold.Then(ipc.ConnectTo(ctx, name), socket.Closing(ctx, func(p *socket.Process) fold.Attempt[socket.Message] {
		var last fold.Attempt[socket.Message]
		for _, content := range contents {
			last = fold.Then(p.Send(ctx, socket.Text(content)), socket.Wait(ctx))
			if m, err := last.Get(); err == nil {
				fmt.Println("client:", m.Content())
			}
		}
		return last
	})).Err()
	if err != nil {
		fmt.Println("client:", err)
	}
}

func ExampleServe() {
	ipc, remove := inNewDir()
	defer remove()
	name := socket.MustParseName("counter")
	go func() {
		say(ipc, name, "hello", "world")
		say(ipc, name, "again")
	}()
	total, err := socket.Serve(ipc, name, fold.Sum[int]()).
		Monitor(func(total int, next socket.Next[int]) socket.Next[int] {
			if total == 3 {
				return next.Finish()
			}
			return next
		}).
		With(context.Background(), func(m socket.Message, c socket.Continuation[int], count int) socket.Continuation[int] {
			return c.Respond(socket.Text("received " + m.Content())).CarryWith(count + 1)
		}).Get()
	fmt.Println("server:", total, err)
	// Output:
	// client: received hello
	// client: received world
	// client: received again
	// server: 3 <nil>
}

func ExampleExchanges() {
	ipc, remove := inNewDir()
	defer remove()
	name := socket.MustParseName("summer")
	done := make(chan struct{})
	go func() {
		say(ipc, name, "four", "a", "xy")
		close(done)
	}()
	total, err := stream.Pipe3(
		socket.Exchanges(ipc.Listen(name)),
		operators.Map(func(x socket.Exchange) int {
			x.Respond(socket.Text(fmt.Sprint(x.Len())))
			return x.Len()
		}),
		operators.Scan(fold.Sum[int]()),
		operators.TakeWhile(func(total int) bool { return total < 7 }, operators.Inclusive),
	).Last(context.Background()).Get()
	<-done
	fmt.Println("server:", total, err)
	// Output:
	// client: 4
	// client: 1
	// client: 2
	// server: 7 <nil>
}

func ExampleIPC_ConnectTo() {
	ipc, remove := inNewDir()
	defer remove()
	name := socket.MustParseName("greeter")
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error)
	go func() {
		served <- socket.Exchanges(ipc.Listen(name)).ForEach(ctx, func(x socket.Exchange) {
			x.Respond(socket.Text("hello " + x.Content()))
		})
	}()
	answer := fold.Then(ipc.ConnectTo(ctx, name), socket.Closing(ctx, func(p *socket.Process) fold.Attempt[socket.Message] {
		return fold.Then(p.Send(ctx, socket.Text("world")), socket.Wait(ctx))
	}))
	m, err := answer.Get()
	fmt.Println(m.Content(), err)
	stop()
	fmt.Println(<-served)
	// Output:
	// hello world <nil>
	// context canceled
}

func ExampleExchange_Hold() {
	ipc, remove := inNewDir()
	defer remove()
	name := socket.MustParseName("slow")
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error)
	go func() {
		served <- stream.Pipe2(
			socket.Exchanges(ipc.Listen(name)),
			operators.Map(socket.Exchange.Hold),
			operators.Tap(func(held *socket.Held) {
				go held.Respond(ctx, socket.Text("later: "+held.Content()))
			}),
		).Run(ctx)
	}()
	say(ipc, name, "one", "two")
	stop()
	fmt.Println(<-served)
	// Output:
	// client: later: one
	// client: later: two
	// context canceled
}

func ExampleConnection_Send() {
	ipc, remove := inNewDir()
	defer remove()
	name := socket.MustParseName("news")
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	served := make(chan error)
	go func() {
		served <- socket.Exchanges(ipc.Listen(name)).ForEach(ctx, func(x socket.Exchange) {
			c := x.Connection()
			go func() {
				for i := range 3 {
					c.Send(ctx, socket.Text(fmt.Sprint("news ", i)))
				}
				c.Close()
			}()
		})
	}()
	p, err := fold.Then(ipc.ConnectTo(ctx, name), socket.Send(ctx, socket.Text("subscribe"))).Get()
	if err != nil {
		fmt.Println(err)
		return
	}
	err = p.Messages().ForEach(ctx, func(m socket.Message) { fmt.Println(m.Content()) })
	fmt.Println("no more news", err)
	stop()
	<-served
	// Output:
	// news 0
	// news 1
	// news 2
	// no more news <nil>
}

func ExampleIPC_Names() {
	ipc, remove := inNewDir()
	defer remove()
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error)
	names := []socket.Name{socket.MustParseName("alpha"), socket.MustParseName("beta")}
	for _, name := range names {
		go func() { served <- socket.Exchanges(ipc.Listen(name)).Run(ctx) }()
		fold.Then(ipc.ConnectTo(ctx, name), socket.Closing(ctx, fold.Succeed[*socket.Process])) // it is there
	}
	fmt.Println(ipc.Names(ctx).Get())
	stop()
	<-served
	<-served
	// Output: [alpha beta] <nil>
}
