package socket

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket/internal/wire"
	"github.com/rxipc/rxipc/stream"
)

func init() { wire.PoisonLoans() }

// serveViews runs a server of views on a listener in memory, until the test ends.
func serveViews(t *testing.T, config Config, handle ViewHandler[int]) (listener *memoryListener, ended <-chan fold.Attempt[int]) {
	listener = newMemoryListener()
	result := make(chan fold.Attempt[int], 1)
	go func() {
		result <- ServeConnections(New(config).Accept(listener), fold.Sum[int]()).WithViews(t.Context(), handle)
	}()
	return listener, result
}

// attach connects a client to a listener in memory.
func attach(t *testing.T, listener *memoryListener, config Config) *Process {
	t.Helper()
	conn, err := listener.dial(0)
	if err != nil {
		t.Fatalf("dial the listener in memory: %v", err)
	}
	p, err := New(config).Attach(t.Context(), conn).Get()
	if err != nil {
		t.Fatalf("attach: %v", err)
	}
	return p
}

// echoView answers with the message itself.
func echoView(v View, c Continuation[int], count int) Continuation[int] {
	return c.RespondView(v).CarryWith(count + 1)
}

// randomBytes returns up to most random bytes. Half of the results are small.
func randomBytes(random *rand.Rand, most int) []byte {
	if random.IntN(2) == 0 {
		most = 300
	}
	content := make([]byte, random.IntN(most)+8)
	for n := 0; n < len(content); n += 8 {
		binary.LittleEndian.PutUint64(content[min(n, len(content)-8):], random.Uint64())
	}
	return content
}

// TestViewsKeepEveryByte makes requests of random sizes on some connections at a time, while the
// memory of each message is overwritten as soon as it is given back.
func TestViewsKeepEveryByte(t *testing.T) {
	handlers := map[string]ViewHandler[int]{
		"RespondView": echoView,
		"RespondBytes": func(v View, c Continuation[int], count int) Continuation[int] {
			scratch := bytes.Clone(v.Bytes())
			c = c.RespondBytes(v.MediaType(), scratch)
			clear(scratch) // it was copied
			return c.CarryWith(count + 1)
		},
		"Respond": func(v View, c Continuation[int], count int) Continuation[int] {
			return c.Respond(v.Message()).CarryWith(count + 1)
		},
	}
	for name, handle := range handlers {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				listener, _ := serveViews(t, Config{}, handle)
				var clients sync.WaitGroup
				for seed := range uint64(4) {
					p := attach(t, listener, Config{})
					clients.Go(func() { askAtRandom(t, p, newRandom(seed), 40) })
				}
				clients.Wait()
			})
		})
	}
}

// askAtRandom makes requests by View and by Message, and compares each response.
func askAtRandom(t *testing.T, p *Process, random *rand.Rand, n int) {
	defer p.Close(t.Context())
	for range n {
		content := randomBytes(random, 200<<10)
		m := NewMessageBytes(OctetStream(), content)
		if random.IntN(3) == 0 {
			if answer, err := p.Request(t.Context(), m).Get(); err != nil || answer != m {
				t.Errorf("Request of %d bytes: got %v, %v, want the same message", len(content), answer, err)
			}
			continue
		}
		err := p.RequestView(t.Context(), m, func(v View) error {
			if !bytes.Equal(v.Bytes(), content) || v.Len() != len(content) || v.MediaType() != OctetStream() {
				return fmt.Errorf("got another message: %v", v)
			}
			return nil
		})
		if err != nil {
			t.Errorf("RequestView of %d bytes: %v, want the same message", len(content), err)
		}
	}
}

