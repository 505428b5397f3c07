//go:build unix

package socket_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
)

// TestPeerOfWindowBenchmarks is the other process of the benchmarks of windows.
func TestPeerOfWindowBenchmarks(t *testing.T) {
	dir := os.Getenv(peerDir)
	if dir == "" {
		return
	}
	ctx, cancel := context.WithCancel(t.Context())
	go sinkBare(listenAt(t, dir, "bare"))
	go ackBare(listenAt(t, dir, "acking.sock"))
	go serveBare(listenAt(t, dir, "bare echo"))
	var servers sync.WaitGroup
	var ready sync.WaitGroup
	ready.Add(2)
	ipc := socket.New(socket.Config{Dir: dir, ServerConfig: socket.ServerConfig{Listening: func(socket.Name) { ready.Done() }}})
	servers.Go(func() {
		ipc.Listen(socket.MustParseName("sink")).ForEach(ctx, func(c *socket.Connection) {
			servers.Go(func() { c.Exchanges().Run(ctx) })
		})
	})
	servers.Go(func() {
		ipc.Listen(socket.MustParseName("echo")).ForEach(ctx, func(c *socket.Connection) {
			servers.Go(func() { c.Exchanges().ForEach(ctx, func(x socket.Exchange) { x.Respond(x.Message) }) })
		})
	})
	ready.Wait()
	fmt.Println("listening")
	io.Copy(io.Discard, os.Stdin)
	cancel()
	servers.Wait()
}

// sinkBare reads whatever comes, and answers a byte at the end of the writing.
func sinkBare(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{conn}, make([]byte, 64<<10))
			conn.Write([]byte{1})
		}()
	}
}

// ackBare acknowledges whatever comes, connection.close too, with the least that a server
// can do, so that what is measured is the client.
func ackBare(listener net.Listener) {
	control := func(content string) string {
		return "\x00\x0atext/plain\x00\x00\x00" + string(rune(len(content))) + content + "\xce"
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			io.WriteString(conn, control("innmind/ipc:connection.start"))
			acks := strings.Repeat(control("innmind/ipc:ack"), 4096)
			size := len(acks) / 4096
			in := make([]byte, 256<<10)
			held, skip := 0, 0 // bytes in in; bytes of a frame that are passed over
			count := -1        // start-ok
			for {
				n, err := conn.Read(in[held:])
				if err != nil {
					return
				}
				rest := in[:held+n]
				for {
					k := min(skip, len(rest))
					rest, skip = rest[k:], skip-k
					if skip > 0 || len(rest) < 2 {
						break
					}
					header := 6 + int(binary.BigEndian.Uint16(rest))
					if len(rest) < header {
						break
					}
					skip = header + int(binary.BigEndian.Uint32(rest[header-4:])) + 1
					count++
				}
				held = copy(in, rest)
				if skip == 0 || len(rest) > 0 || count > 0 {
					done := count
					if skip > 0 && done > 0 {
						done-- // the last one is not complete
					}
					for done > 0 {
						k := min(done, 4096)
						if _, err := io.WriteString(conn, acks[:k*size]); err != nil {
							return
						}
						done, count = done-k, count-k
					}
				}
			}
		}()
	}
}

func startWindowPeer(b *testing.B) string {
	b.Helper()
	dir, _ := startTest(b, "TestPeerOfWindowBenchmarks")
	return dir
}

func connect(b *testing.B, dir, name string) *socket.Process {
	b.Helper()
	p, err := socket.New(socket.Config{Dir: dir}).ConnectTo(b.Context(), socket.MustParseName(name)).Get()
	if err != nil {
		b.Fatalf("connect to %s: %v", name, err)
	}
	b.Cleanup(func() { p.Close(context.WithoutCancel(b.Context())) })
	return p
}

// reportCPU reports what this process spends on an operation, whatever else the machine
// has to do.
func reportCPU(b *testing.B) (stop func()) {
	spent := func() time.Duration {
		var usage syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
			b.Fatalf("read the time that the processor spent: %v", err)
		}
		return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
	before := spent()
	return func() { b.ReportMetric(float64(spent()-before)/float64(b.N), "client-cpu-ns") }
}

