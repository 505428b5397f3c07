//go:build unix

package socket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket/internal/wire"
	"github.com/rxipc/rxipc/stream"
)

// busyServers are the ways to handle a message until its client is gone: run serves
// connections, calls began when a handler has begun, and ended with the context's cause.
var busyServers = map[string]func(ctx context.Context, connections stream.Observable[*Connection], began func(Message), ended func(error)){
	"With": func(ctx context.Context, connections stream.Observable[*Connection], began func(Message), ended func(error)) {
		ServeConnections(connections, fold.Sum[int]()).With(ctx, func(m Message, c Continuation[int], _ int) Continuation[int] {
			began(m)
			<-c.Context().Done()
			ended(context.Cause(c.Context()))
			return c
		})
	},
	"Exchanges": func(ctx context.Context, connections stream.Observable[*Connection], began func(Message), ended func(error)) {
		Exchanges(connections).ForEach(ctx, func(x Exchange) {
			began(x.Message)
			<-x.Context().Done()
			ended(context.Cause(x.Context()))
		})
	},
	"Connection.Exchanges": func(ctx context.Context, connections stream.Observable[*Connection], began func(Message), ended func(error)) {
		connections.ForEach(ctx, func(c *Connection) {
			c.Exchanges().ForEach(ctx, func(x Exchange) {
				began(x.Message)
				<-x.Context().Done()
				ended(context.Cause(x.Context()))
			})
		})
	},
	"Hold": func(ctx context.Context, connections stream.Observable[*Connection], began func(Message), ended func(error)) {
		Exchanges(connections).ForEach(ctx, func(x Exchange) {
			held := x.Hold()
			began(x.Message)
			go func() {
				<-held.Context().Done()
				ended(context.Cause(held.Context()))
			}()
		})
	},
}

// clientEndings are what a client does while its message "work" is handled, and whether
// that is an orderly close.
var clientEndings = []struct {
	name    string
	act     func(*peer)
	orderly bool // it says connection.close
	waits   bool // for the answer to that
}{
	{"dies", func(client *peer) { client.conn.Close() }, false, false},
	{"dies with messages unread", func(client *peer) {
		client.send("unread", "unread, too")
		client.conn.Close()
	}, false, false},
	{"dies in the middle of a message", func(client *peer) {
		client.send(encode("a message that will not be whole")[:20])
		client.conn.Close()
	}, false, false},
	{"closes", func(client *peer) { client.send(wire.KindClose) }, true, true},
	{"closes behind a message", func(client *peer) { client.send("unread", wire.KindClose) }, true, true},
	{"closes behind part of a message that came before", func(client *peer) {
		whole := encode("unread")
		client.send(whole[:9])
		time.Sleep(2 * time.Second) // in a bubble: what was sent before is looked at
		client.send(whole[9:], wire.KindClose)
	}, true, true},
	{"closes behind a long message", func(client *peer) { client.send(strings.Repeat("long ", 4000), wire.KindClose) }, true, true},
	{"closes and goes", func(client *peer) {
		client.send(wire.KindClose)
		client.conn.Close()
	}, true, false},
}

func TestConnectionContextIsDoneWhileTheHandlerWorks(t *testing.T) {
	for how, run := range busyServers {
		for _, ending := range clientEndings {
			t.Run(how+": client "+ending.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					listener := newMemoryListener()
					defer listener.Close()
					ipc := New(Config{Heartbeat: -1, ServerConfig: ServerConfig{MaxHeld: 1}, MaxMessage: 1 << 20})
					client := listener.client(t, 0)
					checkBusyServer(t, client, func(began func(Message), ended func(error)) {
						run(t.Context(), ipc.Accept(listener), began, ended)
					}, ending.act, ending.orderly, ending.waits)
				})
			})
		}
	}
}

// checkBusyServer has a client act while its message is handled, and wants the handler to
// learn of it within a second.
func checkBusyServer(t *testing.T, client *peer, run func(began func(Message), ended func(error)), act func(*peer), orderly, waits bool) {
	handling, done := make(chan Message, 10), make(chan error, 10)
	go run(func(m Message) { handling <- m }, func(err error) { done <- err })
	client.greet().send("work")
	<-handling
	act(client)
	acted := time.Now()
	err := <-done
	if took := time.Since(acted); took > time.Second {
		t.Errorf("the handler's context was done %v after the client was gone, want a second at most", took)
	}
	if died := errors.Is(err, io.ErrUnexpectedEOF); err == nil || died == orderly {
		t.Errorf("the context's cause is %v, want an error, and io.ErrUnexpectedEOF unless the end was orderly: %v", err, orderly)
	}
	if waits {
		client.expect("close-ok", "EOF")
		client.conn.Close()
	}
	synctest.Wait()
	if n := len(handling); n != 0 {
		t.Errorf("%d more messages were handled of a client that was gone, want none", n)
	}
}

