package socket_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
)

// peerDir, when it is set, makes the test binary the other process of a benchmark: the
// test that startTest names serves in that folder until its standard input ends.
const peerDir = "RXIPC_PEER_DIR"

// mallocs asks either server for its count of allocations.
const mallocs = "mallocs"

func TestPeerOfBenchmarks(t *testing.T) {
	dir := os.Getenv(peerDir)
	if dir == "" {
		return
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go serveBare(listenAt(t, dir, "bare"))
	go func() {
		io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	listening := make(chan struct{}, 2)
	ipc := socket.New(socket.Config{Dir: dir, ServerConfig: socket.ServerConfig{Listening: func(socket.Name) { listening <- struct{}{} }}})
	var servers sync.WaitGroup
	serve := func(name string, handle socket.Handler[int]) {
		servers.Go(func() { socket.Serve(ipc, socket.MustParseName(name), fold.Sum[int]()).With(ctx, handle) })
	}
	serve("echo", func(m socket.Message, c socket.Continuation[int], count int) socket.Continuation[int] {
		switch m.Content() {
		case mallocs:
			m = socket.Text(countMallocs())
		case memory:
			m = socket.Text(measureMemory())
		}
		return c.Respond(m).CarryWith(count + 1)
	})
	serve("sink", func(_ socket.Message, c socket.Continuation[int], count int) socket.Continuation[int] {
		return c.CarryWith(count + 1)
	})
	<-listening
	<-listening
	fmt.Println("listening")
	servers.Wait()
}

// listenAt listens on a socket in a folder until the test ends.
func listenAt(t *testing.T, dir, name string) net.Listener {
	t.Helper()
	listener, err := net.Listen("unix", filepath.Join(dir, name))
	if err != nil {
		t.Fatalf("listen on %s: %v", name, err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener
}

func countMallocs() string {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return strconv.FormatUint(stats.Mallocs, 10)
}

// serveBare answers frames of a length and as many bytes with themselves: the least
// that two processes can do.
func serveBare(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			bareConn := bareConn{Conn: conn, reader: bufio.NewReader(conn)}
			for {
				request, err := bareConn.receive()
				if err != nil || bareConn.send(request) != nil {
					return
				}
			}
		}()
	}
}

type bareConn struct {
	net.Conn
	reader *bufio.Reader
	in     []byte
	out    []byte
}

// dialBare connects to a socket in a folder until the benchmark ends.
func dialBare(b *testing.B, dir, name string) *bareConn {
	b.Helper()
	conn, err := net.Dial("unix", filepath.Join(dir, name))
	if err != nil {
		b.Fatalf("dial the socket %s: %v", name, err)
	}
	b.Cleanup(func() { conn.Close() })
	return &bareConn{Conn: conn, reader: bufio.NewReader(conn)}
}

func (c *bareConn) send(content []byte) error {
	c.out = binary.BigEndian.AppendUint32(c.out[:0], uint32(len(content)))
	c.out = append(c.out, content...)
	_, err := c.Write(c.out)
	return err
}

func (c *bareConn) receive() ([]byte, error) {
	header, err := c.reader.Peek(4)
	if err != nil {
		return nil, err
	}
	size := int(binary.BigEndian.Uint32(header))
	c.reader.Discard(4)
	c.in = slices.Grow(c.in[:0], size)[:size]
	_, err = io.ReadFull(c.reader, c.in)
	return c.in, err
}

// startPeer starts the other process of most benchmarks.
func startPeer(b *testing.B) (dir string, stop func() time.Duration) {
	b.Helper()
	return startTest(b, "TestPeerOfBenchmarks")
}

// startTest starts a test that is the other process, and returns the folder it serves in,
// and what ends it and tells how long it has computed.
func startTest(b *testing.B, test string) (dir string, stop func() time.Duration) {
	b.Helper()
	dir, err := os.MkdirTemp("", "rxipc")
	if err != nil {
		b.Fatalf("make a folder for sockets: %v", err)
	}
	b.Cleanup(func() { os.RemoveAll(dir) })
	peer := exec.Command(os.Args[0], "-test.run=^"+test+"$")
	peer.Env = append(os.Environ(), peerDir+"="+dir)
	peer.Stderr = os.Stderr
	stdin, err := peer.StdinPipe()
	if err != nil {
		b.Fatalf("open the input of the peer: %v", err)
	}
	stdout, err := peer.StdoutPipe()
	if err != nil {
		b.Fatalf("open the output of the peer: %v", err)
	}
	if err := peer.Start(); err != nil {
		b.Fatalf("start the peer: %v", err)
	}
	stop = sync.OnceValue(func() time.Duration {
		stdin.Close()
		peer.Wait()
		return peer.ProcessState.UserTime() + peer.ProcessState.SystemTime()
	})
	b.Cleanup(func() { stop() })
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "listening\n" {
		b.Fatalf("the peer said %q, error %v; want that it listens", line, err)
	}
	go io.Copy(io.Discard, stdout)
	return dir, stop
}

// BenchmarkRoundTrip sends a request to another process and awaits its response, with
// rxipc and bare, by turns, and reports their ratio, and that of a client that costs
// nothing and our server. The goal, for 32 bytes: at most
// 1.3, and two allocations a request on either side; 1.0 for 64 KiB, 1.2 for 1 MiB.
func BenchmarkRoundTrip(b *testing.B) {
	b.Run("32B", func(b *testing.B) { roundTrip(b, 32, 100) })
	b.Run("64KiB", func(b *testing.B) { roundTrip(b, 64<<10, 20) })
	b.Run("1MiB", func(b *testing.B) { roundTrip(b, 1<<20, 4) })
}

// roundTrip compares requests of a size, by turns of so many.
func roundTrip(b *testing.B, size, turn int) {
	dir, _ := startPeer(b)
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	bare := dialBare(b, dir, "bare")
	process, err := socket.New(socket.Config{Dir: dir}).ConnectTo(ctx, socket.MustParseName("echo")).Get()
	if err != nil {
		b.Fatalf("connect to the peer: %v", err)
	}
	defer process.Close(ctx)

	content := strings.Repeat("x", size)
	request, raw := socket.Text(content), []byte(content)
	ask := func(m socket.Message) socket.Message {
		answer, err := fold.Then(process.Send(ctx, m), socket.Wait(ctx)).Get()
		if err != nil {
			b.Fatalf("send and wait for the answer: %v", err)
		}
		return answer
	}
	askBare := func() {
		if err := bare.send(raw); err != nil {
			b.Fatalf("send to the bare peer: %v", err)
		}
		if answer, err := bare.receive(); err != nil || string(answer) != content {
			b.Fatalf("receive from the bare peer: got %q, %v, want the request", answer, err)
		}
	}

	hand := greet(b, dir, "echo")
	defer hand.Close()
	frame := wire("text/plain", content)
	scratch := make([]byte, 1<<20)
	answer := len(control("ack")) + len(frame)
	askByHand := func() {
		if _, err := hand.Write(frame); err != nil {
			b.Fatalf("write a frame by hand: %v", err)
		}
		skip(b, hand, scratch, answer)
	}
	var ratios, servers, ours, theirs []float64
	var client runtime.MemStats
	before := ask(socket.Text(mallocs)).Content()
	runtime.ReadMemStats(&client)
	clientBefore, requests := client.Mallocs, 0
	for b.Loop() {
		start := time.Now()
		for range turn {
			askBare()
		}
		middle := time.Now()
		for range turn {
			if ask(request) != request {
				b.Fatal("request through the pool: got another answer, want the message back")
			}
		}
		end := time.Now()
		for range turn {
			askByHand()
		}
		bareTime, ourTime, serverTime := middle.Sub(start), end.Sub(middle), time.Since(end)
		servers = append(servers, float64(serverTime)/float64(bareTime))
		requests += turn
		theirs = append(theirs, float64(bareTime.Nanoseconds())/float64(turn))
		ours = append(ours, float64(ourTime.Nanoseconds())/float64(turn))
		ratios = append(ratios, float64(ourTime)/float64(bareTime))
	}
	runtime.ReadMemStats(&client)
	after := ask(socket.Text(mallocs)).Content()
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(theirs), "bare-ns")
	b.ReportMetric(median(ours), "rxipc-ns")
	b.ReportMetric(median(ratios), "ratio")
	b.ReportMetric(median(servers), "server-ratio")
	b.ReportMetric(float64(client.Mallocs-clientBefore)/float64(requests), "client-allocs")
	b.ReportMetric((parse(b, after)-parse(b, before))/float64(2*requests), "server-allocs")
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

func parse(b *testing.B, text string) float64 {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		b.Fatalf("parse the figure %q: %v", text, err)
	}
	return n
}
