package socket

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket/internal/wire"
)

func TestProcessSendsEachMessageOnceTheOneBeforeIsAcknowledged(t *testing.T) {
	for _, ack := range []wire.Kind{wire.KindReceived, wire.KindAck} {
		synctest.Test(t, func(t *testing.T) {
			p, server := attached(t, Config{ClientConfig: ClientConfig{Window: 1}}, 0)
			sent := make(chan error)
			go func() { sent <- p.Send(t.Context(), Text("a"), Text("b"), Text("c")).Err() }()
			server.expect("start-ok", `"a"`)
			synctest.Wait()
			same(t, decoded(peerChunks(server)), `start-ok "a"`)
			server.send("not an ack", ack)
			server.expect(`"b"`)
			server.send(ack, wire.KindClose)
			server.expect("close-ok", "EOF")
			err := <-sent
			if e := sendError(t, err); e.Acknowledged != 2 || !errors.Is(err, ErrDisconnected) {
				t.Errorf("send a, b and c: got the error %v, want ErrDisconnected with 2 acknowledged", err)
			}
			receives(t, "wait for a message", p.Wait(t.Context()), "not an ack")
			fails(t, "wait for a message", p.Wait(t.Context()).Err(), ErrDisconnected)
			succeeds(t, "close the process", p.Close(t.Context()).Err())
		})
	}
}

func TestResponsesAreNeverTakenForAcknowledgements(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := attached(t, Config{}, 0)
		server.send("pushed", "pushed too")
		sent := make(chan error)
		go func() { sent <- p.Send(t.Context(), Text("a")).Err() }()
		time.Sleep(time.Millisecond)
		select {
		case err := <-sent:
			t.Errorf("send a before it is acknowledged: it returned %v, want that it blocks", err)
		default:
		}
		server.send("before", wire.KindReceived, "after")
		succeeds(t, "send", <-sent)
		for _, want := range []string{"pushed", "pushed too", "before", "after"} {
			receives(t, "wait for a message", p.Wait(t.Context()), want)
		}
		p.Conn().Close()
	})
}

func TestAcknowledgementsThatAreUnknownAreIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := attached(t, Config{}, 0)
		server.send(wire.KindReceived, wire.KindReceived, "m")
		p.Wait(t.Context())
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := p.Send(ctx, Text("a")).Err(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("send a, acknowledged before it was sent: got the error %v, want context.DeadlineExceeded", err)
		}
		p.Conn().Close()
	})
}

func TestProcessAcknowledgesOnlyToServersThatWantIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, dialect := range []wire.Kind{wire.KindReceived, wire.KindAck} {
			p, server := attached(t, Config{Heartbeat: -1}, 0)
			server.send("before anything is known")
			p.Wait(t.Context())
			sent := make(chan error)
			go func() { sent <- p.Send(t.Context(), Text("a")).Err() }()
			server.expect("start-ok", `"a"`)
			server.send(dialect, "one", "two")
			succeeds(t, "send", <-sent)
			start := time.Now()
			if dialect == wire.KindReceived {
				p.Wait(t.Context())
				time.Sleep(time.Minute)
				p.Conn().Close()
				server.expect("EOF")
				continue
			}
			server.expect("ack", "ack")
			same(t, []time.Duration{time.Since(start)}, settleTime)
			server.send("three")
			go func() { // not read meanwhile
				p.Wait(t.Context())
				p.Wait(t.Context())
				p.Wait(t.Context())
				sent <- p.Send(t.Context(), Text("b")).Err()
			}()
			synctest.Wait()
			server.expect("ack", `"b"`)
			server.send(wire.KindAck, "four", "five")
			<-sent
			p.Wait(t.Context())
			p.Wait(t.Context())
			start = time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			p.Wait(ctx) // blocks: what is owed leaves before
			cancel()
			server.expect("ack", "ack")
			if took := time.Since(start); took > settleTime {
				t.Errorf("the acknowledgements left %v after the answers, want %v at most", took, settleTime)
			}
			p.Conn().Close()
		}
	})
}

func TestAcknowledgementLeavesWithTheNextWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := attached(t, Config{Heartbeat: -1}, 0)
		go func() {
			server.expect("start-ok", `"a"`)
			server.send(wire.KindAck, "re")
			server.expect("ack", `"b"`)
			server.send(wire.KindAck)
		}()
		succeeds(t, "send a", p.Send(t.Context(), Text("a")).Err())
		succeeds(t, "send b", p.Send(t.Context(), Text("b")).Err())
		same(t, decoded(peerChunks(server)), `start-ok "a"`, `ack "b"`)
		p.Conn().Close()
	})
}

func TestStartOKLeavesByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		p, server := attached(t, Config{}, 0)
		server.expect("start-ok")
		same(t, []time.Duration{time.Since(start)}, settleTime)
		p.Conn().Close()
	})
}

func TestWaitSendsAtOnceWhatIsOwed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := attached(t, Config{Heartbeat: -1}, 0)
		start := time.Now()
		waiting := func() {
			go p.Wait(t.Context())
			synctest.Wait()
		}
		atOnce := func(owed string) {
			t.Helper()
			server.expect(owed)
			if took := time.Since(start); took != 0 {
				t.Errorf("Wait sent %s after %v, want at once", owed, took)
			}
		}
		waiting()
		atOnce("start-ok")
		server.send(wire.KindAck, "one")
		synctest.Wait()
		waiting()
		atOnce("ack")
		p.Conn().Close()
	})
}

func TestWaitingProcessSendsHeartbeatsEachInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := attached(t, Config{Heartbeat: time.Second}, 0)
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 3500*time.Millisecond)
		defer cancel()
		go func() {
			time.Sleep(1500 * time.Millisecond)
			server.send(wire.KindHeartbeat) // does not prolong anything
		}()
		fails(t, "wait for a message", p.Wait(ctx).Err(), context.DeadlineExceeded)
		same(t, []time.Duration{time.Since(start)}, 3500*time.Millisecond)
		time.Sleep(time.Hour) // nobody waits: silence
		same(t, decoded(peerChunks(server)), "start-ok", "heartbeat", "heartbeat", "heartbeat")
		server.send("still usable")
		receives(t, "wait for a message", p.Wait(t.Context()), "still usable")
		p.Conn().Close()
	})
}

func TestWaitCancelledInsideAFrameLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, m := range []Message{Text("small"), Text(strings.Repeat("x", 100_000))} {
			p, server := attached(t, Config{}, 0)
			bytes := encode(m)
			for i := range 20 {
				server.send(bytes[i : i+1])
				ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				fails(t, "wait for a message", p.Wait(ctx).Err(), context.DeadlineExceeded)
				cancel()
			}
			server.send(bytes[20:])
			if got := must(t, "wait for a message after Waits that ended inside of it", p.Wait(t.Context())); got != m {
				t.Errorf("wait for a message after Waits that ended inside of it: got %v, want %v", got, m)
			}
			p.Conn().Close()
		}
	})
}

func TestProcessReadsOneByteAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := newPipe(1)
		ours.in.most = 1
		server := newPeer(t, theirs)
		go func() {
			server.sendBytewise(wire.KindStart)
			server.expect("start-ok", `"a"`)
			server.sendBytewise(wire.KindHeartbeat, wire.KindAck, "re: a")
			server.expect("ack", "close")
			server.sendBytewise("late", wire.KindCloseOK)
			theirs.Close()
		}()
		p := must(t, "attach to the connection", New(Config{}).Attach(t.Context(), ours))
		receives(t, "send a and wait for the answer", fold.Then(p.Send(t.Context(), Text("a")), Wait(t.Context())), "re: a")
		succeeds(t, "close the process", p.Close(t.Context()).Err())
		if m, err := p.Wait(t.Context()).Get(); err == nil && m != Text("late") {
			t.Errorf("wait for a message after Close: got %v, want late or an error", m)
		}
	})
}

func TestMaxUnreadRefusesUntilSomeAreRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, content := range []string{"", strings.Repeat("x", 100)} {
			p, server := attached(t, Config{ClientConfig: ClientConfig{MaxUnread: 1000}, Heartbeat: -1}, 0)
			for range 20 {
				server.send(content)
			}
			fails(t, "send a", p.Send(t.Context(), Text("a")).Err(), ErrUnread)
			server.send(wire.KindReceived)
			for range 20 {
				receives(t, "wait for a message", p.Wait(t.Context()), content)
			}
			go func() {
				server.expect("start-ok", `"a"`, `"b"`)
				server.send(wire.KindReceived)
			}()
			succeeds(t, "send b", p.Send(t.Context(), Text("b")).Err())
			p.Conn().Close()
		}
	})
}

