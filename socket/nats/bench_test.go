package nats_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"testing"

	natsio "github.com/nats-io/nats.go"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/nats"
	"github.com/rxipc/rxipc/socket/nats/broker"
)

// BenchmarkRoundTrip compares a request over the transport with a plain request of NATS. Both ends
// have a connection of their own to a broker on the loopback interface.
func BenchmarkRoundTrip(b *testing.B) {
	server := startBroker(b, onLoopback)
	for _, size := range []int{16, 4 << 10, 64 << 10} {
		b.Run(fmt.Sprintf("plain/%d", size), func(b *testing.B) { requestPlainly(b, server, make([]byte, size)) })
		b.Run(fmt.Sprintf("rxipc/%d", size), func(b *testing.B) { request(b, server, make([]byte, size)) })
	}
}

func requestPlainly(b *testing.B, s *broker.Broker, content []byte) {
	near, far := dial(b, s.Server().ClientURL()), dial(b, s.Server().ClientURL())
	if _, err := far.Subscribe("plain", func(m *natsio.Msg) { m.Respond(m.Data) }); err != nil {
		b.Fatalf("subscribe: %v", err)
	}
	if err := far.Flush(); err != nil {
		b.Fatalf("flush: %v", err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := near.RequestWithContext(b.Context(), "plain", content); err != nil {
			b.Fatalf("request: %v", err)
		}
	}
}

func request(b *testing.B, s *broker.Broker, content []byte) {
	ctx, stop := context.WithCancel(b.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		ipc := socket.New(socket.Config{Transport: nats.Transport(dial(b, s.Server().ClientURL()), nats.Config{})})
		socket.Serve(ipc, counter, fold.Unit()).With(ctx, func(m socket.Message, c socket.Continuation[struct{}], _ struct{}) socket.Continuation[struct{}] {
			return c.Respond(m)
		})
	}()
	defer func() { stop(); <-ended }()
	ipc := socket.New(socket.Config{Transport: nats.Transport(dial(b, s.Server().ClientURL()), nats.Config{})})
	p, err := ipc.ConnectTo(b.Context(), counter).Get()
	if err != nil {
		b.Fatalf("connect: %v", err)
	}
	defer p.Close(b.Context())
	question := socket.Text(string(content))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Request(b.Context(), question).Get(); err != nil {
			b.Fatalf("request: %v", err)
		}
	}
}

// BenchmarkStream measures bytes in one direction, with the plain messages of NATS beside it.
func BenchmarkStream(b *testing.B) {
	s := startBroker(b, onLoopback)
	near, far := dial(b, s.Server().ClientURL()), dial(b, s.Server().ClientURL())
	l, err := nats.Transport(far, nats.Config{}).Listen(b.Context(), counter)
	if err != nil {
		b.Fatalf("listen: %v", err)
	}
	defer l.Close()
	client, err := nats.Transport(near, nats.Config{}).Dial(b.Context(), counter)
	if err != nil {
		b.Fatalf("dial: %v", err)
	}
	accepted, err := l.Accept()
	if err != nil {
		b.Fatalf("accept: %v", err)
	}
	part := make([]byte, 64<<10)
	b.SetBytes(int64(len(part)))
	go discard(accepted)
	for b.Loop() {
		if _, err := client.Write(part); err != nil {
			b.Fatalf("write: %v", err)
		}
	}
	client.Close()
}

func discard(conn net.Conn) {
	io.Copy(io.Discard, conn)
	conn.Close()
}
