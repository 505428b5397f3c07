package nats_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/nats"
	"github.com/rxipc/rxipc/socket/nats/broker"
)

// faultsTransport has short periods, and servers that share the name.
var faultsTransport = nats.Config{Share: true, KeepAlive: 500 * time.Millisecond, Discovery: 20 * time.Millisecond}

// playBroker is a broker of a cluster. Its arguments are its address, its address for routes, and
// the URLs of all routes.
func playBroker(ctx context.Context, args []string) error {
	host, port := split(args[0])
	routesHost, routesPort := split(args[1])
	b, err := broker.Start("", func(o *server.Options) {
		o.ServerName, o.NoLog = "broker-"+args[0], true
		o.DontListen, o.Host, o.Port = false, host, port
		o.Cluster = server.ClusterOpts{Name: "faults", Host: routesHost, Port: routesPort}
		o.Routes = parseURLs(args[2])
	})
	if err != nil {
		return err
	}
	<-ctx.Done()
	return b.Close()
}

func split(address string) (host string, port int) {
	host, text, _ := net.SplitHostPort(address)
	port, _ = strconv.Atoi(text)
	return host, port
}

func parseURLs(list string) (urls []*url.URL) {
	for text := range strings.SplitSeq(list, ",") {
		u, err := url.Parse(text)
		if err != nil {
			panic(err)
		}
		urls = append(urls, u)
	}
	return urls
}

// record is a file of words. They remain when the process that adds them is killed.
type record struct{ *os.File }

func openRecord(path string) record {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		panic(err)
	}
	return record{file}
}

func (r record) add(word string) {
	if _, err := r.WriteString(word + "\n"); err != nil {
		panic(err)
	}
}

// readRecord returns the whole words of all processes whose files match.
func readRecord(t *testing.T, pattern string) (words []string) {
	t.Helper()
	paths, _ := filepath.Glob(pattern)
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatalf("read %s: %v", path, err)
		}
		whole := content[:bytes.LastIndexByte(content, '\n')+1]
		words = append(words, strings.Fields(string(whole))...)
	}
	return words
}

// playServer records each message before it is acknowledged.
func playServer(ctx context.Context, args []string) error {
	handled := openRecord(args[0])
	transport, conn := processTransport(faultsTransport)
	defer conn.Close()
	ipc := socket.New(socket.Config{Transport: transport, Grace: time.Second})
	for ctx.Err() == nil {
		served := socket.Serve(ipc, counter, fold.Unit()).
			With(ctx, func(m socket.Message, c socket.Continuation[struct{}], _ struct{}) socket.Continuation[struct{}] {
				handled.add(m.Content())
				return c.Respond(m)
			})
		if err := served.Err(); err != nil && ctx.Err() == nil {
			time.Sleep(20 * time.Millisecond) // no broker yet
		}
	}
	return nil
}

// playClient records each message that was acknowledged, or responded to.
func playClient(ctx context.Context, args []string) error {
	acknowledged, name := openRecord(args[0]), args[1]
	transport, conn := processTransport(faultsTransport)
	defer conn.Close()
	ipc := socket.New(socket.Config{Transport: transport, Grace: time.Second})
	pool := ipc.Pool(counter, socket.PoolConfig{})
	defer pool.Close(context.Background())
	next := 0
	word := func() string { next++; return fmt.Sprint(name, "-", next) }
	for ctx.Err() == nil {
		for range 10 {
			ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
			w := word()
			if answer, err := pool.Request(ctx, socket.Text(w)).Get(); err == nil && answer.Content() == w {
				acknowledged.add(w)
			}
			cancel()
		}
		sendSome(ctx, ipc, acknowledged, word)
	}
	return nil
}

