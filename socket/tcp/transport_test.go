package tcp_test

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/internal/testcert"
	"github.com/rxipc/rxipc/socket/sockettest"
	"github.com/rxipc/rxipc/socket/tcp"
)

var counter = socket.MustParseName("counter")

// transport returns a transport for the names one, two and counter, at free ports of the loopback
// interface, with certificates of a new authority for both sides.
func transport(t *testing.T) tcp.Transport {
	a := testcert.New(t)
	return tcp.Transport{TLS: load(a, "client.example.org"), Directory: freeTable(t)}
}

func TestTransportConforms(t *testing.T) {
	sockettest.CheckTransport(t, func(t *testing.T) socket.Transport { return transport(t) })
}

// A client's reason for a failure says which side did not accept what.
func TestTransportTellsWhyThereIsNoConnection(t *testing.T) {
	ours, strangers := testcert.New(t), testcert.New(t)
	table := freeTable(t)
	server := tcp.Transport{TLS: load(ours, "server.example.org"), Directory: table, Log: slog.New(slog.DiscardHandler)}
	listen(t, server)

	stranger := server
	stranger.TLS = load(strangers, "server.example.org")
	_, err := stranger.Dial(t.Context(), counter)
	refused(t, "dial a server of an unknown authority", err, socket.ErrUntrusted)

	halfStranger := server
	halfStranger.TLS = load(strangers, "client.example.org")
	halfStranger.TLS.RootCAs = ours.Pool
	_, err = socket.New(socket.Config{Transport: halfStranger}).ConnectTo(t.Context(), counter).Get()
	refused(t, "connect with a certificate of an unknown authority", err, socket.ErrRefused)

	elsewhere := server
	elsewhere.TLS = load(ours, "server.example.org")
	elsewhere.TLS.ServerName = "other.example.org"
	_, err = elsewhere.Dial(t.Context(), counter)
	refused(t, "dial a server with the certificate of another host", err, socket.ErrUntrusted)
}

func refused(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got the error %v, want %v", what, err, want)
	}
}

// listen serves an echo until the test ends.
func listen(t *testing.T, transport tcp.Transport, config ...func(*socket.Config)) {
	t.Helper()
	c := socket.Config{Transport: transport, Log: slog.New(slog.DiscardHandler)}
	for _, change := range config {
		change(&c)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		socket.Serve(socket.New(c), counter, fold.Sum[int]()).With(ctx, func(m socket.Message, k socket.Continuation[int], count int) socket.Continuation[int] {
			return k.Respond(m).CarryWith(count + 1)
		})
	}()
	t.Cleanup(func() { stop(); <-ended })
	conn, err := dialUntilListening(t, transport)
	if err != nil {
		t.Fatalf("dial the server: %v", err)
	}
	conn.Close()
}

// dialUntilListening dials until somebody listens.
func dialUntilListening(t *testing.T, transport tcp.Transport) (net.Conn, error) {
	for {
		conn, err := transport.Dial(t.Context(), counter)
		if !errors.Is(err, socket.ErrNotListening) {
			return conn, err
		}
	}
}

func TestTransportOfAnotherProtocol(t *testing.T) {
	transport := transport(t)
	l, err := net.Listen("tcp", transport.Directory.(tcp.Table)["counter"][0])
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Write([]byte("SSH-2.0-OpenSSH_9.9\r\n"))
			conn.Close()
		}
	}()
	_, err = transport.Dial(t.Context(), counter)
	refused(t, "dial a server of SSH", err, socket.ErrProtocol)
}

func TestTransportThatIsIncomplete(t *testing.T) {
	complete := transport(t)
	for what, change := range map[string]func(*tcp.Transport){
		"no TLS":         func(t *tcp.Transport) { t.TLS = nil },
		"no directory":   func(t *tcp.Transport) { t.Directory = nil },
		"no authorities": func(t *tcp.Transport) { t.TLS = &tls.Config{Certificates: t.TLS.Certificates} },
		"no address":     func(t *tcp.Transport) { t.Directory = tcp.Table{} },
		"another machine's address": func(t *tcp.Transport) {
			t.Directory = tcp.Table{"counter": {"203.0.113.1:4711"}}
		},
	} {
		incomplete := complete
		change(&incomplete)
		_, err := incomplete.Listen(t.Context(), counter)
		refused(t, "listen with "+what, err, socket.ErrInvalid)
	}
	nowhere := complete
	nowhere.Directory = tcp.Table{}
	_, err := nowhere.Dial(t.Context(), counter)
	refused(t, "dial a name without an address", err, socket.ErrNotListening)
}

// The second address is tried when nobody listens at the first.
func TestTransportTriesAllAddresses(t *testing.T) {
	transport := transport(t)
	table := transport.Directory.(tcp.Table)
	listen(t, transport)
	transport.Directory = tcp.Table{"counter": {table["one"][0], table["counter"][0]}}
	conn, err := transport.Dial(t.Context(), counter)
	if err != nil {
		t.Fatalf("dial two addresses, with a server at the second: %v", err)
	}
	conn.Close()
}

