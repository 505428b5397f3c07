package socket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
)

// known is a connection that knows who is at its other end.
type known struct {
	net.Conn
	peer Peer
	err  error
}

func (k known) Peer() (Peer, error) { return k.peer, k.err }

// dialAs connects a client played by hand that the server takes for a peer.
func (s *served[C]) dialAs(peer Peer, err error) *peerEnd {
	ours, theirs := newPipe(s.limit)
	s.listener.waiting <- known{theirs, peer, err}
	return &peerEnd{newPeer(s.t, ours)}
}

type peerEnd struct{ *peer }

// refused asserts that nothing came before the end, in a bubble.
func (p *peerEnd) refused(why string) {
	p.t.Helper()
	p.expect("close: reason="+why, "EOF")
	p.conn.Close()
	synctest.Wait()
}

// stranger is a user that is neither this one nor root.
var stranger = Peer{PID: 7, UID: os.Geteuid() + 1000, GID: 1000, Groups: []int{50, 60}}

// logging is a config whose log is kept.
func logging(config Config) (Config, *bytes.Buffer) {
	log := new(bytes.Buffer)
	config.Log = slog.New(slog.NewTextHandler(log, nil))
	return config, log
}

func TestAuthorizerClosesStrangersUnheard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config, log := logging(Config{})
		server := serve(t, config, fold.Sum[int](), echo)
		server.dialAs(stranger, nil).refused("refused")
		for _, expected := range []string{"connection refused", "level=WARN", stranger.String(), "peer.pid=7"} {
			if !strings.Contains(log.String(), expected) {
				t.Errorf("%q does not say %q", log, expected)
			}
		}
		time.Sleep(time.Second)
		server.dialAs(Peer{}, errors.New("lost it")).refused("refused") // it should be known
		contains(t, "the log of a client whose peer is unknown", log.String(), "lost it")
		for _, ours := range []Peer{{UID: os.Geteuid()}, {UID: 0}} {
			server.dialAs(ours, nil).greet().leave()
		}
		server.dialAs(Peer{}, errors.ErrUnsupported).greet().leave() // the transport has no users
		server.end()
		interrupted(t, <-server.result, 0, context.Canceled)
	})
}

func TestHandlersKnowThePeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen []fold.Maybe[Peer]
		server := serve(t, Config{ServerConfig: ServerConfig{Clients: Anyone}}, fold.Sum[int](), func(m Message, c Continuation[int], n int) Continuation[int] {
			seen = append(seen, c.Connection().Peer())
			return c.CarryWith(n + 1)
		})
		client := server.dialAs(stranger, nil).greet()
		client.send("one")
		client.expect("ack")
		client.leave()
		other := server.dial().greet()
		other.send("two")
		other.expect("ack")
		other.leave()
		if got := fmt.Sprint(seen); got != fmt.Sprint([]fold.Maybe[Peer]{fold.Just(stranger), fold.Nothing[Peer]()}) {
			t.Errorf("the handler saw the peers %s, want a stranger and an unknown one", got)
		}
		server.end()
		interrupted(t, <-server.result, 2, context.Canceled)
	})
}

func TestAuthorizers(t *testing.T) {
	number := fmt.Sprint(stranger.UID)
	own := errors.New("not today")
	for name, test := range map[string]struct {
		who  Authorizer
		let  bool // the stranger in
		none bool // a peer in that is not known
	}{
		"the default":         {oursOrUnknown(), false, true},
		"anyone":              {Anyone, true, true},
		"the user":            {Users("0", number), true, false},
		"other users":         {Users("4294967294"), false, false},
		"no users":            {Users(), false, false},
		"no such user":        {Users(number, "no such user"), false, false},
		"the effective group": {Groups("1000"), true, false},
		"another group of it": {Groups("1", "60"), true, false},
		"other groups":        {Groups("1"), false, false},
		"no such group":       {Groups("60", "no such group"), false, false},
		"one of two":          {AnyOf(Groups("1"), Users(number)), true, false},
		"none of two":         {AnyOf(Groups("1"), Users("4294967294")), false, false},
		"none of none":        {AnyOf(), false, false},
		"one's own": {func(_ net.Conn, p fold.Maybe[Peer]) error {
			if p.IsJust() {
				return nil
			}
			return fmt.Errorf("%w: %w", fs.ErrPermission, own)
		}, true, false},
	} {
		for peer, let := range map[string]bool{"stranger": test.let, "unknown": test.none} {
			who := fold.MaybeOf(stranger, peer == "stranger")
			if err := test.who(nil, who); (err == nil) != let || err != nil && !errors.Is(err, fs.ErrPermission) {
				t.Errorf("ask the authorizer %s for the peer %s: got the error %v, want it let in: %v", name, peer, err, let)
			}
		}
		if err := test.who(nil, fold.Just(Peer{UID: os.Geteuid()})); (err == nil) != (test.who.check() == nil) {
			t.Errorf("%s, of which check says %v, says of this user itself: %v", name, test.who.check(), err)
		}
	}
}

func TestMaxConnectionsMakesOthersWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config, log := logging(Config{ServerConfig: ServerConfig{MaxConnections: 2}})
		server := serve(t, config, fold.Sum[int](), echo)
		first, second := server.dial().greet(), server.dial().greet()
		third := server.dial()
		synctest.Wait()
		if n := len(third.conn.(*pipeConn).in.data); n > 0 || strings.Count(log.String(), "as many connections as may be") != 1 {
			t.Errorf("one client too many: %d bytes were sent to it, and the log is %q; want none, and one line about it", n, log)
		}
		first.leave()
		third.greet().leave()
		second.leave()
		for range 5 { // slots are free again
			server.dial().greet().leave()
		}
		server.dial().greet()
		server.dial().greet()
		server.dial()
		synctest.Wait()
		start := time.Now()
		server.end() // while one waits
		interrupted(t, <-server.result, 0, context.Canceled)
		if time.Since(start) > time.Second { // the grace
			t.Errorf("a server that ends while a client waits took %v, want the grace at most", time.Since(start))
		}
	})
}

