package socket

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket/internal/wire"
)

func TestConnectToWaitsForTheServerToAppear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ipc, name := New(Config{Transport: newMemory(0)}), MustParseName("late")
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan fold.Attempt[int])
		go func() {
			time.Sleep(time.Minute)
			result <- Serve(ipc, name, fold.Sum[int]()).With(ctx, echo)
		}()
		start := time.Now()
		answer := fold.Then(ipc.ConnectTo(ctx, name), Closing(ctx, func(p *Process) fold.Attempt[Message] {
			if p.Name() != name {
				t.Errorf("name of the process: got %v, want %v", p.Name(), name)
			}
			return fold.Then(p.Send(ctx, Text("hello")), Wait(ctx))
		}))
		receives(t, "send hello and wait", answer, "echo: hello")
		if took := time.Since(start); took < time.Minute || took > time.Minute+longestPause {
			t.Errorf("connect to a server that starts after 1 min: took %v, want %v more at most", took, longestPause)
		}
		cancel()
		interrupted(t, <-result, 1, context.Canceled)
	})
}

func TestConnectToThatItsContextEndsTellsBothReasons(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ipc, name := New(Config{Transport: newMemory(0)}), MustParseName("nobody")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := ipc.ConnectTo(ctx, name).Err()
		var e *Error
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, ErrNotListening) || !errors.As(err, &e) || e.Name != "nobody" {
			t.Errorf("connect without a server: got the error %v, want one about nobody that is context.DeadlineExceeded and ErrNotListening", err)
		}
		fails(t, "connect", ipc.ConnectTo(ctx, name).Err(), context.DeadlineExceeded)
		fails(t, "connect", ipc.ConnectTo(t.Context(), Name{}).Err(), ErrInvalid)
	})
}

func TestConnectToTriesAgainWhenTheHandshakeBreaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport, name := newMemory(0), MustParseName("shaky")
		listener, err := transport.Listen(t.Context(), name)
		if err != nil {
			t.Fatalf("listen on the transport: %v", err)
		}
		played := make(chan struct{})
		go func() {
			defer close(played)
			for _, first := range [][]byte{nil, []byte("\x00"), encode(wire.KindClose), encode(wire.KindStart, wire.KindClose), encode(wire.KindStart)} {
				conn, err := listener.Accept()
				if err != nil {
					t.Errorf("accept a connection: %v", err)
					return
				}
				conn.Write(first)
				if !bytes.Equal(first, encode(wire.KindStart)) {
					conn.Close()
				}
			}
		}()
		p := must(t, "connect", New(Config{Transport: transport}).ConnectTo(t.Context(), name))
		<-played
		p.Conn().Close()
	})
}

func TestConnectToDoesNotInsistOnAServerThatBreaksTheProtocol(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport, name := newMemory(0), MustParseName("foreign")
		listener, err := transport.Listen(t.Context(), name)
		if err != nil {
			t.Fatalf("listen on the transport: %v", err)
		}
		go func() {
			conn, _ := listener.Accept()
			conn.Write([]byte("220 mail ready\r\n"))
		}()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err = New(Config{Transport: transport}).ConnectTo(ctx, name).Err()
		if !errors.Is(err, ErrProtocol) || !strings.Contains(err.Error(), "speaks SMTP or FTP") {
			t.Errorf("ConnectTo a mail server: %v, want ErrProtocol naming it", err)
		}
	})
}

func TestAttachThatFailsClosesTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := newPipe(0)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		fails(t, "attach to the connection", New(Config{Heartbeat: -1}).Attach(ctx, ours).Err(), context.DeadlineExceeded)
		newPeer(t, theirs).expect("EOF")
	})
}

func TestAttachAndAcceptWorkOverAnyConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		listener := newMemoryListener()
		listener.waiting <- theirs
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan fold.Attempt[int])
		go func() { result <- ServeConnections(New(Config{}).Accept(listener), fold.Sum[int]()).With(ctx, echo) }()
		answer := fold.Then(New(Config{}).Attach(ctx, ours), Closing(ctx, func(p *Process) fold.Attempt[Message] {
			return fold.Then(p.Send(ctx, Text("a"), Text("b")), Wait(ctx))
		}))
		receives(t, "send a and b and wait", answer, "echo: a")
		cancel()
		interrupted(t, <-result, 2, context.Canceled)
	})
}

func TestNamesListsLiveServersAndDisturbsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		transport := newMemory(0)
		ipc := New(Config{Transport: transport, Log: slog.New(slog.NewTextHandler(&log, nil))})
		ctx, cancel := context.WithCancel(t.Context())
		results := make(chan fold.Attempt[int], 2)
		for _, name := range []string{"beta", "alpha"} {
			go func() { results <- Serve(ipc, MustParseName(name), fold.Sum[int]()).With(ctx, echo) }()
		}
		if _, err := transport.Listen(ctx, MustParseName("mute")); err != nil {
			t.Fatalf("listen at mute: %v", err)
		}
		synctest.Wait()
		p := must(t, "connect", ipc.ConnectTo(ctx, MustParseName("alpha")))
		succeeds(t, "send one", p.Send(ctx, Text("one")).Err())
		names := must(t, "list the names", ipc.Names(ctx))
		same(t, names, MustParseName("alpha"), MustParseName("beta"))
		succeeds(t, "send two", p.Send(ctx, Text("two")).Err())
		p.Close(ctx)
		cancel()
		a, _ := Carry(<-results).Get()
		b, _ := Carry(<-results).Get()
		if a+b != 2 || log.Len() > 0 {
			t.Errorf("two servers handled %d and %d messages, and logged %q; want two in all, and nothing", a, b, log.String())
		}
		fails(t, "list the names after the context ended", ipc.Names(ctx).Err(), context.Canceled)
	})
}

func TestClosingClosesWhateverItsStepReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reason := errors.New("reason")
		p, server := attached(t, Config{Grace: time.Second, Heartbeat: -1}, 0)
		err := Closing(t.Context(), func(*Process) fold.Attempt[int] { return fold.Fail[int](reason) })(p).Err()
		if err != reason {
			t.Errorf("closing around what fails: got the error %v, want %v alone", err, reason)
		}
		server.expect("start-ok", "close", "EOF")

		p, server = attached(t, Config{Grace: time.Second, Heartbeat: -1}, 0)
		fails(t, "closing around what succeeds, with a server that does not answer", Closing(t.Context(), func(*Process) fold.Attempt[int] { return fold.Succeed(1) })(p).Err(), context.DeadlineExceeded)
		server.expect("start-ok", "close", "EOF")

		p, server = attached(t, Config{Grace: time.Second, Heartbeat: -1}, 0)
		func() {
			defer func() { recover() }()
			Closing(t.Context(), func(*Process) fold.Attempt[int] { panic("boom") })(p)
		}()
		server.expect("start-ok", "close", "EOF")
	})
}

func TestProcessConnectMakesAFurtherConnection(t *testing.T) {
	ipc, name := New(Config{Dir: t.TempDir()}), MustParseName("server")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	served := make(chan fold.Attempt[int])
	go func() { served <- Serve(ipc, name, fold.Sum[int]()).With(ctx, echo) }()
	pool := ipc.Pool(name, PoolConfig{})
	first, err := pool.Connect(ctx).Get() // waits for the server
	if err != nil {
		t.Fatalf("connect to the name of a pool: %v", err)
	}
	second, err := first.Connect(ctx).Get()
	if err != nil {
		t.Fatalf("connect to the name of a process: %v", err)
	}
	if second.ID() == first.ID() || second.Name() != name {
		t.Errorf("connect to the name of a process: got %v, want another connection than %v", second, first)
	}
	first.Close(ctx)
	if m, err := second.Request(ctx, Text("a")).Get(); m != Text("echo: a") {
		t.Errorf("request over the further connection: got %v, %v, want the echo", m, err)
	}
	second.Close(ctx)
	cancel()
	<-served
	if err := second.Connect(t.Context()).Err(); !errors.Is(err, ErrNotListening) {
		t.Errorf("connect to a name whose server has ended: got %v, want ErrNotListening", err)
	}
}

func TestProcessConnectFailsWithoutAName(t *testing.T) {
	p := new(Process) // as Attach makes it, without a name
	if err := p.Connect(t.Context()).Err(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("connect with an attached process: got %v, want errors.ErrUnsupported", err)
	}
}