// TestViewUsedTooLatePanics uses Views after the functions that got them.
func TestViewUsedTooLatePanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var kept []View
		keep := func(v View) { kept = append(kept, v) }
		listener, _ := serveViews(t, Config{}, func(v View, c Continuation[int], count int) Continuation[int] {
			keep(v)
			return echoView(v, c, count)
		})
		hooked := ServerHooks{Received: func(*Connection, Message) {}}
		withHook, _ := serveViews(t, Config{Hooks: Hooks{ServerHooks: hooked}}, func(v View, c Continuation[int], count int) Continuation[int] {
			keep(v)
			return echoView(v, c, count)
		})
		for _, l := range []*memoryListener{listener, withHook} {
			for _, size := range []int{5, 70_000} {
				p := attach(t, l, Config{})
				if err := p.RequestView(t.Context(), Text(strings.Repeat("a", size)), func(v View) error { keep(v); return nil }); err != nil {
					t.Errorf("RequestView: %v", err)
				}
				p.Close(t.Context())
			}
		}
		if len(kept) != 8 {
			t.Fatalf("kept %d Views, want 8", len(kept))
		}
		for i, v := range kept {
			for name, use := range map[string]func(){"Bytes": func() { v.Bytes() }, "Message": func() { v.Message() }} {
				if advice := panicOf(use); !strings.Contains(advice, "keep View.Message or a copy of View.Bytes") {
					t.Errorf("%s of View %d after its time: got the panic %q, want one that says what to keep", name, i, advice)
				}
			}
			if v.Len() != 5 && v.Len() != 70_000 || v.MediaType() != TextPlain() {
				t.Errorf("View %d after its time: got %v, want length and media type as before", i, v)
			}
		}
	})
}

// panicOf returns the text of the panic of f, "" without one.
func panicOf(f func()) (text string) {
	defer func() {
		if value := recover(); value != nil {
			text = fmt.Sprint(value)
		}
	}()
	f()
	return ""
}

// TestViewAnsweredTooLateEndsTheConnection answers with the View of an earlier message, and
// returns a Continuation a second time.
func TestViewAnsweredTooLateEndsTheConnection(t *testing.T) {
	var first View
	var earlier Continuation[int]
	for name, handle := range map[string]ViewHandler[int]{
		"an earlier View": func(v View, c Continuation[int], count int) Continuation[int] {
			if v.Len() == 1 {
				first = v
			}
			return c.RespondView(first)
		},
		"an earlier Continuation": func(v View, c Continuation[int], count int) Continuation[int] {
			if v.Len() == 1 {
				earlier = c.RespondBytes(v.MediaType(), v.Bytes())
			}
			return earlier
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ended := make(chan error, 1)
				hooks := ServerHooks{Closed: func(e Ending) { ended <- e.Err }}
				listener, _ := serveViews(t, Config{Log: slog.New(slog.DiscardHandler), Hooks: Hooks{ServerHooks: hooks}}, handle)
				client := listener.client(t, 0).greet()
				defer client.conn.Close()
				client.send("1")
				client.expect("ack", `"1"`)
				client.send("22")
				client.expect("close")
				client.send(wire.KindCloseOK)
				if err := <-ended; err == nil || !strings.Contains(err.Error(), "keep View.Message") {
					t.Errorf("answer too late: the connection ended with %v, want the advice", err)
				}
			})
		})
	}
}

// TestViewHeldByAContinuationIsACopy holds a lent message, and again after the handler.
func TestViewHeldByAContinuationIsACopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		large := strings.Repeat("x", 70_000)
		held := make(chan *Held, 1)
		var earlier Continuation[int]
		listener, _ := serveViews(t, Config{}, func(v View, c Continuation[int], count int) Continuation[int] {
			if v.Len() == 1 {
				return c.RespondView(v)
			}
			earlier = c
			held <- c.Hold()
			return c.RespondView(v)
		})
		client := listener.client(t, 0).greet()
		defer client.conn.Close()
		client.send(large, "1")
		h := <-held
		synctest.Wait()
		if h.Content() != large {
			t.Errorf("Continuation.Hold: the content has changed after the handler, want a copy")
		}
		if late := earlier.Hold(); late.Content() != "" || !errors.Is(late.Respond(t.Context()), ErrAnswered) {
			t.Errorf("Continuation.Hold after the handler: got a content of %d bytes, want none, and ErrAnswered", late.Len())
		}
		if err := h.Respond(t.Context(), h.Message); err != nil {
			t.Errorf("Held.Respond: %v", err)
		}
		client.expect("ack", `"70000 bytes"`, "ack", `"1"`)
	})
}

