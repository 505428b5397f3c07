package socket

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket/internal/wire"
)

// playedServer is a name whose server is played by hand: it accepts connections one after
// the other, says to each what comes first, and then closes it or stays.
func playedServer(t *testing.T, first []byte, stays bool) (*IPC, Name) {
	t.Helper()
	transport, name := newMemory(0), MustParseName("played")
	listener, err := transport.Listen(t.Context(), name)
	if err != nil {
		t.Fatal("listening failed:", err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conn.Write(first)
			if !stays {
				conn.Close()
			}
		}
	}()
	return New(Config{Transport: transport}), name
}

// TestConnectToSaysWhyItFailed goes through what a client may meet before it is connected.
func TestConnectToSaysWhyItFailed(t *testing.T) {
	for _, test := range []struct {
		what   string
		first  []byte
		stays  bool
		atOnce bool // ConnectTo does not try again
		is     error
		says   string
	}{
		{"a server that says nothing", nil, true, false, ErrNoHandshake, "the server said nothing"},
		{"a server that begins a frame and stops", []byte("\x00\x0atext"), true, true, ErrTooSlow, "a frame took more than"},
		{"a server that closes at once", nil, false, false, ErrNoHandshake, "closed the connection before it said anything"},
		{"a server that closes inside a frame", []byte("\x00\x0atext"), false, false, ErrNoHandshake, "inside a frame"},
		{"a server that closes in good order", encode(wire.KindClose), true, false, ErrDisconnected, "the server closed the connection"},
		{"a web server", []byte("HTTP/1.1 408 Request Timeout\r\n\r\n"), true, true, ErrProtocol, "speaks HTTP"},
		{"a frame that ends wrongly", []byte(raw("text/plain", 2, "hi", 'A')), true, true, ErrProtocol, "ends with 0x41"},
		{"a first frame that is too large", []byte(raw("text/plain", 1<<31, "", 0)), true, true, ErrTooLarge, "the limit is 16777216"},
	} {
		t.Run(test.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ipc, name := playedServer(t, test.first, test.stays)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				want := []error{test.is}
				if !test.atOnce {
					want = append(want, context.DeadlineExceeded)
				}
				says(t, "ConnectTo", ipc.ConnectTo(ctx, name).Err(), want, "connect played: ", test.says)
				if test.atOnce && ctx.Err() != nil {
					t.Error("ConnectTo tried until the deadline, want that it fails at once")
				}
				short, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				says(t, "Dial", ipc.Dial(short, name).Err(), []error{test.is}, "dial played: ", test.says)
				if silent := test.stays && test.first == nil; (short.Err() != nil) != silent {
					t.Errorf("Dial ended with its context done: %v, want %v", short.Err() != nil, silent)
				}
			})
		})
	}
}

func TestDialDoesNotWaitForAServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport, name := newMemory(0), MustParseName("counter")
		ipc := New(Config{Transport: transport})
		start := time.Now()
		says(t, "Dial without a server", ipc.Dial(t.Context(), name).Err(), []error{ErrNotListening}, "dial counter: nobody listens")
		if took := time.Since(start); took != 0 {
			t.Errorf("Dial without a server took %v, want no time", took)
		}
		says(t, "Dial of no name", ipc.Dial(t.Context(), Name{}).Err(), []error{ErrInvalid})
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan fold.Attempt[int])
		go func() { result <- Serve(ipc, name, fold.Sum[int]()).With(ctx, echo) }()
		synctest.Wait()
		answer := fold.Then(ipc.Dial(t.Context(), name), Closing(ctx, Request(ctx, Text("one"))))
		if m, err := answer.Get(); err != nil || m != Text("echo: one") {
			t.Errorf("a request after Dial gave %v and failed with %v, want an echo", m, err)
		}
		cancel()
		interrupted(t, <-result, 1, context.Canceled)
	})
}

func TestConnectToSaysThatAServerIsNotTrusted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport, name := newMemory(0), MustParseName("stranger")
		listener, err := transport.Listen(t.Context(), name)
		if err != nil {
			t.Fatal("listening failed:", err)
		}
		defer listener.Close()
		own := errors.New("not on Sundays")
		ipc := New(Config{Transport: transport, ClientConfig: ClientConfig{Servers: func(net.Conn, fold.Maybe[Peer]) error { return own }}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		says(t, "ConnectTo", ipc.ConnectTo(ctx, name).Err(), []error{ErrUntrusted, own}, "connect stranger: the server is not trusted: not on Sundays")
		ipc = New(Config{Transport: transport, ClientConfig: ClientConfig{Servers: Users("4294967294")}})
		says(t, "ConnectTo", ipc.ConnectTo(ctx, name).Err(), []error{ErrUntrusted, fs.ErrPermission})
	})
}

func TestFollowSaysWhyItIsNotConnectedWhenItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		nobody := New(Config{Transport: newMemory(0)})
		err := nobody.Follow(MustParseName("news"), FollowConfig{}).Run(ctx)
		says(t, "Follow without a server", err, []error{context.DeadlineExceeded, ErrNotListening}, "follow news: ")

		ipc, name := playedServer(t, encode(wire.KindStart), false)
		ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err = ipc.Follow(name, FollowConfig{}).Run(ctx)
		says(t, "Follow of a server that dies", err, []error{context.DeadlineExceeded, io.ErrUnexpectedEOF}, "follow played: ")
	})
}

// TestErrorPrefixesAreNotRepeated wraps errors of the package in each other.
func TestErrorPrefixesAreNotRepeated(t *testing.T) {
	inner := &Error{Op: "dial", Name: "counter", Err: ErrNotListening}
	other := &Error{Op: "dial", Name: "log", Err: ErrBusy}
	for _, test := range []struct {
		err  error
		want string
	}{
		{&Error{Op: "request", Name: "counter", Err: inner}, "socket: request counter: dial: nobody listens"},
		{&Error{Op: "request", Err: inner}, "socket: request: dial counter: nobody listens"},
		{&Error{Op: "request", Name: "counter", Err: &SendError{Err: inner}}, "socket: request counter: dial: nobody listens"},
		{&Error{Op: "request", Name: "counter", Err: other}, "socket: request counter: dial log: too many connections are waiting"},
		{&Error{Op: "a", Name: "x", Err: &Error{Op: "b", Err: &Error{Op: "c", Name: "x", Err: io.EOF}}}, "socket: a x: b: c: EOF"},
		{&InterruptedError[int]{Err: inner}, "socket: server interrupted: dial counter: nobody listens"},
	} {
		if got := test.err.Error(); got != test.want {
			t.Errorf("the text is %q, want %q", got, test.want)
		}
	}
}