func TestProcessRefusesWhatCannotBeSentBeforeAByteIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := attached(t, Config{MaxMessage: 100}, 0)
		server.expect("start-ok")
		for _, bad := range []struct {
			m    Message
			want error
		}{{Text("innmind/ipc:ack"), ErrReserved}, {Message{}, ErrInvalid}, {Text(strings.Repeat("x", 101)), ErrTooLarge}} {
			err := p.Send(t.Context(), Text("fine"), bad.m).Err()
			if e := sendError(t, err); !errors.Is(err, bad.want) || e.Acknowledged != 0 {
				t.Errorf("send fine and %v: got the error %v, want %v with none acknowledged", bad.m, err, bad.want)
			}
		}
		same(t, decoded(peerChunks(server)), "start-ok")
		p.Conn().Close()
	})
}

func TestProcessTellsHowTheServerEnded(t *testing.T) {
	for name, test := range map[string]struct {
		play func(*peer)
		want error
	}{
		"in an orderly way": {func(s *peer) { s.send(wire.KindClose) }, ErrDisconnected},
		"just gone":         {func(s *peer) { s.conn.Close() }, io.ErrUnexpectedEOF},
		"inside a frame":    {func(s *peer) { s.send([]byte("\x00\x06te")); s.conn.Close() }, io.ErrUnexpectedEOF},
		"garbage":           {func(s *peer) { s.send([]byte("\x00\x06text/x\x00\x00\x00\x01a!")) }, ErrProtocol},
		"too large":         {func(s *peer) { s.send(NewMessage(JSON(), strings.Repeat("x", 101))) }, ErrTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, server := attached(t, Config{MaxMessage: 100}, 0)
				var waiting sync.WaitGroup
				for range 5 {
					waiting.Go(func() {
						fails(t, "wait for a message", p.Wait(t.Context()).Err(), test.want)
					})
				}
				synctest.Wait()
				if test.want == io.ErrUnexpectedEOF {
					server.expect("start-ok")
				}
				test.play(server)
				waiting.Wait()
				fails(t, "send a", p.Send(t.Context(), Text("a")).Err(), test.want)
				err := p.Messages().Run(t.Context())
				if test.want == ErrDisconnected != (err == nil) {
					t.Errorf("read all messages: got the error %v, want none only after an orderly end", err)
				}
				succeeds(t, "close the process", p.Close(t.Context()).Err())
			})
		})
	}
}

func TestServerThatDiesWithUnreadBytesIsJustGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := attached(t, Config{}, 0)
		time.Sleep(time.Second) // start-ok waits unread
		server.conn.Close()
		fails(t, "wait for a message", p.Wait(t.Context()).Err(), io.ErrUnexpectedEOF)
		succeeds(t, "close the process", p.Close(t.Context()).Err())
	})
}

func TestProcessIsUsedAfterCloseInVain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := attached(t, Config{}, 0)
		go func() {
			server.expect("start-ok", "close")
			server.send("unread", wire.KindCloseOK)
		}()
		succeeds(t, "close the process", p.Close(t.Context()).Err())
		fails(t, "send a", p.Send(t.Context(), Text("a")).Err(), net.ErrClosed)
		receives(t, "wait for a message", p.Wait(t.Context()), "unread")
		fails(t, "wait for a message", p.Wait(t.Context()).Err(), net.ErrClosed)
		succeeds(t, "close the process", p.Close(t.Context()).Err())
	})
}

func TestClientSaysNothingBeforeItIsGreeted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := newPipe(0)
		server := newPeer(t, theirs)
		go func() {
			time.Sleep(10 * time.Second)
			server.send(wire.KindStart)
			server.expect("start-ok", "heartbeat", "heartbeat")
			server.send("hello")
		}()
		p := must(t, "attach to the connection", New(Config{}).Attach(t.Context(), ours))
		receives(t, "wait for a message", p.Wait(t.Context()), "hello")
		p.Conn().Close()
	})
}

// The heartbeats that come while no call reads do not fill the connection, which would end it. A
// server that closes meanwhile is noticed.
func TestProcessThatIsIdleForADayIsStillConnected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ipc := New(Config{Transport: newMemory(4 << 10)})
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan fold.Attempt[int])
		go func() { served <- Serve(ipc, remote, fold.Sum[int]()).With(ctx, echo) }()
		p, err := ipc.ConnectTo(ctx, remote).Get()
		if err != nil {
			t.Fatalf("connect: %v", err)
		}
		for _, idle := range []time.Duration{24 * time.Hour, time.Hour} {
			time.Sleep(idle)
			if m, err := p.Request(ctx, Text("a")).Get(); m != Text("echo: a") {
				t.Errorf("request after %v: got %v, %v, want the echo", idle, m, err)
			}
		}
		cancel()
		<-served
		p.Close(t.Context())
	})
}
