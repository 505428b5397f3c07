package socket_test

import (
	"context"
	"fmt"
	"hash/crc32"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
)

// The server counts the bytes of all messages and answers each with itself. The client computes a
// checksum. None of them keeps a message, so both use the same memory for all of them.
func ExampleServer_WithViews() {
	ipc, remove := inNewDir()
	defer remove()
	name := socket.MustParseName("echo")
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan fold.Attempt[int])
	go func() {
		served <- socket.Serve(ipc, name, fold.Sum[int]()).
			WithViews(ctx, func(v socket.View, c socket.Continuation[int], total int) socket.Continuation[int] {
				return c.RespondView(v).CarryWith(total + v.Len())
			})
	}()

	image := socket.NewMessageBytes(socket.OctetStream(), make([]byte, 1<<20))
	client := ipc.ConnectTo(ctx, name)
	err := fold.Then(client, socket.Closing(ctx, func(p *socket.Process) fold.Attempt[uint32] {
		for range 2 {
			err := p.RequestView(ctx, image, func(v socket.View) error {
				fmt.Printf("%d bytes, checksum %x\n", v.Len(), crc32.ChecksumIEEE(v.Bytes()))
				return nil
			})
			if err != nil {
				return fold.Fail[uint32](err)
			}
		}
		return fold.Succeed(uint32(0))
	})).Err()
	cancel()
	fmt.Println(socket.Carry(<-served).Get())
	fmt.Println(err)
	// Output:
	// 1048576 bytes, checksum a738ea1c
	// 1048576 bytes, checksum a738ea1c
	// 2097152 true
	// <nil>
}

// The handler keeps the largest message. A View cannot be kept, a copy can.
func ExampleView_Message() {
	ipc, remove := inNewDir()
	defer remove()
	name := socket.MustParseName("largest")
	largest := fold.New(func() socket.Message { return socket.Text("") }, func(a, b socket.Message) socket.Message {
		if a.Len() < b.Len() {
			return b
		}
		return a
	})
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan fold.Attempt[socket.Message])
	go func() {
		served <- socket.Serve(ipc, name, largest).
			WithViews(ctx, func(v socket.View, c socket.Continuation[socket.Message], kept socket.Message) socket.Continuation[socket.Message] {
				if v.Len() <= kept.Len() {
					return c
				}
				return c.CarryWith(v.Message())
			})
	}()
	err := fold.Then(ipc.ConnectTo(ctx, name), socket.Closing(ctx, func(p *socket.Process) fold.Attempt[*socket.Process] {
		return p.Send(ctx, socket.Text("short"), socket.Text("the longest"), socket.Text("medium"))
	})).Err()
	cancel()
	message, _ := socket.Carry(<-served).Get()
	fmt.Println(message.Content(), err)
	// Output: the longest <nil>
}
