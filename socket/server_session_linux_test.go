package socket

import (
	"context"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket/internal/framed"
	"github.com/rxipc/rxipc/socket/internal/wire"
	"github.com/rxipc/rxipc/stream"
)

func TestConnectionsThatWaitHaveNoGoroutine(t *testing.T) {
	s := serveOnSocket(t, Config{}, echo)
	one, _ := s.dialParked()
	before := runtime.NumGoroutine()
	clients, connections := []*peer{one}, []*Connection{}
	for range 99 {
		client, c := s.dial()
		clients, connections = append(clients, client), append(connections, c)
	}
	eventually(t, "all parked", func() bool {
		return !slices.ContainsFunc(connections, func(c *Connection) bool { return !isParked(c) })
	})
	eventually(t, "their goroutines are gone", func() bool { return runtime.NumGoroutine() <= before })
	for _, client := range clients {
		client.send("again")
		client.expect("ack", `"echo: again"`)
		client.leave()
	}
	eventually(t, "nor has the Lot a goroutine", func() bool { return runtime.NumGoroutine() < before })
	again, _ := s.dialParked()
	again.leave()
	s.end()
	interrupted(t, <-s.result, 201, context.Canceled)
}

func TestSessionParksAfterEachMessage(t *testing.T) {
	s := serveOnSocket(t, Config{}, echo)
	client, c := s.dialParked()
	for i := range 5 {
		client.send(fmt.Sprint(i), "and")
		client.expect("ack", fmt.Sprintf(`"echo: %d"`, i), "ack", `"echo: and"`)
		awaitParked(t, c)
		client.sendBytewise("bytewise")
		client.expect("ack", `"echo: bytewise"`)
		awaitParked(t, c)
	}
	client.leave()
	if e := <-s.ended; e.Err != nil || e.Duration <= 0 {
		t.Errorf("the session of a client that left ended with %+v, want no error and a duration", e)
	}
	s.end()
	interrupted(t, <-s.result, 16, context.Canceled)
}

// TestSessionDoesNotParkInsideAFrame sends the rest of a frame after the session was told to
// rest: it then parks without being told again.
func TestSessionDoesNotParkInsideAFrame(t *testing.T) {
	s := serveOnSocket(t, Config{}, echo)
	client, c := s.dial()
	heartbeat := encode(wire.KindHeartbeat)
	client.send(heartbeat[:5])
	eventually(t, "part of a frame is there", func() bool { return c.frames.Due() != framed.Never })
	eventually(t, "told", c.frames.Parking.Load().Rests)
	for range 100 { // while it looks around
		if runtime.Gosched(); isParked(c) {
			t.Fatal("a session parked with part of a frame, want that it waits for the rest")
		}
	}
	client.send(heartbeat[5:])
	eventually(t, "parked", func() bool { return isParked(c) })
	client.leave()
}

func TestHeartbeatsFlowWhileASessionIsParked(t *testing.T) {
	t.Parallel()
	s := serveOnSocket(t, Config{Heartbeat: 5 * time.Millisecond}, func(m Message, c Continuation[int], count int) Continuation[int] {
		return c.CarryWith(count + 1)
	})
	conn, err := net.Dial("unix", s.listener.Addr().String())
	if err != nil {
		t.Fatalf("dial the server: %v", err)
	}
	defer conn.Close()
	client := newPeer(t, conn)
	client.send(wire.KindStartOK)
	client.expect("start")
	c := <-s.connections
	awaitParked(t, c)
	for range 20 {
		client.expect("heartbeat")
		if !isParked(c) {
			t.Error("the server's heartbeat resumed the session, want it parked")
		}
	}
	for range 20 {
		heard := c.frames.Due()
		client.send(wire.KindHeartbeat)
		eventually(t, "heard, and parked again", func() bool { return c.frames.Due() != heard && isParked(c) })
	}
}

