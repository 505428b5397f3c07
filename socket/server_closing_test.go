package socket

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket/internal/wire"
)

func TestCloseOfBothSidesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := serve(t, Config{}, fold.Sum[int](), echo)
		client := server.dial().greet()
		synctest.Wait()
		server.end()
		client.expect("close")
		client.send(wire.KindClose) // as if it had crossed
		client.expect("close-ok")
		client.send(wire.KindCloseOK)
		client.expect("EOF")
		interrupted(t, <-server.result, 0, context.Canceled)
	})
}

func TestRunOfAConnectionReturnsTheCauseOfItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		errDone := errors.New("done for today")
		ctx, cancel := context.WithCancelCause(t.Context())
		ours, theirs := newPipe(0)
		config := Config{}.withDefaults()
		ran := make(chan error, 1)
		connection := newConnection(theirs, &config, serverTimers(&config))
		go func() { ran <- connection.Exchanges()(ctx, func(Exchange) bool { return true }) }()
		client := newPeer(t, ours).greet()
		cancel(errDone)
		client.expect("close")
		client.send(wire.KindCloseOK)
		client.expect("EOF")
		if err := <-ran; err != errDone {
			t.Errorf("the run of a connection whose context ended: got %v, want %v", err, errDone)
		}
	})
}

func TestServerAwaitsConsentUpToTheGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := serve(t, Config{Grace: 3 * time.Second, Heartbeat: -1}, fold.Sum[int](), echo)
		client, stuck := server.dial().greet(), server.dial()
		synctest.Wait()
		start := time.Now()
		server.end()
		client.expect("close", "EOF")
		stuck.expect("start", "close", "EOF")
		interrupted(t, <-server.result, 0, context.Canceled)
		same(t, []time.Duration{time.Since(start)}, 3*time.Second)
	})
}

func TestServerHeartbeatsWhileItAwaitsConsent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := serve(t, Config{Grace: 2500 * time.Millisecond, Heartbeat: time.Second}, fold.Sum[int](), echo)
		client := server.dial().greet()
		synctest.Wait()
		server.end()
		client.expect("close", "heartbeat", "heartbeat", "EOF")
		<-server.result
	})
}

func TestClientThatDoesNotReadCostsTheServerTheGraceAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := serve(t, Config{}, fold.Sum[int](), func(m Message, c Continuation[int], count int) Continuation[int] {
			return c.Respond(Text(strings.Repeat("x", 1000))).CarryWith(count + 1)
		})
		server.limit = 100
		client := server.dial().greet()
		client.send("one")
		synctest.Wait()
		start := time.Now()
		server.end()
		interrupted(t, <-server.result, 1, context.Canceled)
		if took := time.Since(start); took > time.Second+10*time.Millisecond {
			t.Errorf("ending beside a client that does not read took %v, want a grace of 1 s", took)
		}
	})
}

func TestServerThatIsForcedDoesNotAwaitConsent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		force, forceNow := context.WithCancel(context.Background())
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), forceKey{}, force))
		listener := newMemoryListener()
		result := make(chan fold.Attempt[int])
		go func() {
			result <- ServeConnections(New(Config{Grace: time.Hour}).Accept(listener), fold.Sum[int]()).With(ctx, echo)
		}()
		conn, _ := listener.dial(0)
		client := newPeer(t, conn).greet()
		synctest.Wait()
		cancel()
		client.expect("close")
		start := time.Now()
		forceNow()
		client.expect("EOF")
		interrupted(t, <-result, 0, context.Canceled)
		if took := time.Since(start); took > 10*time.Millisecond {
			t.Errorf("ending by force took %v, want no wait for the client's consent", took)
		}
	})
}

func TestServerThatIsForcedStillSaysGoodbye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		force, forceNow := context.WithCancel(context.Background())
		forceNow()
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), forceKey{}, force))
		listener := newMemoryListener()
		result := make(chan fold.Attempt[int])
		go func() {
			result <- ServeConnections(New(Config{}).Accept(listener), fold.Sum[int]()).With(ctx, echo)
		}()
		conn, _ := listener.dial(0)
		client := newPeer(t, conn).greet()
		synctest.Wait()
		cancel()
		client.expect("close", "EOF")
		<-result
	})
}

func TestConnectionThatIsClosedCompletesItsExchanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := newPipe(0)
		listener := newMemoryListener()
		listener.waiting <- theirs
		c := must(t, "accept the connection", New(Config{}).Accept(listener).First(t.Context()))
		ended := make(chan error)
		go func() { ended <- c.Exchanges().Run(t.Context()) }()
		client := newPeer(t, ours).greet()
		synctest.Wait()
		fails(t, "run the connection's exchanges", c.Exchanges().Run(t.Context()), errClaimed)
		c.Close()
		c.Close()
		client.expect("close")
		client.send(wire.KindCloseOK)
		client.expect("EOF")
		if err := <-ended; err != nil || c.Err() != nil {
			t.Errorf("the exchanges of a closed connection ended with %v, and the connection with %v; want no error", err, c.Err())
		}
	})
}

func TestExchangesThatAreCancelledFailWithTheCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := newPipe(0)
		config := Config{}.withDefaults()
		c := newConnection(theirs, &config, serverTimers(&config))
		ctx, cancel := context.WithCancelCause(t.Context())
		reason := errors.New("reason")
		ended := make(chan error)
		go func() { ended <- c.Messages().Run(ctx) }()
		client := newPeer(t, ours).greet()
		client.send("hello")
		client.expect("ack")
		cancel(reason)
		client.expect("close")
		client.send(wire.KindCloseOK)
		client.expect("EOF")
		if err := <-ended; err != reason {
			t.Errorf("messages of a cancelled run: got the error %v, want %v", err, reason)
		}
	})
}
