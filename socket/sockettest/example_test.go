package sockettest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/sockettest"
	"github.com/rxipc/rxipc/stream/streamtest"
)

// t takes the place of the parameter of a test function.
var t = new(testing.T)

var name = socket.MustParseName("counter")

// counter is a server under test. It echoes messages. It ends with the number of messages
// once clients that have left had sent three.
func counter(ctx context.Context, ipc *socket.IPC) fold.Attempt[int] {
	return socket.Serve(ipc, name, fold.Sum[int]()).
		Monitor(func(total int, next socket.Next[int]) socket.Next[int] {
			if total >= 3 {
				return next.Finish()
			}
			return next
		}).
		With(ctx, func(m socket.Message, c socket.Continuation[int], count int) socket.Continuation[int] {
			return c.Respond(m).CarryWith(count + 1)
		})
}

// ask is the code of a client under test. It sends a question and waits for the answer.
func ask(ctx context.Context, ipc *socket.IPC) fold.Attempt[string] {
	answer := fold.Then(ipc.ConnectTo(ctx, name), socket.Closing(ctx,
		func(p *socket.Process) fold.Attempt[socket.Message] {
			return fold.Then(p.Send(ctx, socket.Text("q")), socket.Wait(ctx))
		}))
	return fold.Map(answer, socket.Message.Content)
}

func Example() {
	sockettest.Run(t, func(b *sockettest.Bench) {
		alice := b.Client(name, "   a-b-|")
		bob := b.Client(name, "     -^--c--#") // connects later and dies
		alice.Expect("              a-b-|")
		bob.Expect("                ----c--#")
		sockettest.Expect(b, counter, "-------(3|)")
	})
	fmt.Println("failed:", t.Failed())
	// Output: failed: false
}

func ExampleRun() {
	begin := time.Now()
	sockettest.Run(t, func(b *sockettest.Bench) {
		b.Frame = time.Minute
		b.Config.Heartbeat = time.Hour
		b.Client(name, "^ 5h |").ExpectWire("< 59m ~ 59m ~ 59m ~ 59m ~ 59m ~ (.|)")
		sockettest.Expect(b, counter, "     5h -- (0!)")
	})
	fmt.Println("five hours in less than one:", time.Since(begin) < time.Hour)
	fmt.Println("failed:", t.Failed())
	// Output:
	// five hours in less than one: true
	// failed: false
}

// An interrupted server yields its count.
func ExampleExpect() {
	sockettest.Run(t, func(b *sockettest.Bench) {
		b.Client(name, "              a-b").Expect("a-b--|")
		sockettest.Expect(b, counter, "-----(2!)")
	})
	fmt.Println("failed:", t.Failed())
	// Output: failed: false
}

// A character of a diagram may stand for any message, and for misbehaviour.
func ExampleBench_Client() {
	events := map[rune]sockettest.Event{
		'j': sockettest.Message(socket.NewMessage(socket.JSON(), `{"a":1}`)),
		'g': sockettest.Bytes("\x00\x00\x00\x00\x00\x00\x00"),
	}
	sockettest.Run(t, func(b *sockettest.Bench) {
		b.Client(name, "              j-g", events).Expect("j-#", events)
		sockettest.Expect(b, counter, "---(1!)")
	})
	fmt.Println("failed:", t.Failed())
	// Output: failed: false
}

// The code of a client runs against a slow virtual server.
func ExampleBench_Server() {
	sockettest.Run(t, func(b *sockettest.Bench) {
		b.Server(name, "             --a").Expect("q--")
		sockettest.Expect(b, ask, "  --(a|)")
	})
	fmt.Println("failed:", t.Failed())
	// Output: failed: false
}

func ExamplePeer_Reacts() {
	sockettest.Run(t, func(b *sockettest.Bench) {
		b.Server(name, "").Reacts(func(e sockettest.Event, usual []sockettest.Event) []sockettest.Event {
			if m, ok := e.Message(); ok {
				return append(usual, sockettest.Text("re: "+m.Content()))
			}
			return usual
		})
		sockettest.Expect(b, ask, "(a|)", map[rune]string{'a': "re: q"})
	})
	fmt.Println("failed:", t.Failed())
	// Output: failed: false
}

// A client that does not answer the handshake receives heartbeats, too.
func ExampleNever() {
	sockettest.Run(t, func(b *sockettest.Bench) {
		b.Client(name, "2s #").Reacts(sockettest.Never).ExpectWire("< 1299ms ~")
		sockettest.Expect(b, counter, "3s (0!)")
	})
	fmt.Println("failed:", t.Failed())
	// Output: failed: false
}