func TestClientThatEndsWhileItsSessionIsParked(t *testing.T) {
	s := serveOnSocket(t, Config{}, echo)
	orderly, _ := s.dialParked()
	orderly.leave()
	succeeds(t, "serve a client that leaves", (<-s.ended).Err)
	rude, _ := s.dialParked()
	rude.conn.Close()
	fails(t, "serve a client that is gone", (<-s.ended).Err, io.ErrUnexpectedEOF)
	broken, _ := s.dialParked()
	broken.send([]byte("\x00\x0ahello garbage \xff\xff"))
	fails(t, "serve a client that breaks the protocol", (<-s.ended).Err, ErrProtocol)
	s.end()
	interrupted(t, <-s.result, 3, context.Canceled)
}

func TestServerThatEndsSaysGoodbyeToParkedSessions(t *testing.T) {
	s := serveOnSocket(t, Config{}, echo)
	var clients []*peer
	for range 20 {
		client, _ := s.dialParked()
		clients = append(clients, client)
	}
	awake, _ := s.dial()
	s.end()
	for _, client := range append(clients, awake) {
		client.expect("close")
		client.send(wire.KindCloseOK)
		client.expect("EOF")
	}
	interrupted(t, <-s.result, 21, context.Canceled)
	if len(s.ended) != 21 {
		t.Errorf("%d connections ended, want 21", len(s.ended))
	}
}

func TestServerFinishesWithParkedSessions(t *testing.T) {
	s := serveOnSocket(t, Config{}, func(m Message, c Continuation[int], count int) Continuation[int] {
		if m.Content() == "stop" {
			return c.Stop()
		}
		return echo(m, c, count)
	})
	parked, _ := s.dialParked()
	stopping, _ := s.dialParked()
	stopping.send("stop")
	stopping.expect("ack", "close")
	stopping.send(wire.KindCloseOK)
	parked.expect("close")
	parked.send(wire.KindCloseOK)
	returns(t, "serve until a handler stops", <-s.result, 2)
}

func TestPushToAParkedSession(t *testing.T) {
	s := serveOnSocket(t, Config{}, echo)
	client, c := s.dialParked()
	succeeds(t, "send pushed", c.Send(t.Context(), Text("pushed")))
	client.expect(`"pushed"`)
	if !isParked(c) {
		t.Error("a push resumed the session, want it parked")
	}
}

// TestPushThatIsLeftIsWrittenByAParkedSession has the context of a push end in the
// middle of it.
func TestPushThatIsLeftIsWrittenByAParkedSession(t *testing.T) {
	s := serveOnSocket(t, Config{}, echo)
	client, c := s.dialParked()
	ctx, cancel := context.WithCancel(t.Context())
	sent := make(chan error, 1)
	go func() { sent <- c.Send(ctx, Text(strings.Repeat("x", 8<<20))) }()
	var first [1]byte
	if _, err := io.ReadFull(client.conn, first[:]); err != nil {
		t.Fatalf("read the first byte of a push: %v", err)
	}
	cancel()
	fails(t, "send", <-sent, context.Canceled)
	rest := len(encode(strings.Repeat("x", 8<<20))) - 1
	if n, err := io.CopyN(io.Discard, client.conn, int64(rest)); err != nil {
		t.Errorf("read the rest of a push: got %d of %d bytes and the error %v, want all", n, rest, err)
	}
	eventually(t, "parked again", func() bool { return isParked(c) })
	client.send("then")
	client.expect("ack", `"echo: then"`)
}

func TestCloseOfAParkedSession(t *testing.T) {
	s := serveOnSocket(t, Config{}, echo)
	client, c := s.dialParked()
	c.Close()
	client.expect("close")
	client.send(wire.KindCloseOK)
	client.expect("EOF")
	if e := <-s.ended; e.Connection != c || e.Err != nil {
		t.Errorf("a connection that the server closed ended with %+v, want itself without an error", e)
	}
	s.end()
	interrupted(t, <-s.result, 1, context.Canceled)
}

// exchangesOnSocket runs a server that keeps one state for everybody.
func exchangesOnSocket(t *testing.T, handle func(Exchange)) *onSocket {
	t.Helper()
	config := Config{Heartbeat: -1}
	s := newOnSocket(t)
	ctx, cancel := context.WithCancel(t.Context())
	s.end = cancel
	go func() {
		count := 0
		err := Exchanges(s.come(config)).ForEach(ctx, func(x Exchange) {
			count++
			handle(x)
		})
		s.result <- fold.Try(count, err)
	}()
	return s
}

