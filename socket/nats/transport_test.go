package nats_test

import (
	"context"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	natsio "github.com/nats-io/nats.go"
	"golang.org/x/net/nettest"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/nats"
	"github.com/rxipc/rxipc/socket/sockettest"
)

func TestTransportConforms(t *testing.T) {
	b := startBroker(t)
	sockettest.CheckTransport(t, func(t *testing.T) socket.Transport {
		return nats.Transport(connect(t, b), nats.Config{})
	})
}

// twoMachines listens over one connection to NATS and dials over another.
type twoMachines struct {
	socket.Transport
	near socket.Transport
}

func (m twoMachines) Dial(ctx context.Context, name socket.Name) (net.Conn, error) {
	return m.near.Dial(ctx, name)
}

func TestTransportConformsBetweenTwoConnections(t *testing.T) {
	b := startBroker(t, onLoopback)
	sockettest.CheckTransport(t, func(t *testing.T) socket.Transport {
		near, far := dial(t, b.Server().ClientURL()), dial(t, b.Server().ClientURL())
		return twoMachines{nats.Transport(far, nats.Config{}), nats.Transport(near, nats.Config{})}
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

// Contents that are larger than a message of NATS may be pass in pieces.
func TestTransportCarriesContentsBeyondTheBrokersLimit(t *testing.T) {
	b := startBroker(t, func(o *server.Options) { o.MaxPayload = 4 << 10 })
	stop := serve(t, socket.Config{Transport: nats.Transport(connect(t, b), nats.Config{})})
	ipc := socket.New(socket.Config{Transport: nats.Transport(connect(t, b), nats.Config{})})
	p, err := ipc.ConnectTo(t.Context(), counter).Get()
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	defer p.Close(t.Context())
	question := socket.Text(strings.Repeat("12345678", 1<<20))
	answer, err := p.Request(t.Context(), question).Get()
	if err != nil || answer != question {
		t.Errorf("request with a content of 8 MiB: got %v, %v, want the same content", answer, err)
	}
	p.Close(t.Context())
	if count := stop(); count != 1 {
		t.Errorf("messages that the server handled: got %d, want 1", count)
	}
}

func TestTransportRefusesAConfigThatIsWrong(t *testing.T) {
	conn := connect(t, startBroker(t))
	for what, transport := range map[string]socket.Transport{
		"no connection":     nats.Transport(nil, nats.Config{}),
		"a prefix with *":   nats.Transport(conn, nats.Config{Prefix: "a.*"}),
		"an empty token":    nats.Transport(conn, nats.Config{Prefix: "a..b"}),
		"a user with a dot": nats.Transport(conn, nats.Config{User: "a.b"}),
	} {
		_, err := transport.Dial(t.Context(), counter)
		fails(t, "dial with "+what, err, socket.ErrInvalid)
		_, err = transport.Listen(t.Context(), counter)
		fails(t, "listen with "+what, err, socket.ErrInvalid)
		_, err = transport.Names(t.Context())
		fails(t, "names with "+what, err, socket.ErrInvalid)
	}
}

// A connection to NATS that was closed ends everything.
func TestTransportEndsWithItsConnection(t *testing.T) {
	b := startBroker(t)
	near, far := connect(t, b), connect(t, b)
	transport := nats.Transport(far, nats.Config{})
	l := listen(t, transport, counter)
	s := open(t, nats.Transport(near, nats.Config{}), l)
	far.Close()
	readFails(t, "read after this side's connection to NATS was closed", s.server, syscall.ECONNRESET)
	_, err := s.server.Write([]byte("x"))
	fails(t, "write after this side's connection to NATS was closed", err, syscall.ECONNRESET)
	_, err = l.Accept()
	fails(t, "accept after the connection to NATS was closed", err, natsio.ErrConnectionClosed)
	_, err = transport.Dial(t.Context(), counter)
	fails(t, "dial after the connection to NATS was closed", err, socket.ErrNotListening)
	_, err = nats.Transport(far, nats.Config{}).Dial(t.Context(), counter)
	fails(t, "the first dial after the connection to NATS was closed", err, natsio.ErrConnectionClosed)
}

// Prefixes keep names apart.
func TestTransportsOfDifferentPrefixes(t *testing.T) {
	conn := connect(t, startBroker(t))
	one, two := nats.Transport(conn, nats.Config{Prefix: "one"}), nats.Transport(conn, nats.Config{Prefix: "t.wo"})
	listen(t, one, counter)
	_, err := two.Dial(t.Context(), counter)
	fails(t, "dial a name of another prefix", err, socket.ErrNotListening)
	names, err := two.Names(t.Context())
	if len(names) != 0 || err != nil {
		t.Errorf("names of another prefix: got %v, %v, want none", names, err)
	}
	s := open(t, two, listen(t, two, counter))
	passes(t, s.client, s.server, "hello")
}
