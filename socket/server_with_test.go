package socket

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket/internal/wire"
	"github.com/rxipc/rxipc/stream"
)

func TestCarryOfConnectionsIsCombinedWhenTheyEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var monitored []string
		server := serve(t, Config{}, fold.ConcatStrings[string](),
			func(m Message, c Continuation[string], carry string) Continuation[string] {
				return c.CarryWith(carry + m.Content())
			},
			func(s Server[string]) Server[string] {
				return s.Monitor(func(carry string, next Next[string]) Next[string] {
					monitored = append(monitored, carry)
					if len(monitored) == 3 {
						return next.CarryWith(carry + "!").Finish()
					}
					return next.CarryWith(carry + "|")
				})
			})
		one, two, three, four := server.dial().greet(), server.dial().greet(), server.dial().greet(), server.dial().greet()
		four.send("4")
		four.expect("ack")
		one.send("1")
		two.send("2", "2")
		two.expect("ack", "ack")
		for _, leave := range []func(){two.leave, func() { one.expect("ack"); one.leave() }, func() { three.conn.Close() }} {
			leave()
			synctest.Wait() // until its carry has been combined
		}
		four.expect("close")
		four.send(wire.KindCloseOK)
		four.expect("EOF")
		carry, err := (<-server.result).Get()
		if err != nil || carry != "22|1|!4" {
			t.Errorf("the server carried %q and ended with %v, want 22|1|!4", carry, err)
		}
		same(t, monitored, "22", "22|1", "22|1|")
	})
}

func TestFinishEndsTheConnectionAfterItsResponses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := serve(t, Config{}, fold.Sum[int](), func(m Message, c Continuation[int], count int) Continuation[int] {
			return c.Respond(Text("a"), Text("b")).Respond().Respond(Text("c")).CarryWith(count + 1).Finish()
		})
		client := server.dial().greet()
		client.send("one", "never handled")
		client.expect("ack", `"a"`, `"b"`, `"c"`, "close")
		client.send(wire.KindCloseOK)
		client.expect("EOF")
		same(t, decoded(peerChunks(client)), "heartbeat start", `ack "a" "b" "c" close`)
		same(t, server.handled(), "one")
		server.dial().greet().leave()
		server.end()
		interrupted(t, <-server.result, 1, context.Canceled)
	})
}

func TestStopEndsTheServerAndSucceeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := serve(t, Config{}, fold.Sum[int](), func(m Message, c Continuation[int], count int) Continuation[int] {
			c = echo(m, c, count)
			if m.Content() == "stop" {
				return c.Stop()
			}
			return c
		})
		other, greeting, stopping := server.dial().greet(), server.dial(), server.dial().greet()
		other.send("one")
		other.expect("ack", `"echo: one"`)
		stopping.send("stop")
		stopping.expect("ack", `"echo: stop"`, "close")
		other.expect("close")
		greeting.expect("start", "close")
		for _, p := range []*peer{other, greeting, stopping} {
			p.send(wire.KindCloseOK)
			p.expect("EOF")
		}
		returns(t, "serve until the monitor finishes", <-server.result, 2)
	})
}

func TestServerThatIsInterruptedGivesTheCarryOfOpenConnectionsAndTheCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reason := errors.New("reason")
		ctx, cancel := context.WithCancelCause(t.Context())
		listener := newMemoryListener()
		result := make(chan fold.Attempt[int])
		go func() {
			result <- ServeConnections(New(Config{}).Accept(listener), fold.Sum[int]()).With(ctx, echo)
		}()
		var clients []*peer
		for range 3 {
			conn, _ := listener.dial(0)
			client := newPeer(t, conn).greet()
			client.send("one", "two")
			client.expect("ack", `"echo: one"`, "ack", `"echo: two"`)
			clients = append(clients, client)
		}
		cancel(reason)
		for _, client := range clients {
			client.expect("close")
			client.conn.Close()
		}
		interrupted(t, <-result, 6, reason)
	})
}

func TestServerThatCannotListenFails(t *testing.T) {
	name := MustParseName("taken")
	transport := newMemory(0)
	if _, err := transport.Listen(t.Context(), name); err != nil {
		t.Fatalf("listen at %v: %v", name, err)
	}
	result := Serve(New(Config{Transport: transport}), name, fold.Sum[int]()).With(t.Context(), echo)
	if err := result.Err(); !errors.Is(err, ErrInUse) || Carry(result) != fold.Nothing[int]() {
		t.Errorf("serve a name that is taken: got %v, want ErrInUse without a carry", result)
	}
	fails(t, "serve no name", Serve(New(Config{}), Name{}, fold.Sum[int]()).With(t.Context(), echo).Err(), ErrInvalid)
}

func TestServerWhoseListenerFailsKeepsTheCarries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := serve(t, Config{}, fold.Sum[int](), echo)
		client := server.dial().greet()
		client.send("one")
		client.expect("ack", `"echo: one"`)
		broken := errors.New("broken")
		server.listener.failing <- broken
		client.expect("close")
		client.send("too late", wire.KindCloseOK)
		client.expect("EOF")
		interrupted(t, <-server.result, 1, broken)
		same(t, server.handled(), "one")
	})
}

func TestServerWhoseConnectionsCompleteSucceeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener := newMemoryListener()
		ours, _ := listener.dial(0)
		left := make(chan struct{})
		go func() { newPeer(t, ours).greet().leave(); close(left) }()
		one := stream.Pipe1(New(Config{}).Accept(listener), operators.Take[*Connection](1))
		returns(t, "serve one connection", ServeConnections(one, fold.Sum[int]()).With(t.Context(), echo), 0)
		<-left
	})
}

func TestConnectionsThatThePipelineClosedAreNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := serve(t, Config{}, fold.Sum[int](), echo, func(s Server[int]) Server[int] {
			s.connections = operators.Map(func(c *Connection) *Connection { c.Close(); return c })(s.connections)
			return s
		})
		server.dial().expect("EOF")
		server.dial().expect("EOF")
		server.end()
		interrupted(t, <-server.result, 0, context.Canceled)
	})
}

func TestConnectionThatComesTwiceEndsTheServerWithoutLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := serve(t, Config{Heartbeat: time.Second}, fold.Sum[int](), echo, func(s Server[int]) Server[int] {
			s.connections = operators.MergeMap(func(c *Connection) stream.Observable[*Connection] {
				return func(_ context.Context, yield func(*Connection) bool) error {
					yield(c)
					time.Sleep(time.Minute)
					yield(c)
					return nil
				}
			})(s.connections)
			return s
		})
		client := server.dial().greet()
		client.send("one")
		client.expect("ack", `"echo: one"`)
		time.Sleep(59 * time.Second)
		for range 59 {
			client.expect("heartbeat")
		}
		got := client.next()
		for got == "heartbeat" {
			got = client.next()
		}
		if got != "close" {
			t.Errorf("the client received %s, want close", got)
		}
		client.send(wire.KindCloseOK)
		interrupted(t, <-server.result, 1, errClaimed)
	})
}

func TestResponsesThatCannotBeSentEndTheirConnectionAlone(t *testing.T) {
	for name, test := range map[string]struct {
		responses []Message
		want      error
	}{
		"too large":         {[]Message{Text("fits"), Text(strings.Repeat("x", 101))}, ErrTooLarge},
		"reserved":          {[]Message{Text("innmind/ipc:heartbeat")}, ErrReserved},
		"of no media type":  {[]Message{{}}, ErrInvalid},
		"the third of many": {[]Message{Text("a"), Text("b"), {}}, ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				connections := make(chan *Connection, 9)
				server := serve(t, Config{MaxMessage: 100}, fold.Sum[int](), func(m Message, c Continuation[int], count int) Continuation[int] {
					if m.Content() == "bad" {
						connections <- c.Connection()
						return c.Respond(test.responses...).CarryWith(100)
					}
					return echo(m, c, count)
				})
				bad, good := server.dial().greet(), server.dial().greet()
				bad.send("one", "bad", "never handled")
				bad.expect("ack", `"echo: one"`, "close")
				bad.send(wire.KindCloseOK)
				bad.expect("EOF")
				good.send("two")
				good.expect("ack", `"echo: two"`)
				fails(t, "serve a client beside another one", (<-connections).Err(), test.want)
				good.leave()
				server.end()
				interrupted(t, <-server.result, 2, context.Canceled)
				seen := server.handled()
				slices.Sort(seen)
				same(t, seen, "bad", "one", "two")
			})
		})
	}
}

func TestHandlerPanicThatIsLetReachesTheCallerOfWithAfterAllIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener := newMemoryListener()
		panicked := make(chan any)
		go func() {
			defer func() { panicked <- recover() }()
			ServeConnections(New(Config{}).Accept(listener), fold.Sum[int]()).LetPanic().
				With(t.Context(), func(m Message, c Continuation[int], count int) Continuation[int] {
					if m.Content() == "bad" {
						panic("boom")
					}
					return echo(m, c, count)
				})
		}()
		var clients []*peer
		for range 2 {
			conn, _ := listener.dial(0)
			clients = append(clients, newPeer(t, conn).greet())
		}
		clients[1].send("good")
		clients[1].expect("ack", `"echo: good"`)
		clients[0].send("bad")
		clients[0].expect("EOF")
		clients[1].expect("close")
		clients[1].send(wire.KindCloseOK)
		clients[1].expect("EOF")
		p, ok := (<-panicked).(*stream.PanicError)
		if !ok || p.Value != "boom" {
			t.Errorf("With panicked with %v, want a PanicError of boom", p)
		}
		if _, err := listener.dial(0); !errors.Is(err, ErrNotListening) {
			t.Errorf("dial after With panicked: got the error %v, want ErrNotListening", err)
		}
	})
}

func TestContinuationsAreValues(t *testing.T) {
	base := Continuation[int]{}.Respond(Text("a"), Text("b"), Text("c"), Text("d"))
	one, two := base.Respond(Text("1")), base.Respond(Text("2"))
	if one.rarely().more[3].message != Text("1") || two.rarely().more[3].message != Text("2") || len(base.rarely().more) != 3 {
		t.Errorf("two answers from the same base: got %v, %v and the base %v; want each its own, and the base as it was", one.rarely().more, two.rarely().more, base.rarely().more)
	}
	if (Continuation[int]{}).Respond().responds {
		t.Error("Respond without a message responds, want that it does not")
	}
}

func TestServerWithHoldsAMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		helds := make(chan *Held, 1)
		server := serve(t, Config{}, fold.Sum[int](), func(m Message, c Continuation[int], count int) Continuation[int] {
			if m.Content() == "hold" {
				c = c.Respond(Text("not sent"))
				helds <- c.Hold()
			} else {
				c = c.Respond(m)
			}
			return c.CarryWith(count + 1)
		})
		client := server.dial().greet()
		client.send("hold", "next")
		held := <-helds
		synctest.Wait()
		same(t, server.handled(), "hold", "next")
		same(t, decoded(peerChunks(client)), "heartbeat start")
		if err := held.Respond(t.Context(), Text("later")); err != nil {
			t.Errorf("respond to the held message: got %v, want nil", err)
		}
		client.expect("ack", `"later"`, "ack", `"next"`)
		client.leave()
		server.end()
		interrupted(t, <-server.result, 2, context.Canceled)
	})
}