func TestHeldIsAnsweredWhileItsSessionIsParked(t *testing.T) {
	helds := make(chan *Held, 10)
	s := exchangesOnSocket(t, func(x Exchange) {
		if x.Content() == "later" {
			helds <- x.Hold()
			return
		}
		x.Respond(Text("echo: " + x.Content()))
	})
	client, c := s.dialParked()
	for range 3 {
		client.send("later", "behind")
		held := <-helds
		eventually(t, "behind is handled", func() bool { return c.answers.Len() == 2 })
		awaitParked(t, c)
		succeeds(t, "answer a held message", held.Respond(t.Context(), Text("answer")))
		client.expect("ack", `"answer"`, "ack", `"echo: behind"`)
		if !isParked(c) {
			t.Error("the answer resumed the session, want it parked")
		}
	}
	client.leave()
}

func TestExchangesOfParkedSessionsEndWithTheirRun(t *testing.T) {
	s := exchangesOnSocket(t, func(x Exchange) { x.Respond(Text("echo: " + x.Content())) })
	first, _ := s.dialParked()
	second, _ := s.dialParked()
	for i := range 3 {
		first.send(fmt.Sprint(i))
		first.expect("ack", fmt.Sprintf(`"echo: %d"`, i))
	}
	s.end()
	for _, client := range []*peer{first, second} {
		client.expect("close")
		client.send(wire.KindCloseOK)
		client.expect("EOF")
	}
	fails(t, "serve until the context ends", (<-s.result).Err(), context.Canceled)
}

func TestPipelineThatPanicsEndsParkedSessions(t *testing.T) {
	s := newOnSocket(t)
	panicked := make(chan any, 1)
	go func() {
		defer func() { panicked <- recover() }()
		Exchanges(s.come(Config{Heartbeat: -1, Grace: time.Minute})).ForEach(t.Context(), func(x Exchange) {
			if x.Content() == "panic" {
				panic("boom")
			}
			x.Respond(Text("echo: " + x.Content()))
		})
	}()
	parked, _ := s.dialParked()
	bad, _ := s.dialParked()
	bad.send("panic")
	parked.expect("close")
	parked.send(wire.KindCloseOK)
	bad.conn.Close()
	if value := <-panicked; value != "boom" {
		t.Errorf("the pipeline panicked with %v, want boom", value)
	}
	if len(s.ended) != 2 {
		t.Errorf("%d connections ended, want 2", len(s.ended))
	}
}

func TestHandlerThatPanicsOrExitsAfterItsSessionWasParked(t *testing.T) {
	exited := make(chan bool, 1)
	s := newOnSocket(t)
	go func() {
		returned := false
		defer func() { exited <- !returned && recover() == nil }()
		ServeConnections(s.come(Config{Heartbeat: -1}), fold.Sum[int]()).With(t.Context(),
			func(m Message, c Continuation[int], count int) Continuation[int] {
				if m.Content() == "exit" {
					runtime.Goexit()
				}
				return explode(m, c, count)
			})
		returned = true
	}()
	other, _ := s.dialParked()
	exits, _ := s.dialParked()
	bad, _ := s.dialParked()
	bad.send("panic")
	bad.expect("close")
	bad.send(wire.KindCloseOK)
	if e := <-s.ended; Reason(e.Err) != "panic" {
		t.Errorf("the connection of a handler that panicked ended with %v, want the reason panic", e.Err)
	}
	other.send("unconcerned")
	other.expect("ack", `"echo: unconcerned"`)
	exits.send("exit")
	exits.expect("EOF")
	other.expect("close")
	other.send(wire.KindCloseOK)
	if !<-exited {
		t.Error("the handler's exit has not reached the caller of With, want it to")
	}
}

func TestSessionOfAConnectionThatIsReadAlreadyLeavesItAlone(t *testing.T) {
	s := serveOnSocket(t, Config{}, echo)
	client, c := s.dialParked()
	err := Exchanges(stream.Just(c)).ForEach(t.Context(), func(Exchange) { t.Error("an exchange") })
	fails(t, "read a connection that is read already", err, errClaimed)
	c.Close() // still reaches its session
	client.expect("close")
	client.send(wire.KindCloseOK)
	client.expect("EOF")
}
