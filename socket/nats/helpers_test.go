package nats_test

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsio "github.com/nats-io/nats.go"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/nats"
	"github.com/rxipc/rxipc/socket/nats/broker"
)

var counter = socket.MustParseName("counter")

// startBroker starts a broker in this process until the test ends.
func startBroker(t testing.TB, configure ...func(*server.Options)) *broker.Broker {
	t.Helper()
	b, err := broker.Start("", append(configure, func(o *server.Options) { o.NoLog = true })...)
	if err != nil {
		t.Fatalf("start a broker: %v", err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// onLoopback gives a broker a port of the loopback interface.
func onLoopback(o *server.Options) {
	o.DontListen, o.Host, o.Port = false, "127.0.0.1", cmp.Or(o.Port, server.RANDOM_PORT)
}

// connect returns a new connection to a broker in this process.
func connect(t testing.TB, b *broker.Broker, options ...natsio.Option) *natsio.Conn {
	t.Helper()
	conn, err := b.Connect(options...)
	if err != nil {
		t.Fatalf("connect to the broker: %v", err)
	}
	t.Cleanup(conn.Close)
	return conn
}

// dial returns a new connection to a broker with a port. It connects again soon when it is lost.
func dial(t testing.TB, url string, options ...natsio.Option) *natsio.Conn {
	t.Helper()
	conn, err := natsio.Connect(url, append(options, natsio.ReconnectWait(10*time.Millisecond), natsio.MaxReconnects(-1))...)
	if err != nil {
		t.Fatalf("connect to %s: %v", url, err)
	}
	t.Cleanup(conn.Close)
	return conn
}

// ends are both ends of a session.
type ends struct{ client, server net.Conn }

// session opens a session between two connections to NATS.
func session(t testing.TB, near, far *natsio.Conn, config nats.Config) ends {
	t.Helper()
	l := listen(t, nats.Transport(far, config), counter)
	return open(t, nats.Transport(near, config), l)
}

func listen(t testing.TB, transport socket.Transport, name socket.Name) net.Listener {
	t.Helper()
	l, err := transport.Listen(t.Context(), name)
	if err != nil {
		t.Fatalf("listen on %v: %v", name, err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func open(t testing.TB, transport socket.Transport, l net.Listener) ends {
	t.Helper()
	client, err := transport.Dial(t.Context(), counter)
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	server, err := l.Accept()
	if err != nil {
		t.Fatalf("accept: %v", err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	return ends{client, server}
}

// passes checks that bytes of one end arrive at the other.
func passes(t testing.TB, from, to net.Conn, text string) {
	t.Helper()
	if _, err := from.Write([]byte(text)); err != nil {
		t.Fatalf("write %q: %v", text, err)
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(to, got); err != nil || string(got) != text {
		t.Fatalf("read what the other side wrote: got %q, %v, want %q", got, err, text)
	}
}

func fails(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got the error %v, want %v", what, err, want)
	}
}

// readFails checks that a Read, which waits, ends with an error.
func readFails(t testing.TB, what string, conn net.Conn, want error) {
	t.Helper()
	n, err := conn.Read(make([]byte, 1))
	if n != 0 {
		t.Errorf("%s: got %d bytes, want none", what, n)
	}
	fails(t, what, err, want)
}

// serve serves an echo, which counts, until stop is called. That returns the count.
func serve(t testing.TB, config socket.Config) (stop func() int) {
	t.Helper()
	config.Log = slog.New(slog.DiscardHandler)
	listening := make(chan struct{})
	var once sync.Once
	config.ServerConfig.Listening = func(socket.Name) { once.Do(func() { close(listening) }) }
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan fold.Attempt[int], 1)
	go func() {
		ended <- socket.Serve(socket.New(config), counter, fold.Sum[int]()).
			With(ctx, func(m socket.Message, k socket.Continuation[int], count int) socket.Continuation[int] {
				return k.Respond(m).CarryWith(count + 1)
			})
	}()
	select {
	case <-listening:
	case a := <-ended:
		t.Fatalf("serve: %v", a.Err())
	}
	stop = sync.OnceValue(func() int {
		cancel()
		count, _ := socket.Carry(<-ended).Get()
		return count
	})
	t.Cleanup(func() { stop() })
	return stop
}