func TestConnectionContextIsDoneWhileTheHandlerWorksOverUnixSockets(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup // at the same time: each takes half a second
	for how, run := range busyServers {
		for _, ending := range clientEndings {
			if strings.Contains(ending.name, "came before") {
				continue // needs a bubble's time
			}
			ours, theirs := unixPair(t)
			listener := newMemoryListener()
			listener.waiting <- theirs
			ended, began := make(chan error, 10), make(chan Message, 10)
			all.Go(func() {
				ipc := New(Config{ServerConfig: ServerConfig{MaxHeld: 1}})
				run(t.Context(), ipc.Accept(listener), func(m Message) { began <- m }, func(err error) { ended <- err })
			})
			all.Go(func() {
				defer ours.Close()
				defer listener.Close()
				client := newPeer(t, ours)
				client.greet().send("work")
				<-began
				ending.act(client)
				if err := <-ended; err == nil || errors.Is(err, io.ErrUnexpectedEOF) == ending.orderly {
					t.Errorf("%s: client %s: the context's cause is %v, want an error, and io.ErrUnexpectedEOF unless the end was orderly", how, ending.name, err)
				}
				if len(began) != 0 {
					t.Errorf("%s: client %s: %v was handled, want nothing more", how, ending.name, <-began)
				}
			})
		}
	}
	all.Wait()
}

func TestConnectionContextOfAHalfClosedClientLasts(t *testing.T) {
	t.Parallel()
	ours, theirs := unixPair(t)
	config := Config{Heartbeat: 50 * time.Millisecond}.withDefaults()
	c := newConnection(theirs, &config, serverTimers(&config))
	go c.Exchanges().ForEach(t.Context(), func(x Exchange) {
		for range 2 { // looks
			for at := c.nextPeek.Load(); c.nextPeek.Load() == at && x.Context().Err() == nil; {
				time.Sleep(time.Millisecond)
			}
		}
		x.Respond(Text("still here"))
	})
	client := newPeer(t, ours)
	client.greet().send("work")
	ours.(*net.UnixConn).CloseWrite()
	for got := client.next(); got != `"still here"`; got = client.next() {
		if got != "heartbeat" && got != "ack" {
			t.Fatalf("a client that says no more received %s, want its answer", got)
		}
	}
}

func TestConnectionContextOfABusyClientLasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := serve(t, Config{Heartbeat: -1}, fold.Sum[int](), func(m Message, c Continuation[int], count int) Continuation[int] {
			time.Sleep(40 * time.Minute)
			if err := c.Context().Err(); err != nil {
				t.Errorf("the client is there and the context of %s ended with %v, want that it lasts", m.Content(), context.Cause(c.Context()))
			}
			return echo(m, c, count)
		})
		client := server.dial().greet()
		client.send("one")
		for range 3 {
			time.Sleep(10 * time.Minute) // what came is kept
			client.send(wire.KindHeartbeat, "more")
		}
		quoted := "quoted: " + wire.KindClose.Frame()
		client.send(quoted)
		client.expect("ack", `"echo: one"`)
		for range 3 {
			client.expect("ack", `"echo: more"`)
		}
		client.expect("ack", fmt.Sprintf("%q", fmt.Sprint(len("echo: "+quoted), " bytes")))
		client.leave()
		server.end()
		interrupted(t, <-server.result, 5, context.Canceled)
	})
}

func TestCloseIsAnsweredBehindAnAnswerThatIsNotReadYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener := newMemoryListener()
		defer listener.Close()
		connections := New(Config{Heartbeat: -1}).Accept(listener)
		go Exchanges(connections).ForEach(t.Context(), func(x Exchange) {
			go x.Hold().Respond(t.Context(), Text(strings.Repeat("answer ", 100)))
			<-x.Context().Done()
		})
		conn, err := listener.dial(64)
		if err != nil {
			t.Fatal("dialing: ", err)
		}
		client := newPeer(t, conn).greet()
		client.send("work", wire.KindClose)
		time.Sleep(10 * lookEvery) // somebody else writes at each look
		client.expect("ack", `"700 bytes"`, "close-ok", "EOF")
		conn.Close()
	})
}

