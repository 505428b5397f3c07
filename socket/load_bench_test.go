package socket_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/rxipc/rxipc/socket"
)

// memory asks the other process for what its heap and stacks take, and how many goroutines
// it has.
const memory = "memory"

func measureMemory() string {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return fmt.Sprint(stats.HeapAlloc+stats.StackInuse, " ", runtime.NumGoroutine())
}

// wire spells frames for connections that are played by hand.
func wire(mediaType, content string) []byte {
	frame := binary.BigEndian.AppendUint16(nil, uint16(len(mediaType)))
	frame = append(frame, mediaType...)
	frame = binary.BigEndian.AppendUint32(frame, uint32(len(content)))
	return append(append(frame, content...), 0xCE)
}

// control spells a control message.
func control(content string) []byte { return wire("text/plain", "innmind/ipc:"+content) }

// greet connects to a server by hand, up to the end of the handshake.
func greet(tb testing.TB, dir, name string) net.Conn {
	tb.Helper()
	conn, err := net.Dial("unix", filepath.Join(dir, name+".sock"))
	if err != nil {
		tb.Fatalf("dial the socket %s: %v", name, err)
	}
	skip(tb, conn, make([]byte, 100), len(control("connection.start")))
	if _, err := conn.Write(control("connection.start-ok")); err != nil {
		tb.Fatalf("write connection.start-ok: %v", err)
	}
	return conn
}

// skip reads as many bytes, into a buffer.
func skip(tb testing.TB, conn net.Conn, buffer []byte, bytes int) {
	for bytes > 0 {
		n, err := conn.Read(buffer[:min(bytes, len(buffer))])
		if err != nil {
			tb.Errorf("read the answers: %v", err)
			return
		}
		bytes -= n
	}
}

// BenchmarkFlood sends messages of 32 bytes to another process as fast as it takes
// them, and reads the acknowledgements beside. The client costs next to nothing: it
// writes the same bytes again and again, and counts those that come. It reports the
// time that passes for a message and the time its server computes.
func BenchmarkFlood(b *testing.B) {
	dir, stop := startPeer(b)
	conn := greet(b, dir, "sink")
	defer conn.Close()
	const run = 1000
	messages := bytes.Repeat(wire("text/plain", string(make([]byte, 32))), run)
	acknowledged := run * len(control("ack"))
	sent := 0
	begin, done := make(chan int), make(chan struct{})
	go func() {
		buffer := make([]byte, 64<<10)
		for n := range begin {
			skip(b, conn, buffer, n*acknowledged)
			done <- struct{}{}
		}
	}()
	defer close(begin)
	const runs = 200
	start := time.Now()
	for b.Loop() {
		begin <- runs
		for range runs {
			if _, err := conn.Write(messages); err != nil {
				b.Fatalf("write the messages: %v", err)
			}
		}
		<-done
		sent += run * runs
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(time.Since(start).Nanoseconds())/float64(sent), "ns/message")
	conn.Close()
	b.ReportMetric(float64(stop().Nanoseconds())/float64(sent), "server-ns/message")
}

// BenchmarkIdleConnections reports what a connection costs its server, in bytes of
// heap and stack, that has completed the handshake and says nothing: without
// buffers, and on Linux without a goroutine.
func BenchmarkIdleConnections(b *testing.B) {
	for _, test := range []struct{ name, server string }{{"fresh", ""}, {"after a message", "hello"}} {
		b.Run(test.name, func(b *testing.B) {
			dir, _ := startPeer(b)
			ctx, cancel := context.WithCancel(b.Context())
			defer cancel()
			process, err := socket.New(socket.Config{Dir: dir}).ConnectTo(ctx, socket.MustParseName("echo")).Get()
			if err != nil {
				b.Fatalf("connect to the peer: %v", err)
			}
			ask := func() (bytes float64, goroutines int) {
				process.Send(ctx, socket.Text(memory))
				m, err := process.Wait(ctx).Get()
				if err != nil {
					b.Fatalf("ask the peer for its memory: %v", err)
				}
				if _, err := fmt.Sscan(m.Content(), &bytes, &goroutines); err != nil {
					b.Fatalf("parse the memory of the peer %v: %v", m, err)
				}
				return bytes, goroutines
			}
			const connections = 5000
			const few = 10 // goroutines that see to all parked sessions
			for b.Loop() {
				before, goroutines := ask()
				var all []net.Conn
				for range connections {
					conn := greet(b, dir, "sink")
					all = append(all, conn)
					if test.server != "" {
						for range 3 {
							conn.Write(wire("text/plain", test.server))
							skip(b, conn, make([]byte, 100), len(control("ack")))
						}
					}
				}
				after, left := ask()
				for runtime.GOOS == "linux" && left > goroutines+few { // until all have parked
					after, left = ask()
				}
				b.ReportMetric((after-before)/connections, "B/connection")
				for _, conn := range all {
					conn.Close()
				}
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}