func ExamplePeer_Expect() {
	sockettest.Run(t, func(b *sockettest.Bench) {
		long := sockettest.Text("a long text")
		alice := b.Client(name, "      a-L-|", map[rune]sockettest.Event{'L': long})
		alice.Expect("                 a-e-|", map[rune]sockettest.Event{'e': long})
		sockettest.Expect(b, counter, "-----(2!)")
	})
	fmt.Println("failed:", t.Failed())
	// Output: failed: false
}

// The dialects differ in the acknowledgement.
func ExamplePeer_ExpectWire() {
	sockettest.Run(t, func(b *sockettest.Bench) {
		b.Client(name, "            -a-|").ExpectWire("<(+a)-(.|)")
		sockettest.Expect(b, counter, "----(1!)")
	})
	sockettest.Run(t, func(b *sockettest.Bench) {
		b.Config.Dialect = socket.Dialect4
		b.Client(name, "            -a-|").ExpectWire("<(=a)-(.|)")
		sockettest.Expect(b, counter, "----(1!)")
	})
	fmt.Println("failed:", t.Failed())
	// Output: failed: false
}

// Received is an observable, so the functions of packages streamtest and stream apply.
func ExamplePeer_Received() {
	sockettest.Run(t, func(b *sockettest.Bench) {
		received := streamtest.Record(b.Bench, b.Client(name, "- 1h a").Received())
		b.Config.Heartbeat = -1
		sockettest.Expect(b, counter, "2h (1!)")
		received.Next(sockettest.Start())
		received.Nothing(time.Hour)
		fmt.Println(received.Value(), received.Value())
		received.Cancel()
	})
	fmt.Println("failed:", t.Failed())
	// Output:
	// ack "a"
	// failed: false
}

// The server goes on after a client was killed in the middle of a write.
func ExampleCut() {
	sockettest.Run(t, func(b *sockettest.Bench) {
		killed := sockettest.Cut(sockettest.Text("a message"), 10)
		b.Client(name, "              a-x", map[rune]sockettest.Event{'x': killed}).Expect("a-#")
		sockettest.Expect(b, counter, "---(1!)")
	})
	fmt.Println("failed:", t.Failed())
	// Output: failed: false
}

// A frame may arrive byte by byte. This frame has 18 bytes.
func ExampleTrickle() {
	sockettest.Run(t, func(b *sockettest.Bench) {
		events := map[rune]sockettest.Event{'t': sockettest.Trickle(sockettest.Text("a"), time.Second)}
		b.Client(name, "              t", events).Expect("18s a")
		sockettest.Expect(b, counter, "20s (1!)")
	})
	fmt.Println("failed:", t.Failed())
	// Output: failed: false
}

// One write sends several messages followed by connection.close.
func ExampleTogether() {
	sockettest.Run(t, func(b *sockettest.Bench) {
		all := sockettest.Together(sockettest.Text("a"), sockettest.Text("b"), sockettest.Close())
		b.Client(name, "-x", map[rune]sockettest.Event{'x': all}).ExpectWire("<(+a+b.|)")
		sockettest.Expect(b, counter, "--(2!)")
	})
	fmt.Println("failed:", t.Failed())
	// Output: failed: false
}

// A client does not read. Once its connection is full, the server delays the answers to
// this client alone.
func ExampleStopReading() {
	sockettest.Run(t, func(b *sockettest.Bench) {
		network := sockettest.NewNetwork()
		network.Buffer = 1000
		b.Config.Transport = network
		events := map[rune]sockettest.Event{
			's': sockettest.StopReading(), 'r': sockettest.ReadOn(),
			'x': sockettest.Text(strings.Repeat("x", 900)),
		}
		b.Client(name, "              sxx---r-", events).Expect("------(xx)-", events)
		b.Client(name, "              --a-----").Expect("        --a-----")
		sockettest.Expect(b, counter, "--------(3!)")
	})
	fmt.Println("failed:", t.Failed())
	// Output: failed: false
}

// A network replaces unix sockets in any test or program.
func ExampleNewNetwork() {
	ipc := socket.New(socket.Config{Transport: sockettest.NewNetwork()})
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan fold.Attempt[int])
	go func() { served <- counter(ctx, ipc) }()
	fmt.Println(ask(ctx, ipc).Get())
	cancel()
	fmt.Println(socket.Carry(<-served).Get())
	// Output:
	// q <nil>
	// 1 true
}

func ExamplePipe() {
	one, other := sockettest.Pipe(4)
	one.SetWriteDeadline(time.Now().Add(time.Millisecond))
	n, err := one.Write([]byte("hello"))
	fmt.Println(n, err)
	var timeout interface{ Timeout() bool }
	fmt.Println("timeout:", errors.As(err, &timeout) && timeout.Timeout())
	one.Close()
	all, err := io.ReadAll(other)
	fmt.Printf("%s %v\n", all, err)
	// Output:
	// 4 write memory @->@: i/o timeout
	// timeout: true
	// hell <nil>
}