// BenchmarkSend sends messages one way to another process, all acknowledged.
func BenchmarkSend(b *testing.B) {
	dir := startWindowPeer(b)
	for _, size := range []int{32, 1 << 10, 64 << 10, 1 << 20} {
		m := socket.NewMessage(socket.OctetStream(), strings.Repeat("x", size))
		count := min(10_000, 64<<20/size)
		messages := make([]socket.Message, count)
		for i := range messages {
			messages[i] = m
		}
		for _, test := range []struct{ name, server string }{{"slice/", "sink"}, {"client/", "acking"}} {
			b.Run(fmt.Sprint(test.name, size), func(b *testing.B) {
				p := connect(b, dir, test.server)
				b.ReportAllocs()
				b.SetBytes(int64(size))
				defer reportCPU(b)()
				for i := 0; i < b.N; i += count {
					if err := p.Send(b.Context(), messages[:min(count, b.N-i)]...).Err(); err != nil {
						b.Fatalf("send messages: %v", err)
					}
				}
			})
		}
		b.Run(fmt.Sprint("stream/", size), func(b *testing.B) {
			p := connect(b, dir, "sink")
			b.ReportAllocs()
			b.SetBytes(int64(size))
			defer reportCPU(b)()
			source := operators.Map(func(int) socket.Message { return m })(stream.Range(0, b.N))
			if n, err := operators.Count[socket.Message]()(p.SendAll(source)).Last(b.Context()).Get(); n != b.N || err != nil {
				b.Fatalf("send %d messages from a source: %d were acknowledged, error %v", b.N, n, err)
			}
		})
		b.Run(fmt.Sprint("bare/", size), func(b *testing.B) {
			conn := dialBare(b, dir, "bare")
			b.SetBytes(int64(size))
			defer reportCPU(b)()
			content := []byte(strings.Repeat("x", size))
			out := bufio.NewWriterSize(conn, 64<<10)
			for range b.N {
				if _, err := out.Write(content); err != nil {
					b.Fatalf("write to the bare connection: %v", err)
				}
			}
			out.Flush()
			conn.Conn.(*net.UnixConn).CloseWrite()
			conn.Read(make([]byte, 1))
		})
	}
}

// BenchmarkRequests makes requests of 32 bytes to another process, 64 in flight: as a
// stream over one connection, by 64 goroutines over a pool of one, and bare, written and
// read by two goroutines with 64 places between them.
func BenchmarkRequests(b *testing.B) {
	dir := startWindowPeer(b)
	content := strings.Repeat("x", 32)
	m := socket.Text(content)
	ipc := socket.New(socket.Config{Dir: dir, ClientConfig: socket.ClientConfig{Window: 64}})
	b.Run("stream", func(b *testing.B) {
		p, err := ipc.ConnectTo(b.Context(), socket.MustParseName("echo")).Get()
		if err != nil {
			b.Fatalf("connect to echo: %v", err)
		}
		defer p.Close(b.Context())
		b.ReportAllocs()
		defer reportCPU(b)()
		source := operators.Map(func(int) socket.Message { return m })(stream.Range(0, b.N))
		if n, err := operators.Count[socket.Message]()(p.RequestAll(source)).Last(b.Context()).Get(); n != b.N || err != nil {
			b.Fatalf("request %d answers to messages from a source: got %d, error %v", b.N, n, err)
		}
	})
	b.Run("pool", func(b *testing.B) {
		pool := ipc.Pool(socket.MustParseName("echo"), socket.PoolConfig{Connections: 1, InFlight: 64})
		defer pool.Close(b.Context())
		b.ReportAllocs()
		defer reportCPU(b)()
		var callers sync.WaitGroup
		for i := range 64 {
			callers.Go(func() {
				for range b.N/64 + min(1, max(0, b.N%64-i)) {
					if answer, err := pool.Request(b.Context(), m).Get(); answer != m || err != nil {
						b.Errorf("request through the pool: got %v, %v, want the message back", answer, err)
						return
					}
				}
			})
		}
		callers.Wait()
	})
	b.Run("bare", func(b *testing.B) {
		bare, raw := dialBare(b, dir, "bare echo"), []byte(content)
		places := make(chan struct{}, 64)
		defer reportCPU(b)()
		go func() {
			for range b.N {
				places <- struct{}{}
				if bare.send(raw) != nil {
					return
				}
			}
		}()
		for range b.N {
			if answer, err := bare.receive(); err != nil || string(answer) != content {
				b.Fatalf("read from the bare connection: got %q, %v, want the content back", answer, err)
			}
			<-places
		}
	})
}
