package nats_test

import (
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsio "github.com/nats-io/nats.go"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/nats"
	"github.com/rxipc/rxipc/socket/nats/broker"
)

// Of several that want a name at the same time, one gets it.
func TestListenAtTheSameTime(t *testing.T) {
	b := startBroker(t)
	errs := make(chan error)
	const listeners = 8
	var begin sync.WaitGroup
	begin.Add(1)
	for range listeners {
		transport := nats.Transport(connect(t, b), nats.Config{Discovery: 3 * time.Second})
		go func() {
			begin.Wait()
			l, err := transport.Listen(t.Context(), counter)
			if err == nil {
				t.Cleanup(func() { l.Close() })
			}
			errs <- err
		}()
	}
	begin.Done()
	won := 0
	for range listeners {
		if err := <-errs; err == nil {
			won++
		} else {
			fails(t, "listen while others do", err, socket.ErrInUse)
		}
	}
	if won != 1 {
		t.Errorf("listeners that got the name: got %d of %d, want 1", won, listeners)
	}
}

// Two that hold a name, since they could not hear of each other in time, are one soon.
func TestListenerThatFindsAnother(t *testing.T) {
	b := startBroker(t)
	ended := make(chan error, 2)
	for range 2 {
		conn := connect(t, b)
		l := listen(t, nats.Transport(conn, nats.Config{Discovery: time.Nanosecond, KeepAlive: 50 * time.Millisecond, Prefix: "p"}), counter)
		go func() {
			_, err := l.Accept()
			ended <- err
		}()
	}
	fails(t, "accept as one of two that hold the name", <-ended, socket.ErrInUse)
	open, err := nats.Transport(connect(t, b), nats.Config{Prefix: "p"}).Dial(t.Context(), counter)
	if err != nil {
		t.Fatalf("dial the other one: %v", err)
	}
	open.Close()
	if err := <-ended; err != nil {
		t.Errorf("accept as the other one: got %v, want a connection", err)
	}
}

func TestListenersThatShareAName(t *testing.T) {
	b := startBroker(t)
	sharing := nats.Config{Share: true}
	first := listen(t, nats.Transport(connect(t, b), sharing), counter)
	second := listen(t, nats.Transport(connect(t, b), sharing), counter)
	_, err := nats.Transport(connect(t, b), nats.Config{}).Listen(t.Context(), counter)
	fails(t, "listen alone on a name that is shared", err, socket.ErrInUse)

	got := make(chan int, 1)
	for i, l := range []net.Listener{first, second} {
		go func() {
			for c, err := l.Accept(); err == nil; c, err = l.Accept() {
				c.Close()
				got <- i
			}
		}()
	}
	transport := nats.Transport(connect(t, b), nats.Config{})
	counts := make(map[int]int)
	for len(counts) < 2 { // the broker chooses by chance
		c, err := transport.Dial(t.Context(), counter)
		if err != nil {
			t.Fatalf("dial a shared name: %v", err)
		}
		c.Close()
		counts[<-got]++
	}
	first.Close()
	for range 5 {
		c, err := transport.Dial(t.Context(), counter)
		if err != nil {
			t.Fatalf("dial a name that one of two still has: %v", err)
		}
		c.Close()
		if who := <-got; who != 1 {
			t.Errorf("dial after the first listener was closed: got it, want the second")
		}
	}
}

func TestListenerSharesOnlyWithThoseWhoShare(t *testing.T) {
	b := startBroker(t)
	listen(t, nats.Transport(connect(t, b), nats.Config{}), counter)
	_, err := nats.Transport(connect(t, b), nats.Config{Share: true}).Listen(t.Context(), counter)
	fails(t, "share a name that another has alone", err, socket.ErrInUse)
}

// withUsers makes a broker that lets each user publish as themselves only, as the documentation of
// the package shows it.
func withUsers(o *server.Options) {
	for _, user := range []string{"alice", "bob", "server"} {
		p := &server.Permissions{
			Publish:   &server.SubjectPermission{Allow: []string{"rxipc.open.*." + user, "rxipc.to.*.*.*." + user, "rxipc.names." + user}},
			Subscribe: &server.SubjectPermission{Allow: []string{"rxipc.to." + user + ".>"}},
		}
		if user == "server" {
			p.Publish.Allow = append(p.Publish.Allow, "rxipc.who.*."+user)
			p.Subscribe.Allow = append(p.Subscribe.Allow, "rxipc.open.counter.*", "rxipc.who.counter.*", "rxipc.names.*")
		}
		o.Users = append(o.Users, &server.User{Username: user, Password: "secret of " + user, Permissions: p})
	}
}

// as returns a transport of a user who says to be another.
func as(t *testing.T, b *broker.Broker, user, says string) socket.Transport {
	t.Helper()
	conn := connect(t, b, natsio.UserInfo(user, "secret of "+user), natsio.ErrorHandler(func(*natsio.Conn, *natsio.Subscription, error) {}))
	return nats.Transport(conn, nats.Config{User: says, DialTimeout: 500 * time.Millisecond})
}

func TestPeerIsTheUserOfTheBroker(t *testing.T) {
	b := startBroker(t, withUsers)
	l := listen(t, as(t, b, "server", "server"), counter)
	s := open(t, as(t, b, "alice", "alice"), l)
	type known interface{ Peer() (socket.Peer, error) }
	for conn, want := range map[known]string{s.server.(known): "alice", s.client.(known): "server"} {
		peer, err := conn.Peer()
		if err != nil || len(peer.Names) != 1 || peer.Names[0] != want || peer.UID != -1 {
			t.Errorf("peer of a connection: got %+v, %v, want the name %s", peer, err, want)
		}
	}
	passes(t, s.client, s.server, "hello")

	_, err := as(t, b, "bob", "alice").Dial(t.Context(), counter)
	fails(t, "dial as bob in the name of alice", err, socket.ErrRefused)
	_, err = as(t, b, "alice", "alice").Listen(t.Context(), counter)
	fails(t, "listen as a user who may not", err, socket.ErrRefused)
}

func TestPeerIsUnknownWithoutUsers(t *testing.T) {
	b := startBroker(t)
	s := session(t, connect(t, b), connect(t, b), nats.Config{})
	_, err := s.server.(interface{ Peer() (socket.Peer, error) }).Peer()
	fails(t, "peer of a connection without Config.User", err, errors.ErrUnsupported)
}

func TestPeerDecidesWhoMayConnect(t *testing.T) {
	b := startBroker(t, withUsers)
	serve(t, socket.Config{
		Transport:    as(t, b, "server", "server"),
		ServerConfig: socket.ServerConfig{Clients: socket.Named("alice")},
	})
	trusting := socket.ClientConfig{Servers: socket.Named("server")}
	alice := socket.New(socket.Config{Transport: as(t, b, "alice", "alice"), ClientConfig: trusting})
	p, err := alice.ConnectTo(t.Context(), counter).Get()
	if err != nil {
		t.Fatalf("connect as alice: %v", err)
	}
	p.Close(t.Context())
	bob := socket.New(socket.Config{Transport: as(t, b, "bob", "bob"), ClientConfig: trusting})
	_, err = bob.ConnectTo(t.Context(), counter).Get()
	fails(t, "connect as bob to a server for alice", err, socket.ErrRefused)
}