// sendSome sends many messages in one call.
func sendSome(ctx context.Context, ipc *socket.IPC, acknowledged record, word func() string) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	p, err := ipc.ConnectTo(ctx, counter).Get()
	if err != nil {
		return
	}
	defer p.Close(ctx)
	var messages []socket.Message
	for range 50 {
		messages = append(messages, socket.Text(word()))
	}
	sent := len(messages)
	var failed *socket.SendError
	if err := p.Send(ctx, messages...).Err(); errors.As(err, &failed) {
		sent = failed.Acknowledged
	} else if err != nil {
		sent = 0
	}
	for _, m := range messages[:sent] {
		acknowledged.add(m.Content())
	}
}

// world is a cluster of three brokers, two servers that share a name, and clients.
type world struct {
	*testing.T
	dir     string
	urls    string
	parts   [][]string // arguments of the processes
	running []*process
	started int
}

func newWorld(t *testing.T) *world {
	w := &world{T: t, dir: t.TempDir()}
	addresses := freeAddresses(t, 6)
	var urls, routes []string
	for i := range 3 {
		urls = append(urls, "nats://"+addresses[i])
		routes = append(routes, "nats://"+addresses[3+i])
	}
	w.urls = strings.Join(urls, ",")
	for i := range 3 {
		w.parts = append(w.parts, []string{"broker", addresses[i], addresses[3+i], strings.Join(routes, ",")})
	}
	w.parts = append(w.parts, []string{"server"}, []string{"server"}, []string{"client"}, []string{"client"})
	for _, part := range w.parts {
		w.running = append(w.running, w.begin(part))
	}
	return w
}

func freeAddresses(t *testing.T, n int) (addresses []string) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatalf("find a free port: %v", err)
		}
		defer l.Close() // when all are found, so that they differ
		addresses = append(addresses, l.Addr().String())
	}
	return addresses
}

// begin starts a process. Each has a record of its own.
func (w *world) begin(part []string) *process {
	w.started++
	if part[0] != "broker" {
		part = []string{part[0], filepath.Join(w.dir, fmt.Sprintf("%s-%d", part[0], w.started)), strconv.Itoa(w.started)}
	}
	return start(w.T, w.urls, part...)
}

// awaitProgress waits until the clients that run now have got some more acknowledgements.
func (w *world) awaitProgress() {
	for _, p := range w.running {
		if !strings.HasPrefix(p.what, "client") {
			continue
		}
		path := strings.Fields(p.what)[1]
		for before := len(readRecord(w.T, path)); len(readRecord(w.T, path)) < before+100; {
			if w.Context().Err() != nil {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// TestFaultsOverNATS kills brokers, servers and clients at random. At the end each message that a client
// knows as acknowledged was handled, and none twice.
func TestFaultsOverNATS(t *testing.T) {
	duration := 3 * time.Second
	if text := os.Getenv("RXIPC_FAULTS"); text != "" {
		var err error
		if duration, err = time.ParseDuration(text); err != nil {
			t.Fatalf("parse RXIPC_FAULTS: %v", err)
		}
	}
	w := newWorld(t)
	w.awaitProgress()
	killed := make(map[string]int)
	for end := time.Now().Add(duration); time.Now().Before(end) || len(killed) < 3; {
		time.Sleep(time.Duration(rand.IntN(400)) * time.Millisecond)
		i := rand.IntN(len(w.parts))
		w.running[i].kill()
		w.running[i] = w.begin(w.parts[i])
		killed[w.parts[i][0]]++
	}
	w.awaitProgress()
	for i := len(w.running) - 1; i >= 0; i-- { // clients, then servers, then brokers
		w.running[i].end()
	}
	handled := make(map[string]int)
	for _, word := range readRecord(t, filepath.Join(w.dir, "server-*")) {
		if handled[word]++; handled[word] == 2 {
			t.Errorf("message %s was handled twice", word)
		}
	}
	acknowledged := readRecord(t, filepath.Join(w.dir, "client-*"))
	for _, word := range acknowledged {
		if handled[word] == 0 {
			t.Errorf("message %s was acknowledged and not handled", word)
		}
	}
	t.Logf("killed %v; %d messages handled, %d acknowledged", killed, len(handled), len(acknowledged))
}
