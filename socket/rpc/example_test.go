package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/rpc"
	"github.com/rxipc/rxipc/socket/sockettest"
	"github.com/rxipc/rxipc/stream"
)

// startServer runs a server over a network in memory until stop is called.
func startServer(server rpc.Server) (ctx context.Context, ipc *socket.IPC, stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ipc = socket.New(socket.Config{Transport: sockettest.NewNetwork()})
	var served sync.WaitGroup
	served.Go(func() { server.Serve(ctx, ipc, name) })
	return ctx, ipc, func() {
		cancel()
		served.Wait()
	}
}

type product struct{ A, B int }

var multiply = rpc.NewMethod[product, int]("multiply")

func ExampleMethod() {
	server := rpc.NewServer(rpc.Handle(multiply, func(_ context.Context, p product) (int, error) { return p.A * p.B, nil }))
	ctx, ipc, stop := startServer(server)
	defer stop()

	fmt.Println(multiply.Call(ctx, ipc.Pool(name, socket.PoolConfig{}), product{6, 7}))
	// Output: 42 <nil>
}

// The requests of an observable, and their responses, in order.
func ExampleMethod_Encode() {
	server := rpc.NewServer(rpc.Handle(multiply, func(_ context.Context, p product) (int, error) { return p.A * p.B, nil }))
	ctx, ipc, stop := startServer(server)
	defer stop()

	results := stream.Pipe3(
		operators.MapErr(func(p product) (socket.Message, error) { return multiply.Encode(ctx, p) })(stream.Just(product{1, 2}, product{3, 4})),
		ipc.Pool(name, socket.PoolConfig{}).RequestAll,
		operators.MapErr(multiply.Decode),
		operators.Scan(fold.Sum[int]()),
	)
	fmt.Println(results.Collect(ctx))
	// Output: [2 14] <nil>
}

// A problem that server and client share, with a member.
func ExampleProblem() {
	noStock := &rpc.Problem{Type: "https://example.com/no-stock", Title: "out of stock"}
	order := rpc.NewMethod[string, int]("order")
	server := rpc.NewServer(rpc.Handle(order, func(_ context.Context, article string) (int, error) {
		return 0, noStock.With("again", "Tuesday").Detailf("no %s left", article)
	}))
	ctx, ipc, stop := startServer(server)
	defer stop()

	_, err := order.Call(ctx, ipc.Pool(name, socket.PoolConfig{}), "apples")
	var again string
	if problem, ok := errors.AsType[*rpc.Problem](err); ok && errors.Is(err, noStock) {
		problem.Member("again", &again)
	}
	fmt.Println(err)
	fmt.Println("again:", again)
	// Output:
	// rpc: call order: out of stock: no apples left
	// again: Tuesday
}

func ExampleStream() {
	words := rpc.NewStream[string, string]("words")
	server := rpc.NewServer(rpc.HandleStream(words, func(_ context.Context, text string) stream.Observable[string] {
		return stream.FromSeq(strings.FieldsSeq(text))
	}))
	ctx, ipc, stop := startServer(server)
	defer stop()

	answers := words.Observe(ipc.Pool(name, socket.PoolConfig{}), "one two three")
	err := answers.ForEach(ctx, func(word string) { fmt.Println(word) })
	fmt.Println("ended:", err)
	// Output:
	// one
	// two
	// three
	// ended: <nil>
}

func ExampleNotice() {
	touched := rpc.NewNotice[string]("touched")
	server := rpc.NewServer(rpc.HandleNotice(touched, func(_ context.Context, file string) error {
		fmt.Println("touched", file)
		return nil
	}))
	ctx, ipc, stop := startServer(server)
	defer stop()

	process, err := ipc.ConnectTo(ctx, name).Get()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer process.Close(ctx)
	fmt.Println(touched.Send(ctx, process, "a.txt", "b.txt")) // returns when both were handled
	// Output:
	// touched a.txt
	// touched b.txt
	// <nil>
}

// A server asks its client in the middle of a call.
func ExampleServer_Attend() {
	confirm := rpc.NewMethod[string, bool]("confirm")
	remove := rpc.NewMethod[string, string]("remove")
	server := rpc.NewServer(rpc.Handle(remove, func(ctx context.Context, file string) (string, error) {
		if yes, err := confirm.Call(ctx, rpc.Client(ctx), "remove "+file+"?"); !yes {
			return "kept", err
		}
		return "removed", nil
	}))
	ctx, ipc, stop := startServer(server)
	defer stop()

	process, err := ipc.ConnectTo(ctx, name).Get()
	if err != nil {
		fmt.Println(err)
		return
	}
	client := rpc.NewServer(rpc.Handle(confirm, func(_ context.Context, question string) (bool, error) {
		fmt.Println(question)
		return true, nil
	}))
	var attending sync.WaitGroup
	attending.Go(func() { client.Attend(process).Run(ctx) })
	fmt.Println(remove.Call(ctx, process, "a.txt"))
	process.Close(ctx)
	attending.Wait()
	// Output:
	// remove a.txt?
	// removed <nil>
}
