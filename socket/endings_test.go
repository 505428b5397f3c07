package socket

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket/internal/wire"
)

// endings are what a handler does, by the message that it gets, and what its client is
// told: what the error is beside ErrDisconnected, and what it says.
var endings = map[string]struct {
	is   error
	says string
}{
	"reject":          {ErrRejected, "its handler rejected the first message"},
	"panic":           {ErrPanicked, "its handler panicked at the first message"},
	"answer too much": {ErrRejected, "its handler rejected the first message"},
	"close":           {ErrDisconnected, "the server closed the connection"},
	"finish":          {ErrDisconnected, "the server closed the connection"},
	"end":             {ErrShutdown, "it shuts down"},
	tooMuch:           {ErrTooLarge, "exceeds its limit of 1000 bytes"},
}

var (
	tooMuch   = strings.Repeat("x", 1001)
	errSecret = errors.New("the password is swordfish")
)

// endingServer serves a name in memory, and ends as it is told. end ends it from outside.
func endingServer(t *testing.T) (client *IPC, name Name, end context.CancelFunc, ended chan error) {
	transport, name := newMemory(0), MustParseName("ending")
	server := New(Config{Transport: transport, MaxMessage: 1000, Grace: time.Second})
	ctx, cancel := context.WithCancel(t.Context())
	ended = make(chan error, 1)
	go func() {
		ended <- Serve(server, name, fold.Sum[int]()).With(ctx, func(m Message, c Continuation[int], n int) Continuation[int] {
			switch m.Content() {
			case "reject":
				return c.Respond(Message{}) // cannot be sent
			case "panic":
				panic(errSecret)
			case "answer too much":
				return c.Respond(Text(tooMuch))
			case "close":
				c.Connection().Close()
			case "finish":
				return c.Finish()
			case "end":
				cancel()
			}
			return c.CarryWith(n + 1)
		}).Err()
	}()
	synctest.Wait()
	return New(Config{Transport: transport}), name, cancel, ended
}

// TestEndingsAreToldToTheClient has a server of ours end a session in each of its ways:
// Send, Request, Wait and Close say which it was, and nothing that is the server's own.
func TestEndingsAreToldToTheClient(t *testing.T) {
	for message, want := range endings {
		for _, call := range []string{"Send", "Request", "SendAll", "RequestAll"} {
			t.Run(message[:min(len(message), 20)]+" by "+call, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ipc, name, end, ended := endingServer(t)
					defer func() { end(); <-ended }()
					p, err := ipc.ConnectTo(t.Context(), name).Get()
					if err != nil {
						t.Fatal("connecting failed:", err)
					}
					defer p.Close(t.Context())
					err = callBy(t.Context(), call, p, Text(message))
					acknowledged := message == "close" || message == "finish" || message == "end"
					if call[0] == 'R' || !acknowledged { // else it was handled, and the end came behind
						says(t, call, err, []error{ErrDisconnected, want.is}, " ending: ", want.says)
						var e *SendError
						if !errors.As(err, &e) || e.Sent != 1 || (e.Acknowledged == 1) != acknowledged {
							t.Errorf("%s failed with %#v, want a SendError with 1 sent and acknowledged: %v", call, e, acknowledged)
						}
					}
					err = p.Wait(t.Context()).Err()
					says(t, "Wait", err, []error{ErrDisconnected, want.is}, "wait ending: ", want.says)
					if strings.Contains(err.Error(), "swordfish") {
						t.Errorf("the client was told what is the server's own: %v", err)
					}
				})
			})
		}
	}
}

// callBy sends a message in one of the ways that there are.
func callBy(ctx context.Context, call string, p *Process, m Message) error {
	one := func(_ context.Context, yield func(Message) bool) error { yield(m); return nil }
	switch call {
	case "Send":
		return p.Send(ctx, m).Err()
	case "Request":
		return p.Request(ctx, m).Err()
	case "SendAll":
		return p.SendAll(one).Run(ctx)
	}
	return p.RequestAll(one).Run(ctx)
}

// TestEndingsOfRefusedClients: a client that may not connect is told so at once, and one
// that has too many connections is told so when its time is up.
func TestEndingsOfRefusedClients(t *testing.T) {
	for _, test := range []struct {
		what   string
		config Config
		is     []error
		says   string
	}{
		{"a stranger", Config{}, []error{ErrRefused}, "this process may not connect"},
		{"one connection too many", Config{ServerConfig: ServerConfig{Clients: Anyone, MaxPerUser: 1}}, []error{ErrRefused, ErrBusy, context.DeadlineExceeded}, "highest allowed number of connections"},
	} {
		t.Run(test.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := serve(t, test.config, fold.Sum[int](), echo)
				transport := dialing(func() (net.Conn, error) {
					ours, theirs := newPipe(0)
					server.listener.waiting <- known{theirs, stranger, nil}
					return ours, nil
				})
				if test.config.Clients != nil {
					ours, _ := transport()
					first := newPeer(t, ours).greet()
					defer first.conn.Close()
				}
				ipc, name := New(Config{Transport: transport}), MustParseName("guarded")
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				says(t, "ConnectTo", ipc.ConnectTo(ctx, name).Err(), test.is, "connect guarded: ", test.says)
				pool := ipc.Pool(name, PoolConfig{})
				short, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				err := pool.Request(short, Text("hello")).Err()
				pool.Close(t.Context())
				says(t, "Pool.Request", err, test.is[:1], "request guarded: ", test.says)
				server.end()
				<-server.result
			})
		})
	}
}

