package socket

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket/internal/wire"
)

// TestSilenceOfAServerIsNoticed has a server say nothing any more, while each of those that
// can wait does.
func TestSilenceOfAServerIsNoticed(t *testing.T) {
	for what, wait := range map[string]func(*testing.T, *Process) error{
		"Wait":     func(t *testing.T, p *Process) error { return p.Wait(t.Context()).Err() },
		"Send":     func(t *testing.T, p *Process) error { return p.Send(t.Context(), Text("one"), Text("two")).Err() },
		"Request":  func(t *testing.T, p *Process) error { return p.Request(t.Context(), Text("one")).Err() },
		"Messages": func(t *testing.T, p *Process) error { return p.Messages().Run(t.Context()) },
		"requests that are given up": func(t *testing.T, p *Process) (err error) {
			for !errors.Is(err, ErrSilent) {
				ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
				err = p.Request(ctx, Text("one")).Err()
				cancel()
			}
			return err
		},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, server := attached(t, Config{SilenceTimeout: 10 * time.Second}, 0)
				beats := time.Now()
				for range 12 { // it is alive, and nobody reads for longer than that
					time.Sleep(time.Second)
					server.send(wire.KindHeartbeat)
				}
				if took := time.Since(beats); took < 10*time.Second {
					t.Errorf("the server was alive for %v, want 10 s at least", took)
				}
				start := time.Now()
				says(t, what, wait(t, p), []error{ErrSilent}, "nothing came for 10s")
				if took := time.Since(start); took < 10*time.Second || took > 13*time.Second {
					t.Errorf("%s failed after %v, want 10s", what, took)
				}
				server.conn.Close()
			})
		})
	}
}

// TestSilenceOfAnIdleClientIsNone: a client that nobody waits on says heartbeat all the same
// to a server that wants to hear something.
func TestSilenceOfAnIdleClientIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport, name := newMemory(0), MustParseName("patient")
		ipc := New(Config{Transport: transport, SilenceTimeout: 5 * time.Second})
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan fold.Attempt[int])
		go func() {
			result <- Serve(ipc, name, fold.Sum[int]()).With(ctx, func(m Message, c Continuation[int], n int) Continuation[int] {
				time.Sleep(time.Minute) // a handler at work is no silence
				return echo(m, c, n)
			})
		}()
		p, err := ipc.ConnectTo(ctx, name).Get()
		if err != nil {
			t.Fatal("connecting failed:", err)
		}
		time.Sleep(time.Minute)
		if m, err := p.Request(ctx, Text("one")).Get(); err != nil || m != Text("echo: one") {
			t.Errorf("a request after a minute gave %v and failed with %v, want an echo", m, err)
		}
		p.Close(ctx)
		cancel()
		interrupted(t, <-result, 1, context.Canceled)
	})
}

// TestSilenceOfAClientIsNoticed has a client greet and say nothing any more: it is told why
// its connection ends, and so is the server.
func TestSilenceOfAClientIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener := newMemoryListener()
		ended := make(chan error, 1)
		go New(Config{SilenceTimeout: 5 * time.Second, Heartbeat: -1}).Accept(listener)(t.Context(), func(c *Connection) bool {
			go func() {
				c.Exchanges().Run(t.Context())
				ended <- c.Err()
			}()
			return true
		})
		client := listener.client(t, 0)
		client.expect("start")
		client.send([]byte(wire.MarkedStartOK))
		start := time.Now()
		client.expect("close: reason=silent", "EOF")
		if took := time.Since(start); took < 5*time.Second || took > 6*time.Second {
			t.Errorf("the client was told after %v, want 5s", took)
		}
		if err := <-ended; !errors.Is(err, ErrSilent) || Reason(err) != "silent" {
			t.Errorf("the connection ended with %v, want ErrSilent", err)
		}
		client.conn.Close()
		listener.Close()
	})
}

// TestSilenceInTheHandshakeIsTriedAgain has the first connection be accepted by nobody.
func TestSilenceInTheHandshakeIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ipc, name := playedServer(t, nil, true)
		ipc = New(Config{Transport: ipc.config.Transport, SilenceTimeout: time.Second})
		says(t, "Dial", ipc.Dial(t.Context(), name).Err(), []error{ErrNoHandshake, ErrSilent}, "dial played: ")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		says(t, "ConnectTo", ipc.ConnectTo(ctx, name).Err(), []error{ErrNoHandshake, context.DeadlineExceeded}, "connect played: ")
	})
}