// TestViewExchangesLendUntilYieldReturns merges two connections, one of which is held.
func TestViewExchangesLendUntilYieldReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener := newMemoryListener()
		held := make(chan *Held, 1)
		var kept View
		go ViewExchanges(New(Config{}).Accept(listener)).ForEach(t.Context(), func(x ViewExchange) {
			kept = x.View
			if x.Len() == 70_000 {
				held <- x.Hold()
				return
			}
			x.RespondView(x.View)
			x.RespondBytes(TextPlain(), []byte("b"))
			x.Respond(Text("c"))
		})
		one, two := listener.client(t, 0).greet(), listener.client(t, 0).greet()
		defer one.conn.Close()
		defer two.conn.Close()
		large := strings.Repeat("x", 70_000)
		one.send(large)
		h := <-held
		two.send("a")
		two.expect("ack", `"a"`, `"b"`, `"c"`)
		if h.Content() != large {
			t.Errorf("Hold: the content has changed after yield, want a copy")
		}
		h.Respond(t.Context(), h.Message)
		one.expect("ack", `"70000 bytes"`)
		if panicOf(func() { kept.Bytes() }) == "" {
			t.Error("Bytes after yield has returned: got no panic")
		}
	})
}

func TestViewExchangesOfOneConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener := newMemoryListener()
		done := make(chan struct{})
		go New(Config{}).Accept(listener).ForEach(t.Context(), func(c *Connection) {
			defer close(done)
			contents := operators.MapErr(func(x ViewExchange) (string, error) { return string(x.Bytes()), x.RespondView(x.View) })
			got, err := stream.Pipe2(c.ViewExchanges(), contents, operators.Take[string](2)).Collect(t.Context())
			if err != nil || strings.Join(got, " ") != "a b" {
				t.Errorf("ViewExchanges of a connection: got %v, %v, want a and b", got, err)
			}
		})
		client := listener.client(t, 0).greet()
		defer client.conn.Close()
		client.send("a", "b")
		client.expect("ack", `"a"`, "ack", `"b"`, "close")
		client.send(wire.KindCloseOK)
		<-done
	})
}

// TestViewMemoryIsGivenBack lends large contents to handlers and connections that end in many
// ways. Afterwards none is lent.
func TestViewMemoryIsGivenBack(t *testing.T) {
	large := strings.Repeat("x", 100_000)
	endings := map[string]func(t *testing.T, listener *memoryListener){
		"the handler panics":  func(t *testing.T, l *memoryListener) { askFor(t, l, "p"+large, ErrPanicked) },
		"the handler rejects": func(t *testing.T, l *memoryListener) { askFor(t, l, "r"+large, ErrRejected) },
		"the answer is too large": func(t *testing.T, l *memoryListener) {
			askFor(t, l, "t"+large, ErrDisconnected)
		},
		"the client reads the answer": func(t *testing.T, l *memoryListener) { askFor(t, l, large, nil) },
		"the client dies inside a message": func(t *testing.T, l *memoryListener) {
			client := l.client(t, 0).greet()
			client.send(encode(large)[:80_000])
			synctest.Wait()
			client.conn.Close()
		},
		"the client dies and has read no answer": func(t *testing.T, l *memoryListener) {
			client := l.client(t, 1000).greet()
			go client.conn.Write(encode(large, large))
			synctest.Wait()
			client.conn.Close()
		},
		"the client gives up": func(t *testing.T, l *memoryListener) {
			p := attach(t, l, Config{})
			ctx, cancel := context.WithCancel(t.Context())
			go func() { synctest.Wait(); cancel() }()
			if err := p.RequestView(ctx, Text("w"+large), func(View) error { return nil }); !errors.Is(err, context.Canceled) {
				t.Errorf("RequestView with a context that ends: got %v, want its cause", err)
			}
			p.Close(t.Context())
		},
		"use fails": func(t *testing.T, l *memoryListener) {
			p := attach(t, l, Config{})
			failure := errors.New("failed")
			if err := p.RequestView(t.Context(), Text(large), func(View) error { return failure }); err != failure {
				t.Errorf("RequestView whose use fails: got %v, want its error as it is", err)
			}
			p.Close(t.Context())
		},
		"use panics": func(t *testing.T, l *memoryListener) {
			p := attach(t, l, Config{})
			panicOf(func() { p.RequestView(t.Context(), Text(large), func(View) error { panic("oh") }) })
			p.Close(t.Context())
		},
	}
	for name, end := range endings {
		t.Run(name, func(t *testing.T) {
			before := wire.Lent()
			synctest.Test(t, func(t *testing.T) {
				wait := make(chan struct{})
				listener, _ := serveViews(t, Config{Log: slog.New(slog.DiscardHandler), MaxMessage: 150_000}, asFirstByteSays(wait))
				end(t, listener)
				close(wait)
			})
			if after := wire.Lent(); after != before {
				t.Errorf("after the end of all connections: %d bytes are lent, want %d, as before", after, before)
			}
		})
	}
}

