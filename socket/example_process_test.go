package socket_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
)

// Dial fails at once if there is no server, where ConnectTo waits for one.
func ExampleIPC_Dial() {
	ipc, remove := inNewDir()
	defer remove()
	_, err := ipc.Dial(context.Background(), shouter).Get()
	fmt.Println(errors.Is(err, socket.ErrNotListening))
	// Output: true
}

// The error has the operation, the name and the cause.
func ExampleError() {
	ipc, remove := inNewDir()
	defer remove()
	_, err := ipc.Dial(context.Background(), shouter).Get()
	if e, ok := errors.AsType[*socket.Error](err); ok {
		fmt.Println(e.Op, e.Name)
	}
	// Output: dial shouter
}

// Send returns when the server has handled all messages.
func ExampleProcess_Send() {
	ipc, remove := inNewDir()
	defer remove()
	handled := 0
	stop := background(func(ctx context.Context) {
		socket.Exchanges(ipc.Listen(shouter)).ForEach(ctx, func(socket.Exchange) { handled++ })
	})
	ctx := context.Background()
	sent := fold.Then(ipc.ConnectTo(ctx, shouter), socket.Closing(ctx, socket.Send(ctx, socket.Text("one"), socket.Text("two"))))
	fmt.Println(sent.Err())
	stop()
	fmt.Println(handled, "handled")
	// Output:
	// <nil>
	// 2 handled
}

// Messages emits what a server pushes, until the connection ends or the reader has enough.
func ExampleProcess_Messages() {
	ipc, remove := inNewDir()
	defer remove()
	defer background(func(ctx context.Context) {
		connections := operators.Tap(func(c *socket.Connection) {
			c.Send(ctx, socket.Text("tick"), socket.Text("tock"))
		})(ipc.Listen(shouter))
		socket.Exchanges(connections).Run(ctx)
	})()
	ctx := context.Background()
	p, err := ipc.ConnectTo(ctx, shouter).Get()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Close(ctx)
	fmt.Println(operators.Take[socket.Message](2)(p.Messages()).ForEach(ctx, func(m socket.Message) { fmt.Println(m.Content()) }))
	// Output:
	// tick
	// tock
	// <nil>
}

// Closing closes the process after the step, whether that has failed or not.
func ExampleClosing() {
	ipc, remove := inNewDir()
	defer remove()
	defer shout(ipc)()
	ctx := context.Background()
	answer := fold.Then(ipc.ConnectTo(ctx, shouter), socket.Closing(ctx, func(p *socket.Process) fold.Attempt[string] {
		return fold.Map(p.Request(ctx, socket.Text("hello")), socket.Message.Content)
	}))
	fmt.Println(answer.Get())
	// Output: HELLO <nil>
}

// A pool connects at the first request, waits for a server, and connects again when that has restarted.
func ExamplePool_Request() {
	ipc, remove := inNewDir()
	defer remove()
	ctx := context.Background()
	pool := ipc.Pool(shouter, socket.PoolConfig{})
	for range 2 {
		stop := shout(ipc) // a server, which is stopped after one request
		answer, err := pool.Request(ctx, socket.Text("hello")).Get()
		fmt.Println(answer.Content(), err)
		stop()
	}
	fmt.Println(pool.Close(ctx).Err())
	// Output:
	// HELLO <nil>
	// HELLO <nil>
	// <nil>
}

// A request of JSON, without package rpc: the media type says what the content is.
func ExampleNewMessageBytes() {
	type order struct {
		Item  string `json:"item"`
		Count int    `json:"count"`
	}
	content, err := json.Marshal(order{"apple", 3})
	if err != nil {
		fmt.Println(err)
		return
	}
	m := socket.NewMessageBytes(socket.JSON(), content)
	fmt.Println(m)

	var received order // on the other side
	if m.MediaType() == socket.JSON() {
		err = json.Unmarshal(m.Bytes(), &received)
	}
	fmt.Println(received, err)
	// Output:
	// application/json (26 bytes)
	// {apple 3} <nil>
}

// Files as messages. They are read as the server takes them; Process.SendAll emits each one when the
// server has handled it.
func ExampleProcess_SendAll_files() {
	ipc, remove := inNewDir()
	defer remove()
	folder, err := os.MkdirTemp("", "rxipc")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	for _, name := range []string{"a.txt", "b.txt"} {
		os.WriteFile(filepath.Join(folder, name), []byte("content of "+name), 0o600)
	}
	stop := background(func(ctx context.Context) {
		socket.Exchanges(ipc.Listen(shouter)).ForEach(ctx, func(x socket.Exchange) {
			fmt.Println("received", x.Message, "beginning with", x.Content()[:7])
		})
	})
	ctx := context.Background()
	files, err := filepath.Glob(filepath.Join(folder, "*.txt"))
	if err != nil {
		fmt.Println(err)
		return
	}
	messages := operators.MapErr(func(file string) (socket.Message, error) {
		content, err := os.ReadFile(file)
		return socket.NewMessageBytes(socket.OctetStream(), content), err
	})(stream.FromSlice(files))
	sent := fold.Then(ipc.ConnectTo(ctx, shouter), socket.Closing(ctx, func(p *socket.Process) fold.Attempt[int] {
		return operators.Count[socket.Message]()(p.SendAll(messages)).Last(ctx)
	}))
	stop()
	fmt.Println(sent.Get())
	// Output:
	// received application/octet-stream (16 bytes) beginning with content
	// received application/octet-stream (16 bytes) beginning with content
	// 2 <nil>
}

// Subscribe tells the server what is wanted, for each new connection of Follow.
func ExampleSubscribe() {
	ipc, remove := inNewDir()
	defer remove()
	defer shout(ipc)()
	news := ipc.Follow(shouter, socket.FollowConfig{Subscribe: socket.Subscribe(socket.Text("news, please"))})
	fmt.Println(fold.Map(news.First(context.Background()), socket.Message.Content).Get())
	// Output: NEWS, PLEASE <nil>
}