// Host is where a server listens, whatever the address for clients is.
func TestTransportListensAtHost(t *testing.T) {
	transport := transport(t)
	_, port, _ := net.SplitHostPort(transport.Directory.(tcp.Table)["counter"][0])
	transport.Directory = tcp.Table{"counter": {"203.0.113.1:" + port}}
	transport.Host = "127.0.0.1"
	l, err := transport.Listen(t.Context(), counter)
	if err != nil {
		t.Fatalf("listen at the Host of this machine: %v", err)
	}
	defer l.Close()
	if got, want := l.Addr().String(), "127.0.0.1:"+port; got != want {
		t.Errorf("listen at the Host of this machine: got the address %s, want %s", got, want)
	}
}

// The names in a certificate decide who may connect, at both sides.
func TestTransportTellsNamesToAuthorizers(t *testing.T) {
	transport := transport(t)
	listen(t, transport, func(c *socket.Config) {
		c.Clients = socket.Named("CLIENT.example.org")
		c.Hooks.Opened = func(c *socket.Connection) {
			if peer, _ := c.Peer().Get(); peer.String() != "a process with the names client.example.org, localhost, 127.0.0.1" {
				t.Errorf("the peer of a connection: got %v, want the names in its certificate", peer)
			}
		}
	})
	ask := func(servers socket.Authorizer) error {
		ipc := socket.New(socket.Config{Transport: transport, ClientConfig: socket.ClientConfig{Servers: servers}})
		return fold.Then(ipc.ConnectTo(t.Context(), counter), socket.Closing(t.Context(), socket.Request(t.Context(), socket.Text("hello")))).Err()
	}
	if err := ask(socket.Named("client.example.org")); err != nil {
		t.Errorf("a request between two sides with accepted names: got %v", err)
	}
	refused(t, "connect to a server without an accepted name", ask(socket.Named("other.example.org")), socket.ErrUntrusted)
	refused(t, "connect to a server without a user", ask(socket.Users("root")), socket.ErrUntrusted)
	refused(t, "connect with an authorizer without names", ask(socket.Named()), socket.ErrInvalid)
}

func TestTransportRefusesNames(t *testing.T) {
	transport := transport(t)
	listen(t, transport, func(c *socket.Config) { c.Clients = socket.Named("other.example.org") })
	_, err := socket.New(socket.Config{Transport: transport}).ConnectTo(t.Context(), counter).Get()
	refused(t, "connect without an accepted name", err, socket.ErrRefused)
}

// Each name of a certificate has its own limit of connections.
func TestTransportLimitsConnectionsOfAName(t *testing.T) {
	transport := transport(t)
	listen(t, transport, func(c *socket.Config) { c.MaxPerUser = 1 })
	ipc := socket.New(socket.Config{Transport: transport})
	first, err := ipc.ConnectTo(t.Context(), counter).Get()
	if err != nil {
		t.Fatalf("the first connection: %v", err)
	}
	defer first.Close(t.Context())
	_, err = ipc.Dial(t.Context(), counter).Get()
	refused(t, "a second connection of the same name", err, socket.ErrBusy)
}

// A client that says nothing does not keep others out.
func TestListenerHandshakesSideBySide(t *testing.T) {
	transport := transport(t)
	l, err := transport.Listen(t.Context(), counter)
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	defer l.Close()
	defer dialTCP(t, l).Close()
	conn, err := transport.Dial(t.Context(), counter)
	if err != nil {
		t.Fatalf("dial while another handshake is in progress: %v", err)
	}
	conn.Close()
}

func TestListenerBoundsHandshakes(t *testing.T) {
	transport := transport(t)
	transport.HandshakeTimeout = time.Millisecond
	transport.Log = slog.New(slog.DiscardHandler)
	l, err := transport.Listen(t.Context(), counter)
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	defer l.Close()
	silent := dialTCP(t, l)
	defer silent.Close()
	if n, err := silent.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("read from a server that got no handshake in time: got %d bytes, %v, want its end", n, err)
	}
}

// dialTCP connects without TLS.
func dialTCP(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatalf("dial without TLS: %v", err)
	}
	return conn
}

// Close ends handshakes and closes connections that nobody has accepted.
func TestListenerCloseLeavesNothing(t *testing.T) {
	transport := transport(t)
	l, err := transport.Listen(t.Context(), counter)
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	done, err := transport.Dial(t.Context(), counter)
	if err != nil {
		t.Fatalf("dial the listener: %v", err)
	}
	silent := dialTCP(t, l)
	l.Close()
	for what, conn := range map[string]net.Conn{"was not accepted": done, "has no handshake": silent} {
		if n, err := conn.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Errorf("read from a connection that %s, after the listener was closed: got %d bytes, %v, want its end", what, n, err)
		}
		conn.Close()
	}
}
