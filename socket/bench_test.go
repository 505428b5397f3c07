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
	"testing"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
)

// peerDir, when it is set, makes the test binary the other process of a benchmark:
// it serves in that folder until its standard input ends.
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
	bare, err := net.Listen("unix", filepath.Join(dir, "bare"))
	if err != nil {
		t.Fatal(err)
	}
	defer bare.Close()
	go serveBare(bare)
	go func() {
		io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	ipc := socket.New(socket.Config{Dir: dir, Listening: func(socket.Name) { fmt.Println("listening") }})
	socket.Serve(ipc, socket.MustParseName("echo"), fold.Sum[int]()).
		With(ctx, func(m socket.Message, c socket.Continuation[int], count int) socket.Continuation[int] {
			if m.Content() == mallocs {
				m = socket.Text(countMallocs())
			}
			return c.Respond(m).CarryWith(count + 1)
		})
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

// startPeer starts the other process and returns the folder it serves in.
func startPeer(b *testing.B) string {
	b.Helper()
	dir, err := os.MkdirTemp("", "rxipc")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { os.RemoveAll(dir) })
	peer := exec.Command(os.Args[0], "-test.run=^TestPeerOfBenchmarks$")
	peer.Env = append(os.Environ(), peerDir+"="+dir)
	peer.Stderr = os.Stderr
	stdin, err := peer.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := peer.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := peer.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		stdin.Close()
		peer.Wait()
	})
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "listening\n" {
		b.Fatalf("the peer says %q, %v", line, err)
	}
	go io.Copy(io.Discard, stdout)
	return dir
}

// BenchmarkRoundTrip sends a request of 32 bytes to another process and awaits its
// response, with rxipc and bare, by turns of a hundred, and reports their ratio. The
// goal: at most 1.3, and two allocations a request on either side.
func BenchmarkRoundTrip(b *testing.B) {
	dir := startPeer(b)
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	conn, err := net.Dial("unix", filepath.Join(dir, "bare"))
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	bare := bareConn{Conn: conn, reader: bufio.NewReader(conn)}
	process, err := socket.New(socket.Config{Dir: dir}).ConnectTo(ctx, socket.MustParseName("echo")).Get()
	if err != nil {
		b.Fatal(err)
	}
	defer process.Close(ctx)

	content := strings.Repeat("x", 32)
	request, raw := socket.Text(content), []byte(content)
	ask := func(m socket.Message) socket.Message {
		answer, err := fold.Then(process.Send(ctx, m), socket.Wait(ctx)).Get()
		if err != nil {
			b.Fatal(err)
		}
		return answer
	}
	askBare := func() {
		if err := bare.send(raw); err != nil {
			b.Fatal(err)
		}
		if answer, err := bare.receive(); err != nil || string(answer) != content {
			b.Fatalf("got %q, %v", answer, err)
		}
	}

	const turn = 100
	var ratios, ours, theirs []float64
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
				b.Fatal("another answer")
			}
		}
		bareTime, ourTime := middle.Sub(start), time.Since(middle)
		requests += turn
		theirs = append(theirs, float64(bareTime.Nanoseconds())/turn)
		ours = append(ours, float64(ourTime.Nanoseconds())/turn)
		ratios = append(ratios, float64(ourTime)/float64(bareTime))
	}
	runtime.ReadMemStats(&client)
	after := ask(socket.Text(mallocs)).Content()
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(theirs), "bare-ns")
	b.ReportMetric(median(ours), "rxipc-ns")
	b.ReportMetric(median(ratios), "ratio")
	b.ReportMetric(float64(client.Mallocs-clientBefore)/float64(requests), "client-allocs")
	b.ReportMetric((parse(b, after)-parse(b, before))/float64(requests), "server-allocs")
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

func parse(b *testing.B, text string) float64 {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		b.Fatal(err)
	}
	return n
}