// asFirstByteSays is a handler that panics, rejects, responds too much or waits if the first byte of
// a message says so, and responds with the message otherwise.
func asFirstByteSays(wait <-chan struct{}) ViewHandler[int] {
	return func(v View, c Continuation[int], count int) Continuation[int] {
		switch v.Bytes()[0] {
		case 'p':
			panic("oh")
		case 'r':
			return c.RespondView(v).Reject(nil)
		case 't':
			return c.RespondView(v).RespondBytes(v.MediaType(), make([]byte, 200_000))
		case 'w':
			<-wait
		}
		return c.RespondView(v)
	}
}

// askFor makes a request with a View and compares its error.
func askFor(t *testing.T, listener *memoryListener, content string, want error) {
	t.Helper()
	p := attach(t, listener, Config{})
	err := p.RequestView(t.Context(), Text(content), func(v View) error {
		if string(v.Bytes()) != content {
			t.Errorf("RequestView: got %v, want the same message", v)
		}
		return nil
	})
	if !errors.Is(err, want) {
		t.Errorf("RequestView: got the error %v, want %v", err, want)
	}
	p.Close(t.Context())
}

// TestViewsLeaveMessagesToHooks keeps the messages that hooks get, while views of them end.
func TestViewsLeaveMessagesToHooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var kept []Message
		keep := func(m Message) { kept = append(kept, m) }
		hooks := Hooks{
			ServerHooks: ServerHooks{Received: func(_ *Connection, m Message) { keep(m) }, Handled: func(h Handling) { keep(h.Message) }},
			ClientHooks: ClientHooks{Arrived: func(_ *Process, m Message) { keep(m) }},
		}
		listener, _ := serveViews(t, Config{Hooks: hooks}, echoView)
		p := attach(t, listener, Config{Hooks: hooks})
		m := Text(strings.Repeat("x", 70_000))
		for range 2 {
			if err := p.RequestView(t.Context(), m, func(View) error { return nil }); err != nil {
				t.Errorf("RequestView: %v", err)
			}
		}
		p.Close(t.Context())
		if len(kept) != 6 {
			t.Fatalf("the hooks got %d messages, want 6", len(kept))
		}
		for i, k := range kept {
			if k != m {
				t.Errorf("message %d that a hook kept: its content has changed", i)
			}
		}
	})
}

func TestViewTellsNoContentToLogs(t *testing.T) {
	v := View{message: Text("secret")}
	for _, text := range []string{fmt.Sprint(v), fmt.Sprintf("%+v", v), fmt.Sprintf("%#v", v), v.LogValue().String()} {
		if strings.Contains(text, "secret") || !strings.Contains(text, "6") {
			t.Errorf("print a View: got %q, want its media type and length alone", text)
		}
	}
	if string((View{}).Bytes()) != "" || (View{}).Len() != 0 {
		t.Error("the zero View: got a content, want none")
	}
}
