package socket

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket/internal/wire"
	"github.com/rxipc/rxipc/stream"
)

// merging runs Exchanges of a listener in memory through a pipeline.
func merging(ctx context.Context, config Config, run func(context.Context, stream.Observable[Exchange]) error) (*memoryListener, chan error) {
	listener := newMemoryListener()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, Exchanges(New(config).Accept(listener))) }()
	return listener, ended
}

// client connects a client played by hand.
func (l *memoryListener) client(t testing.TB, limit int) *peer {
	t.Helper()
	conn, err := l.dial(limit)
	if err != nil {
		t.Fatalf("dial the listener: %v", err)
	}
	return newPeer(t, conn)
}

func TestExchangesAreAcknowledgedOnceYieldHasReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		goOn := make(chan struct{})
		listener, ended := merging(t.Context(), Config{Heartbeat: -1}, func(ctx context.Context, exchanges stream.Observable[Exchange]) error {
			return stream.Pipe2(exchanges,
				operators.Filter(func(x Exchange) bool { return x.Content() != "filtered out" }),
				operators.TakeWhile(func(x Exchange) bool { return x.Content() != "stop" }, operators.Inclusive),
			).ForEach(ctx, func(x Exchange) {
				x.Respond(Text("re: " + x.Content()))
				<-goOn
			})
		})
		one, two := listener.client(t, 0).greet(), listener.client(t, 0).greet()
		one.send("one", "filtered out", "two")
		synctest.Wait()
		same(t, decoded(peerChunks(one)), "heartbeat start")
		goOn <- struct{}{}
		goOn <- struct{}{}
		one.expect("ack", `"re: one"`, "ack", "ack", `"re: two"`)
		two.send("stop", "never handled")
		goOn <- struct{}{}
		two.expect("ack", `"re: stop"`, "close")
		one.expect("close")
		one.send(wire.KindCloseOK)
		two.send(wire.KindCloseOK)
		succeeds(t, "serve the exchanges", <-ended)
		same(t, decoded(peerChunks(one)), "heartbeat start", `ack "re: one" ack ack "re: two"`, "close")
		same(t, decoded(peerChunks(two)), "heartbeat start", `ack "re: stop" close`)
	})
}

func TestExchangesThatAreWithdrawnAreNeitherHandledNorAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var handled []string
		listener, ended := merging(ctx, Config{}, func(ctx context.Context, exchanges stream.Observable[Exchange]) error {
			return exchanges.ForEach(ctx, func(x Exchange) {
				handled = append(handled, x.Content())
				cancel()
			})
		})
		var clients []*peer
		for range 5 {
			clients = append(clients, listener.client(t, 0).greet())
		}
		synctest.Wait()
		for _, c := range clients {
			c.send("hello")
		}
		acknowledged := 0
		for _, c := range clients {
			got := c.next()
			if got == "ack" {
				acknowledged++
				got = c.next()
			}
			if got != "close" {
				t.Errorf("the client received %s, want close", got)
			}
			c.send(wire.KindCloseOK)
		}
		fails(t, "serve the exchanges until the context ends", <-ended, context.Canceled)
		if acknowledged != 1 || len(handled) != 1 {
			t.Errorf("%d messages were acknowledged and %v handled, want one", acknowledged, handled)
		}
	})
}

func TestClientThatIsSlowStallsNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		listener, ended := merging(ctx, Config{}, func(ctx context.Context, exchanges stream.Observable[Exchange]) error {
			return exchanges.ForEach(ctx, func(x Exchange) { x.Respond(Text(strings.Repeat("x", 1000))) })
		})
		slow := listener.client(t, 100).greet()
		slow.send("ask", "ask", "ask")
		synctest.Wait()
		quick := listener.client(t, 0).greet()
		for range 10 {
			quick.send("ask")
			quick.expect("ack", `"1000 bytes"`)
		}
		for range 3 {
			slow.expect("ack", `"1000 bytes"`)
		}
		slow.leave()
		quick.leave()
		cancel()
		<-ended
	})
}

func TestPanicInYieldLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener := newMemoryListener()
		panicked := make(chan any)
		go func() {
			defer func() { panicked <- recover() }()
			Exchanges(New(Config{}).Accept(listener)).ForEach(t.Context(), func(x Exchange) {
				if x.Content() == "bad" {
					panic("boom")
				}
			})
		}()
		one, two := listener.client(t, 0).greet(), listener.client(t, 0).greet()
		two.send("good")
		two.expect("ack")
		one.send("bad")
		two.send("good")
		one.expect("close")
		one.send(wire.KindCloseOK)
		if got := <-panicked; got != "boom" {
			t.Errorf("the pipeline panicked with %v, want boom", got)
		}
	})
}

func TestRespondAfterTheTurnFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var kept Exchange
		listener, _ := merging(t.Context(), Config{}, func(ctx context.Context, exchanges stream.Observable[Exchange]) error {
			return exchanges.ForEach(ctx, func(x Exchange) {
				if kept.c != nil {
					fails(t, "answer an exchange behind its yield", kept.Respond(Text("late")), ErrAnswered)
					fails(t, "hold an exchange behind its yield", kept.Hold().Respond(ctx, Text("late")), ErrAnswered)
					kept.Reject(errors.New("late"))
				}
				kept = x
			})
		})
		client := listener.client(t, 0).greet()
		client.send("one", "two")
		client.expect("ack", "ack")
		client.leave()
		succeeds(t, "serve a client that leaves", kept.Connection().Err())
		listener.Close()
	})
}

func TestRespondThatIsRefusedAddsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener, _ := merging(t.Context(), Config{MaxMessage: 10}, func(ctx context.Context, exchanges stream.Observable[Exchange]) error {
			return exchanges.ForEach(ctx, func(x Exchange) {
				for _, want := range []struct {
					m   Message
					err error
				}{{Text("more than ten"), ErrTooLarge}, {Text("innmind/ipc:ack"), ErrReserved}, {Message{}, ErrInvalid}} {
					if err := x.Respond(Text("fine"), want.m); !errors.Is(err, want.err) && !errors.Is(err, ErrTooLarge) {
						t.Errorf("answer with fine and %v: got the error %v, want %v or ErrTooLarge", want.m, err, want.err)
					}
				}
				x.Respond(Text("answer"))
			})
		})
		client := listener.client(t, 0).greet()
		client.send("ask")
		client.expect("ack", `"answer"`)
		client.leave()
		listener.Close()
	})
}

func TestRejectLeavesTheMessageUnacknowledgedAndEndsTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reason := errors.New("not for you")
		var bad *Connection
		listener, _ := merging(t.Context(), Config{}, func(ctx context.Context, exchanges stream.Observable[Exchange]) error {
			return exchanges.ForEach(ctx, func(x Exchange) {
				x.Respond(Text("re: " + x.Content()))
				if x.Content() == "bad" {
					bad = x.Connection()
					x.Reject(reason)
					fails(t, "answer an exchange that was rejected", x.Respond(Text("more")), ErrAnswered)
				}
			})
		})
		one, two := listener.client(t, 0).greet(), listener.client(t, 0).greet()
		one.send("good", "bad", "never handled")
		one.expect("ack", `"re: good"`, "close")
		one.send(wire.KindCloseOK)
		one.expect("EOF")
		fails(t, "serve a client whose message is rejected", bad.Err(), reason)
		two.send("good")
		two.expect("ack", `"re: good"`)
		two.leave()
		listener.Close()
	})
}

func TestExchangesOfOneConnectionKeepTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen []string
		ctx, cancel := context.WithCancel(t.Context())
		listener, ended := merging(ctx, Config{}, func(ctx context.Context, exchanges stream.Observable[Exchange]) error {
			return exchanges.ForEach(ctx, func(x Exchange) { seen = append(seen, x.Content()) })
		})
		var clients []*peer
		for _, letter := range "abc" {
			c := listener.client(t, 0).greet()
			for i := range 100 {
				c.send(string(letter) + string(rune(' '+i%90)))
			}
			clients = append(clients, c)
		}
		for _, c := range clients {
			c.expect(slices.Repeat([]string{"ack"}, 100)...)
		}
		for _, letter := range "abc" {
			i := 0
			for _, s := range seen {
				if s[0] == byte(letter) {
					if s[1] != byte(' '+i%90) {
						t.Fatalf("message %d of its sender is %q, want them in order", i, s)
					}
					i++
				}
			}
		}
		cancel()
		time.Sleep(2 * time.Second)
		<-ended
	})
}