func TestCloseIsSeenBehindMessagesThatAreHandledAlready(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		handled := 0
		server := serve(t, Config{Heartbeat: -1}, fold.Sum[int](), func(_ Message, c Continuation[int], _ int) Continuation[int] {
			if handled++; handled == 20 {
				<-c.Context().Done()
			}
			return c
		})
		client := server.dial().greet()
		large := encode(strings.Repeat("x", 2000))
		client.send(bytes.Repeat(large, 24))
		synctest.Wait() // four wait behind the one that is handled, and there is room for more
		client.send(wire.KindClose)
		got := client.next()
		for got == "ack" { // as many as left before
			got = client.next()
		}
		if got != "close-ok" {
			t.Errorf("a client that closes behind its messages received %s, want close-ok", got)
		}
		client.expect("EOF")
		client.conn.Close()
		server.end()
		<-server.result
	})
}

func TestConnectionContextIsDoneAfterThousandsOfHeartbeats(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		done := make(chan struct{})
		server := serve(t, Config{Heartbeat: -1}, fold.Sum[int](), func(_ Message, c Continuation[int], _ int) Continuation[int] {
			<-c.Context().Done()
			close(done)
			return c
		})
		client := server.dial().greet()
		client.send("work")
		for range 1500 {
			time.Sleep(lookEvery)
			client.send(wire.KindHeartbeat, wire.KindHeartbeat)
		}
		client.send(wire.KindClose)
		<-done
		client.expect("close-ok", "EOF")
		client.conn.Close()
		server.end()
		<-server.result
	})
}

func TestConnectionContextEndsNoHandlerLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // at the moment of a look, too
		server := serve(t, Config{Heartbeat: -1}, fold.Sum[int](), func(m Message, c Continuation[int], count int) Continuation[int] {
			time.Sleep(lookEvery)
			return echo(m, c, count)
		})
		client := server.dial().greet()
		for range 20 {
			start := time.Now()
			client.send("work")
			client.expect("ack", `"echo: work"`)
			if took := time.Since(start); took != lookEvery {
				t.Errorf("the answer came after %v, want %v", took, lookEvery)
			}
		}
		client.leave()
		server.end()
		<-server.result
	})
}

func TestRejectOfAHandlerLeavesItsMessageUnacknowledged(t *testing.T) {
	errNoStock := errors.New("out of stock")
	for name, test := range map[string]struct {
		reject func(Continuation[int]) Continuation[int]
		want   error
	}{
		"with an error":         {func(c Continuation[int]) Continuation[int] { return c.Reject(errNoStock) }, errNoStock},
		"without one":           {func(c Continuation[int]) Continuation[int] { return c.Reject(nil) }, ErrRejected},
		"whatever was answered": {func(c Continuation[int]) Continuation[int] { return c.Reject(errNoStock).Respond(Text("bought")) }, errNoStock},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var handled []error
				config := Config{Hooks: Hooks{ServerHooks: ServerHooks{Handled: func(h Handling) { handled = append(handled, h.Err) }}}}
				ended := make(chan error, 1)
				config.Hooks.Closed = func(e Ending) { ended <- e.Err }
				server := serve(t, config, fold.Sum[int](), func(m Message, c Continuation[int], count int) Continuation[int] {
					if m.Content() == "reject" {
						return test.reject(c.CarryWith(100))
					}
					return c.CarryWith(count + 1)
				})
				client := server.dial().greet()
				client.send("one", "reject", "never handled")
				client.expect("ack", "close")
				client.send(wire.KindCloseOK)
				client.expect("EOF")
				if err := <-ended; !errors.Is(err, test.want) || Reason(err) != "rejected" {
					t.Errorf("the connection ended with %v, reason %s, want %v", err, Reason(err), test.want)
				}
				if len(handled) != 2 || handled[0] != nil || !errors.Is(handled[1], test.want) {
					t.Errorf("the hook was told %v, want nil and %v", handled, test.want)
				}
				server.end()
				interrupted(t, <-server.result, 1, context.Canceled)
			})
		})
	}
}