// dialing is a transport that only dials.
type dialing func() (net.Conn, error)

func (d dialing) Dial(context.Context, Name) (net.Conn, error)       { return d() }
func (d dialing) Names(context.Context) ([]Name, error)              { return nil, nil }
func (d dialing) Listen(context.Context, Name) (net.Listener, error) { return nil, fs.ErrInvalid }

// TestEndingsOfOtherServersAreGuessed has a server that gives no reasons, of PHP perhaps,
// end a session in each of its ways while a request waits.
func TestEndingsOfOtherServersAreGuessed(t *testing.T) {
	for _, test := range []struct {
		what string
		does func(*peer)
		is   error
		says []string
	}{
		{"closes in good order", func(s *peer) { s.send(wire.KindClose) }, ErrDisconnected, []string{"the server closed the connection"}},
		{"leaves", func(s *peer) { s.conn.Close() }, io.ErrUnexpectedEOF, []string{"5000 bytes sent, but not acknowledged", "without a word", "may have", "larger than it takes"}},
		{"leaves inside a frame", func(s *peer) { s.send([]byte("\x00\x0ate")); s.conn.Close() }, io.ErrUnexpectedEOF, []string{"without a word"}},
		{"breaks the protocol", func(s *peer) { s.send([]byte(raw("text/plain", 2, "hi", 'A'))) }, ErrProtocol, []string{"ends with 0x41"}},
		{"sends too much", func(s *peer) { s.send([]byte(raw("text/plain", 1<<31, "", 0))) }, ErrTooLarge, []string{"the limit is 16777216"}},
		{"begins a frame and stops", func(s *peer) { s.send([]byte("\x00\x0ate")) }, ErrTooSlow, []string{"a frame took more than 30s"}},
	} {
		t.Run(test.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ours, theirs := newPipe(0)
				server := newPeer(t, theirs)
				server.send(wire.KindStart) // without the mark of a server of ours
				p, err := New(Config{}).Attach(t.Context(), ours).Get()
				if err != nil {
					t.Fatal("attaching failed:", err)
				}
				result := make(chan error)
				go func() { result <- p.Request(t.Context(), Text(strings.Repeat("x", 5000))).Err() }()
				synctest.Wait()
				test.does(server)
				says(t, "Request of a server that "+test.what, <-result, []error{test.is}, append(test.says, "socket: request: ")...)
				says(t, "Wait after that", p.Wait(t.Context()).Err(), []error{test.is}, "socket: wait: ")
				server.conn.Close()
			})
		})
	}
}

// TestEndingsOfAServerThatDies: one of ours says why it closes, so if it says nothing it died.
func TestEndingsOfAServerThatDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := attached(t, Config{}, 0)
		server.conn.Close()
		says(t, "Wait", p.Wait(t.Context()).Err(), []error{io.ErrUnexpectedEOF}, "it died or was killed")
	})
}

// TestEndingsFromHere are those that the client brings about itself.
func TestEndingsFromHere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := attached(t, Config{ClientConfig: ClientConfig{MaxUnread: 100}}, 0)
		own := errors.New("dinner is ready")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 3*time.Second, own)
		defer cancel()
		says(t, "Request", p.Request(ctx, Text("one")).Err(), []error{own}, "dinner is ready: ", "sent, but not acknowledged", "nothing came from the server for 3s")
		server.expect("start-ok")
		server.send(wire.KindAck)
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		says(t, "Wait", p.Wait(ctx).Err(), []error{context.DeadlineExceeded}, "nothing came from the server for 1s")
		time.Sleep(time.Second)
		server.send(wire.KindHeartbeat)
		ctx, cancel = context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		says(t, "Send", p.Send(ctx, Text("two"), Text("three")).Err(), []error{context.DeadlineExceeded}, "2 sent, 0 of them acknowledged", "nothing came from the server for 500ms")
		server.send("the answer to the first one", strings.Repeat("x", 101))
		says(t, "Send", p.Send(t.Context(), Text("four")).Err(), []error{ErrUnread}, "too many unread messages: they take ", "Config.MaxUnread is 100")
		server.conn.Close()
		p.Close(t.Context())
		says(t, "Send after Close", p.Send(t.Context(), Text("five")).Err(), []error{net.ErrClosed})

		p, server = attached(t, Config{}, 0)
		go func() {
			server.expect("start-ok", "close")
			server.send(wire.KindCloseOK)
		}()
		if err := p.Close(t.Context()).Err(); err != nil {
			t.Errorf("closing failed with %v, want no error", err)
		}
		says(t, "Send after Close", p.Send(t.Context(), Text("six")).Err(), []error{net.ErrClosed}, "closed by this side")
		says(t, "Wait after Close", p.Wait(t.Context()).Err(), []error{net.ErrClosed}, "closed by this side")
	})
}
