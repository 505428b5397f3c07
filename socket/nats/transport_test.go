package nats_test

import (
	"net"
	"testing"

	natsio "github.com/nats-io/nats.go"
	"golang.org/x/net/nettest"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/nats"
	"github.com/rxipc/rxipc/socket/nats/broker"
	"github.com/rxipc/rxipc/socket/sockettest"
)

var counter = socket.MustParseName("counter")

// startBroker starts a broker in this process until the test ends.
func startBroker(t testing.TB) *broker.Broker {
	t.Helper()
	b, err := broker.Start("")
	if err != nil {
		t.Fatalf("start a broker: %v", err)
	}
	t.Cleanup(func() { b.Close() })
	return b
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

func TestTransportConforms(t *testing.T) {
	b := startBroker(t)
	sockettest.CheckTransport(t, func(t *testing.T) socket.Transport {
		return nats.Transport(connect(t, b), nats.Config{})
	})
}

func TestConnIsANetConn(t *testing.T) {
	b := startBroker(t)
	nettest.TestConn(t, func() (client, server net.Conn, stop func(), err error) {
		near, far := connect(t, b), connect(t, b)
		l, err := nats.Transport(far, nats.Config{}).Listen(t.Context(), counter)
		if err != nil {
			return nil, nil, nil, err
		}
		if client, err = nats.Transport(near, nats.Config{}).Dial(t.Context(), counter); err != nil {
			return nil, nil, nil, err
		}
		if server, err = l.Accept(); err != nil {
			return nil, nil, nil, err
		}
		return client, server, func() { client.Close(); server.Close(); l.Close() }, nil
	})
}
