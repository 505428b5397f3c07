package socket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/rxipc/rxipc/socket/internal/wire"
	"github.com/rxipc/rxipc/stream"
)

// strictPHP is a server of innmind/ipc 5.x that responds to each message, as far as a client
// notices: it acknowledges, responds, and then takes nothing but the acknowledgement of its
// response. Anything else ends it, for everybody.
type strictPHP struct {
	listener net.Listener
	dialect  wire.Kind
	ended    chan struct{}

	mu    sync.Mutex
	died  string // of what
	conns []net.Conn
}

func serveStrictPHP(t *testing.T, transport *memory, dialect wire.Kind) *strictPHP {
	listener, err := transport.Listen(t.Context(), remote)
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	s := &strictPHP{listener: listener, dialect: dialect, ended: make(chan struct{})}
	go func() {
		defer close(s.ended)
		var serving sync.WaitGroup
		defer serving.Wait()
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns = append(s.conns, conn)
			s.mu.Unlock()
			serving.Go(func() { s.serve(conn) })
		}
	}()
	return s
}

// serve plays one connection.
func (s *strictPHP) serve(conn net.Conn) {
	defer conn.Close()
	reader := &wire.Reader{Limit: 1 << 20}
	conn.Write(encode(wire.KindStart))
	awaits := false // the acknowledgement of a response
	for {
		f, err := reader.ReadFrame(conn)
		switch {
		case err != nil:
			return
		case f.Kind == wire.KindClose:
			conn.Write(encode(wire.KindCloseOK))
			return
		case f.Kind == wire.KindHeartbeat, f.Kind == wire.KindStartOK:
		case awaits && f.Kind == wire.KindAck:
			awaits = false
		case f.Kind != wire.KindMessage || awaits:
			s.die(describe(f))
			return
		default:
			conn.Write(encode(s.dialect)) // a write of its own
			conn.Write(encode("re " + f.Message.Content))
			awaits = s.dialect == wire.KindAck
		}
	}
}

// die ends the server for all its clients.
func (s *strictPHP) die(of string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.died = of
	s.listener.Close()
	for _, conn := range s.conns {
		conn.Close()
	}
}

// stop ends it, and fails the test if something else has before.
func (s *strictPHP) stop(t *testing.T) {
	t.Helper()
	s.listener.Close()
	<-s.ended
	if s.died != "" {
		t.Errorf("the server of PHP died of %s in place of an acknowledgement", s.died)
	}
}

// requesters make a thousand requests, each in its way, and give the responses.
var requesters = map[string]func(t *testing.T, ipc *IPC, messages []Message) []Message{
	"Request one by one": func(t *testing.T, ipc *IPC, messages []Message) (all []Message) {
		p := connected(t, ipc)
		defer p.Close(t.Context())
		for _, m := range messages {
			answer, err := p.Request(t.Context(), m).Get()
			if err != nil {
				t.Errorf("request %s: %v", m.Content(), err)
			}
			all = append(all, answer)
		}
		return all
	},
	"Request from many goroutines": func(t *testing.T, ipc *IPC, messages []Message) []Message {
		p := connected(t, ipc)
		defer p.Close(t.Context())
		return together(t, messages, func(m Message) (Message, error) { return p.Request(t.Context(), m).Get() })
	},
	"RequestAll": func(t *testing.T, ipc *IPC, messages []Message) []Message {
		p := connected(t, ipc)
		defer p.Close(t.Context())
		all, err := p.RequestAll(stream.FromSlice(messages)).Collect(t.Context())
		if err != nil {
			t.Errorf("RequestAll: %v", err)
		}
		return all
	},
	"RequestAll beside Request": func(t *testing.T, ipc *IPC, messages []Message) []Message {
		p := connected(t, ipc)
		defer p.Close(t.Context())
		half := len(messages) / 2
		var first []Message
		var beside sync.WaitGroup
		beside.Go(func() {
			var err error
			if first, err = p.RequestAll(stream.FromSlice(messages[:half])).Collect(t.Context()); err != nil {
				t.Errorf("RequestAll: %v", err)
			}
		})
		rest := together(t, messages[half:], func(m Message) (Message, error) { return p.Request(t.Context(), m).Get() })
		beside.Wait()
		return append(first, rest...)
	},
	"Pool": func(t *testing.T, ipc *IPC, messages []Message) []Message {
		pool := ipc.Pool(remote, PoolConfig{InFlight: 10})
		defer closePool(t, pool)
		return together(t, messages, func(m Message) (Message, error) { return pool.Request(t.Context(), m).Get() })
	},
}

