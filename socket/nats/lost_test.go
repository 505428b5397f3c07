package nats_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsio "github.com/nats-io/nats.go"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/nats"
)

// A broker that is lost cuts the sessions of both sides. When it is there again, so is the name.
func TestBrokerLostAndFound(t *testing.T) {
	b := startBroker(t, onLoopback)
	port := b.Server().Addr().(*net.TCPAddr).Port
	near, far := dial(t, b.Server().ClientURL()), dial(t, b.Server().ClientURL())
	transport := nats.Transport(near, nats.Config{})
	l := listen(t, nats.Transport(far, nats.Config{}), counter)
	s := open(t, transport, l)
	b.Close()
	readFails(t, "read after the broker was lost", s.client, syscall.ECONNRESET)
	readFails(t, "read at the other side", s.server, syscall.ECONNRESET)
	_, err := s.client.Write([]byte("x"))
	fails(t, "write after the broker was lost", err, syscall.ECONNRESET)
	_, err = transport.Dial(t.Context(), counter)
	fails(t, "dial while the broker is lost", err, socket.ErrNotListening)

	startBroker(t, func(o *server.Options) { o.Port = port }, onLoopback)
	s = open(t, retrying{transport}, l)
	passes(t, s.client, s.server, "again")
}

// retrying is a transport that dials until somebody listens.
type retrying struct{ socket.Transport }

func (r retrying) Dial(ctx context.Context, name socket.Name) (net.Conn, error) {
	for {
		conn, err := r.Transport.Dial(ctx, name)
		if !errors.Is(err, socket.ErrNotListening) {
			return conn, err
		}
		time.Sleep(time.Millisecond)
	}
}

// A process that lost its connection to the broker for a moment ends its sessions, and tells the
// other side.
func TestConnCutByAConnectionThatWasLost(t *testing.T) {
	b := startBroker(t, onLoopback)
	link := newProxy(t, b.Server().Addr().String())
	near, far := dial(t, link.url()), dial(t, b.Server().ClientURL())
	s := session(t, near, far, nats.Config{KeepAlive: time.Hour})
	link.cut()
	readFails(t, "read after this side's connection was lost", s.client, syscall.ECONNRESET)
	readFails(t, "read at the side that is still connected", s.server, syscall.ECONNRESET)
}

// A network that passes nothing any more ends the sessions of both sides after three periods, and
// keeps no call beyond its deadline.
func TestPartitionEndsSessions(t *testing.T) {
	b := startBroker(t, onLoopback)
	link := newProxy(t, b.Server().Addr().String())
	near, far := dial(t, link.url()), dial(t, b.Server().ClientURL())
	config := nats.Config{KeepAlive: 200 * time.Millisecond}
	transport := nats.Transport(near, config)
	l := listen(t, nats.Transport(far, config), counter)
	s := open(t, transport, l)
	passes(t, s.client, s.server, "before")
	link.stop()
	readFails(t, "read at one side of a partition", s.client, syscall.ECONNRESET)
	readFails(t, "read at the other side", s.server, syscall.ECONNRESET)
	s.client.Close()

	link.goOn()
	s = open(t, retrying{transport}, l)
	passes(t, s.client, s.server, "after")
}

// gate is a dialer whose connections take no bytes while it is closed.
type gate struct{ closed chan struct{} }

type gatedConn struct {
	net.Conn
	gate *gate
}

func (g *gate) Dial(network, address string) (net.Conn, error) {
	conn, err := net.Dial(network, address)
	return gatedConn{conn, g}, err
}

func (c gatedConn) Write(p []byte) (int, error) {
	c.gate.closed <- struct{}{}
	<-c.gate.closed
	return c.Conn.Write(p)
}

// A connection to NATS that takes no bytes keeps no call of a session beyond its deadline.
func TestConnOverAConnectionThatIsStuck(t *testing.T) {
	b := startBroker(t, onLoopback)
	g := &gate{make(chan struct{}, 1)}
	near, far := dial(t, b.Server().ClientURL(), natsio.SetCustomDialer(g)), dial(t, b.Server().ClientURL())
	s := session(t, near, far, nats.Config{})
	g.closed <- struct{}{} // the next write waits
	defer func() { <-g.closed }()
	if _, err := s.client.Write([]byte("x")); err != nil {
		t.Fatalf("write: %v", err)
	}
	s.client.SetDeadline(time.Now().Add(50 * time.Millisecond))
	_, err := s.client.Write(make([]byte, 1<<20))
	fails(t, "write while the connection takes nothing", err, os.ErrDeadlineExceeded)
	readFails(t, "read meanwhile", s.client, os.ErrDeadlineExceeded)
	if err := s.client.Close(); err != nil {
		t.Errorf("close meanwhile: got %v", err)
	}
}

// A slow link delays, and loses nothing: the broker never has more for it than the windows.
func TestSlowLinkLosesNothing(t *testing.T) {
	b := startBroker(t, onLoopback, func(o *server.Options) { o.MaxPending = 1 << 20 })
	link := newProxy(t, b.Server().Addr().String())
	near, far := dial(t, b.Server().ClientURL()), dial(t, link.url())
	config := nats.Config{InFlight: 256 << 10, KeepAlive: time.Minute}
	s := session(t, near, far, config)
	link.slow()
	sent := make([]byte, 4<<20)
	for i := range sent {
		sent[i] = byte(i ^ i>>8 ^ i>>16)
	}
	go func() {
		s.client.Write(sent)
		s.client.Close()
	}()
	got, err := io.ReadAll(s.server)
	if err != nil || string(got) != string(sent) {
		t.Errorf("read over a slow link: got %d bytes, equal %t, %v, want %d", len(got), string(got) == string(sent), err, len(sent))
	}
	if n := b.Server().NumSlowConsumers(); n != 0 {
		t.Errorf("slow consumers at the broker: got %d, want none", n)
	}
}

// proxy passes the bytes of connections to a broker.
type proxy struct {
	t        *testing.T
	listener net.Listener
	to       string

	mu    sync.Mutex
	open  chan struct{} // closed while bytes pass
	delay time.Duration // of each part
	conns []net.Conn
}

func newProxy(t *testing.T, to string) *proxy {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	p := &proxy{t: t, listener: l, to: to, open: make(chan struct{})}
	close(p.open)
	t.Cleanup(func() { l.Close(); p.goOn(); p.cut() })
	go p.accept()
	return p
}

func (p *proxy) url() string { return "nats://" + p.listener.Addr().String() }

func (p *proxy) accept() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", p.to)
		if err != nil {
			near.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, near, far)
		p.mu.Unlock()
		go p.pass(near, far)
		go p.pass(far, near)
	}
}

func (p *proxy) pass(from, to net.Conn) {
	part := make([]byte, 16<<10)
	for {
		n, err := from.Read(part)
		p.mu.Lock()
		open, delay := p.open, p.delay
		p.mu.Unlock()
		<-open
		if delay > 0 {
			time.Sleep(delay)
		}
		if _, failed := to.Write(part[:n]); err != nil || failed != nil {
			from.Close()
			to.Close()
			return
		}
	}
}

// stop passes nothing any more.
func (p *proxy) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = make(chan struct{})
}

// goOn passes bytes again, and those that waited.
func (p *proxy) goOn() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.open:
	default:
		close(p.open)
	}
}

// slow passes at most 16 KiB in 2 milliseconds.
func (p *proxy) slow() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = 2 * time.Millisecond
}

// cut closes all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
}