func TestMaxPerUserLimitsTheConnectionsOfAnotherUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config, log := logging(Config{ServerConfig: ServerConfig{MaxPerUser: 2, Clients: Anyone}})
		server := serve(t, config, fold.Sum[int](), echo)
		first := server.dialAs(stranger, nil).greet()
		second := server.dialAs(stranger, nil).greet()
		server.dialAs(stranger, nil).refused("too-many")
		contains(t, "the log of one client too many of a user", log.String(), fmt.Sprintf("user %d has 2 connections", stranger.UID))
		another := stranger
		another.UID++
		server.dialAs(another, nil).greet().leave()
		for range 3 {
			defer server.dialAs(Peer{UID: os.Geteuid()}, nil).greet().leave()
			defer server.dial().greet().leave()
		}
		first.conn.Close()
		synctest.Wait()
		server.dialAs(stranger, nil).greet().leave()
		second.leave()
	})
}

func TestLogIsNotFilledByStrangers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config, log := logging(Config{})
		server := serve(t, config, fold.Sum[int](), echo)
		for range 100 {
			server.dialAs(stranger, nil).refused("refused")
		}
		time.Sleep(time.Second)
		server.dialAs(stranger, nil).refused("refused")
		if got := log.String(); strings.Count(got, "refused") != 2 || !strings.Contains(got, "omitted=99") {
			t.Errorf("the log of 101 strangers is %q, want two lines of which one says omitted=99", got)
		}
	})
}

func TestAuthorizerThatPanicsLeavesNothingOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener := newMemoryListener()
		client, err := listener.dial(0)
		if err != nil {
			t.Fatalf("dial the listener: %v", err)
		}
		panics := func(f func()) {
			defer func() {
				if recover() != "mine" {
					t.Error("the authorizer's panic did not reach its caller, want it to")
				}
			}()
			f()
		}
		mine := func(net.Conn, fold.Maybe[Peer]) error { panic("mine") }
		panics(func() { New(Config{ServerConfig: ServerConfig{Clients: mine}}).Accept(listener).Run(t.Context()) })
		newPeer(t, client).expect("EOF")

		transport := newMemory(0)
		servers, err := transport.Listen(t.Context(), remote)
		if err != nil {
			t.Fatalf("listen on the transport: %v", err)
		}
		panics(func() {
			New(Config{Transport: transport, ClientConfig: ClientConfig{Servers: mine}}).ConnectTo(t.Context(), remote)
		})
		server, err := servers.Accept()
		if err != nil {
			t.Fatalf("accept the client: %v", err)
		}
		newPeer(t, server).expect("EOF")
	})
}

func TestAuthorizerOfAServerOnAnotherTransportIsAsked(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen on TCP: %v", err)
	}
	dial := func() net.Conn {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatalf("dial over TCP: %v", err)
		}
		return conn
	}
	stranger, friend := dial(), dial()
	defer stranger.Close()
	refused := make(chan Refusal, 1)
	config := Config{
		ServerConfig: ServerConfig{
			Clients: func(conn net.Conn, peer fold.Maybe[Peer]) error {
				if peer.IsJust() || conn.RemoteAddr().String() != friend.LocalAddr().String() {
					return fmt.Errorf("%w: %v at %v", fs.ErrPermission, peer, conn.RemoteAddr())
				}
				return nil
			},
		},
		Hooks: Hooks{ServerHooks: ServerHooks{Refused: func(r Refusal) { refused <- r }}},
	}
	result := make(chan fold.Attempt[int])
	serving, end := context.WithCancel(ctx)
	go func() {
		result <- ServeConnections(New(config).Accept(listener), fold.Sum[int]()).With(serving, echo)
	}()
	newPeer(t, stranger).expect("close: reason=refused", "EOF")
	if r := <-refused; r.Name != listener.Addr().String() || Reason(r.Err) != "not_allowed" || !strings.Contains(r.Err.Error(), stranger.LocalAddr().String()) {
		t.Errorf("the hook was told of the refusal %+v, want not_allowed for %v at %v", r, stranger.LocalAddr(), listener.Addr())
	}
	receives(t, "request hello as a friend", fold.Then(New(Config{}).Attach(ctx, friend), Closing(ctx, Request(ctx, Text("hello")))), "echo: hello")
	end()
	interrupted(t, <-result, 1, context.Canceled)
}

func TestPeersInWords(t *testing.T) {
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("", "peer", Peer{PID: 7, UID: 8, GID: 9})
	contains(t, "the log of a peer", log.String(), "peer.pid=7 peer.uid=8 peer.gid=9")
	if got := fmt.Sprint(Peer{PID: 7, UID: 8}, Peer{UID: 8}); got != "process 7 of user 8 a process of user 8" {
		t.Errorf("peers print as %q, want the process if it is known, and the user", got)
	}
}

func TestAcceptorForgetsUsersThatLeft(t *testing.T) {
	config := Config{ServerConfig: ServerConfig{MaxConnections: -1}}.withDefaults()
	d := newAcceptor(&config, "counter", newMemoryListener())
	for uid := range 100 {
		a := admission{peer: &Peer{UID: os.Geteuid() + 1 + uid}, acceptor: d}
		if err := d.count(a); err != nil {
			t.Errorf("counting a connection in: %v", err)
		}
		d.release(a)
	}
	if len(d.perUser) != 0 {
		t.Errorf("%d users are remembered after all have left, want none", len(d.perUser))
	}
}
