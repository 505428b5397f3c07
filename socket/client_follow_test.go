package socket

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket/internal/wire"
	"github.com/rxipc/rxipc/stream/streamtest"
)

// diary is what a run of Follow met, in order.
type diary struct {
	start   time.Time
	entries []string
}

func (d *diary) note(format string, args ...any) {
	d.entries = append(d.entries, fmt.Sprint(time.Since(d.start).Round(time.Millisecond), " ", fmt.Sprintf(format, args...)))
}

// config is one that writes the diary.
func (d *diary) config(retry operators.RetryPolicy) FollowConfig {
	d.start = time.Now()
	return FollowConfig{
		Subscribe: func(ctx context.Context, p *Process) error {
			d.note("subscribe")
			return Subscribe(Text("news, please"))(ctx, p)
		},
		Lost:  func(err error) { d.note("lost: %v", err) },
		Retry: retry,
	}
}

// playNews accepts a client, takes its subscription, and sends it messages.
func playNews(t *testing.T, transport *memory, news ...any) *peer {
	t.Helper()
	listener, err := transport.Listen(t.Context(), remote)
	if err != nil {
		panic(err)
	}
	conn, err := listener.Accept()
	if err != nil {
		panic(err)
	}
	listener.Close()
	server := newPeer(t, conn)
	server.send(wire.KindStart)
	server.expect("start-ok", `"news, please"`)
	server.send(append([]any{wire.KindReceived}, news...)...)
	return server
}

func TestFollowGoesOnAcrossRestartsAndShowsTheGaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := newMemory(0)
		go func() {
			time.Sleep(5 * time.Millisecond)
			server := playNews(t, transport, "one", "two")
			time.Sleep(time.Second)
			server.conn.Close()
			time.Sleep(45 * time.Millisecond)
			server = playNews(t, transport, "three", wire.KindClose)
			server.expect("close-ok")
			playNews(t, transport, "four").expect("close", "EOF")
		}()
		var d diary
		follow := New(Config{Transport: transport, Heartbeat: -1}).Follow(remote, d.config(operators.RetryPolicy{Jitter: -1}))
		err := follow(t.Context(), func(m Message) bool {
			d.note("%s", m.Content())
			return m != Text("four")
		})
		succeeds(t, "follow a server that restarts", err)
		same(t, d.entries,
			"10ms subscribe", "10ms one", "10ms two", // not there at 0
			"1.01s lost: the server closed the connection without a word: unexpected EOF",
			// not there at 1.02 s and 1.04 s: the pause doubles
			"1.08s subscribe", "1.08s three",
			"1.08s lost: the server closed the connection",
			"1.09s subscribe", "1.09s four")
	})
}

func TestFollowBacksOffUpToItsLongestDelayAndGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ipc := New(Config{Transport: newMemory(0)})
		var d diary
		tries := operators.RetryPolicy{Jitter: -1, Times: 9, If: func(err error) bool {
			d.note("%v", errors.Is(err, ErrNotListening))
			return true
		}}
		err := ipc.Follow(remote, d.config(tries)).Run(t.Context())
		var e *Error
		if !errors.Is(err, ErrNotListening) || !errors.As(err, &e) || e.Op != "connect" {
			t.Errorf("follow without a server: got the error %v, want ErrNotListening of a connect", err)
		}
		same(t, d.entries, "0s true", "10ms true", "30ms true", "70ms true", "150ms true",
			"310ms true", "630ms true", "1.27s true", "2.27s true")
	})
}

func TestFollowTriesAServerThatIsTooSlowAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := newMemory(0)
		ipc := New(Config{Transport: transport, Heartbeat: -1, FrameTimeout: 10 * time.Second})
		go func() {
			time.Sleep(time.Millisecond) // so the first try finds no server
			playNews(t, transport, "one", encode("two")[:10])
			playNews(t, transport, "three").expect("close", "EOF")
		}()
		var d diary
		err := ipc.Follow(remote, d.config(operators.RetryPolicy{Jitter: -1}))(t.Context(), func(m Message) bool {
			d.note("%s", m.Content())
			return m != Text("three")
		})
		succeeds(t, "follow a server that is too slow once", err)
		same(t, d.entries,
			"10ms subscribe", "10ms one",
			"10.01s lost: the other side is too slow: i/o timeout: a frame took more than 10s",
			"10.02s subscribe", "10.02s three")
	})
}

func TestFollowEndsWithWhatIsNotRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := newMemory(0)
		ipc := New(Config{Transport: transport, Heartbeat: -1})
		fails(t, "follow no name", ipc.Follow(Name{}, FollowConfig{}).Run(t.Context()), ErrInvalid)

		var d diary
		go playNews(t, transport, []byte("\x00\x03???\x00\x00\x00\x00\xce"))
		fails(t, "follow a server that breaks the protocol", ipc.Follow(remote, d.config(operators.RetryPolicy{})).Run(t.Context()), ErrProtocol)
		if len(d.entries) != 2 {
			t.Errorf("follow a server that breaks the protocol: got the entries %q, want two", d.entries)
		}

		reason := errors.New("reason")
		listener, err := transport.Listen(t.Context(), remote)
		if err != nil {
			t.Fatalf("listen on the transport: %v", err)
		}
		go func() {
			conn, _ := listener.Accept()
			server := newPeer(t, conn)
			server.send(wire.KindStart)
			server.expect("start-ok", "close")
			server.send(wire.KindCloseOK)
		}()
		refuse := func(context.Context, *Process) error { return reason }
		fails(t, "follow with a Subscribe that fails", ipc.Follow(remote, FollowConfig{Subscribe: refuse}).Run(t.Context()), reason)
	})
}

func TestFollowKeepsTheContract(t *testing.T) {
	source := func(ctx context.Context, yield func(Message) bool) error {
		transport := newMemory(0)
		listening := make(chan struct{})
		ipc := New(Config{Transport: transport, Heartbeat: -1, ServerConfig: ServerConfig{Listening: func(Name) { close(listening) }}})
		serving, end := context.WithCancel(context.Background())
		served := make(chan error)
		go func() {
			served <- Exchanges(ipc.Listen(remote)).ForEach(serving, func(x Exchange) {
				for _, m := range texts(3) {
					x.Respond(m)
				}
			})
		}()
		defer func() {
			end()
			<-served
		}()
		<-listening
		return ipc.Follow(remote, FollowConfig{Subscribe: Subscribe(Text("please"))})(ctx, yield)
	}
	streamtest.Check(t, source, texts(3), streamtest.Endless())
}