func connected(t *testing.T, ipc *IPC) *Process {
	t.Helper()
	p, err := ipc.ConnectTo(t.Context(), remote).Get()
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	return p
}

// together makes requests on as many goroutines.
func together(t *testing.T, messages []Message, request func(Message) (Message, error)) []Message {
	answers := make([]Message, len(messages))
	var all sync.WaitGroup
	for i, m := range messages {
		all.Go(func() {
			var err error
			if answers[i], err = request(m); err != nil {
				t.Errorf("request %s: %v", m.Content(), err)
			}
		})
	}
	all.Wait()
	return answers
}

func TestPHPServerOutlivesAThousandRequests(t *testing.T) {
	for _, dialect := range []wire.Kind{wire.KindAck, wire.KindReceived} {
		for name, request := range requesters {
			t.Run(name+" "+shortKinds[dialect], func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					transport := newMemory(0)
					server := serveStrictPHP(t, transport, dialect)
					var want []Message
					for i := range 1000 {
						want = append(want, Text(fmt.Sprint("re ", i)))
					}
					same(t, request(t, New(Config{Transport: transport}), texts(1000)), want...)
					server.stop(t)
				})
			})
		}
	}
}

func TestPHPServerGetsNoRequestBeforeTheOneThatWasGivenUpIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := newPipe(0)
		server := newPeer(t, theirs)
		server.send(wire.KindStart)
		p, err := New(Config{Heartbeat: -1}).Attach(t.Context(), ours).Get()
		if err != nil {
			t.Fatalf("attach: %v", err)
		}
		given := errors.New("given up")
		ctx, cancel := context.WithCancelCause(t.Context())
		done := make(chan error, 3)
		go func() { done <- p.Request(ctx, Text("slow")).Err() }()
		server.expect("start-ok", `"slow"`)
		server.send(wire.KindAck)
		synctest.Wait()
		cancel(given)
		if err := <-done; !errors.Is(err, given) {
			t.Errorf("the request that was given up failed with %v, want %v", err, given)
		}
		impatient, cancel := context.WithCancelCause(t.Context())
		go func() { done <- p.Request(impatient, Text("impatient")).Err() }()
		synctest.Wait()
		cancel(given)
		if err := <-done; !errors.Is(err, given) || !strings.Contains(err.Error(), "one message at a time") || sendError(t, err).Sent != 0 {
			t.Errorf("the request behind it failed with %v, want %v, not sent, and why it waited", err, given)
		}
		go func() { done <- p.Request(t.Context(), Text("next")).Err() }()
		synctest.Wait()
		server.send("re slow")
		server.expect("ack", `"next"`)
		server.send(wire.KindAck, "re next")
		if err := <-done; err != nil {
			t.Errorf("the request after its answer failed with %v, want no error", err)
		}
		theirs.Close()
	})
}

func TestPHPServerThatDiesOfASecondSendIsExplained(t *testing.T) {
	for name, test := range map[string]struct {
		acknowledgement wire.Kind
		explained       bool
	}{"5.x": {wire.KindAck, true}, "4.4": {wire.KindReceived, false}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ours, theirs := newPipe(0)
				server := newPeer(t, theirs)
				server.send(wire.KindStart)
				p, err := New(Config{Heartbeat: -1}).Attach(t.Context(), ours).Get()
				if err != nil {
					t.Fatalf("attach: %v", err)
				}
				go func() {
					server.expect("start-ok", `"0"`)
					server.send(test.acknowledgement)
					server.expect(`"1"`)
					server.conn.Close()
				}()
				err = p.Send(t.Context(), texts(3)...).Err()
				says := "innmind/ipc 5.x that responds ends"
				if got := err != nil && strings.Contains(err.Error(), says); got != test.explained || !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("the server is gone, and Send fails with %v, want it to say %q: %v", err, says, test.explained)
				}
			})
		})
	}
}
