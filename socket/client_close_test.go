package socket

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

func TestCloseIsBoundedByTheGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := attached(t, Config{Grace: 2500 * time.Millisecond, Heartbeat: time.Second}, 0)
		server.expect("start-ok")
		start := time.Now()
		fails(t, "close the process", p.Close(t.Context()).Err(), context.DeadlineExceeded)
		same(t, []time.Duration{time.Since(start)}, 2500*time.Millisecond)
		server.expect("close", "heartbeat", "heartbeat", "EOF")
	})
}

func TestCloseWithAContextThatEndedStillSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := attached(t, Config{}, 0)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		fails(t, "close the process", p.Close(ctx).Err(), context.Canceled)
		server.expect("start-ok", "close", "EOF")
	})
}

func TestCloseIsNotDisturbedByUnreadMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := attached(t, Config{ClientConfig: ClientConfig{MaxUnread: 100}}, 0)
		server.send(strings.Repeat("x", 50), strings.Repeat("x", 200))
		p.Wait(t.Context())
		go func() {
			server.expect("start-ok", "close")
			for range 100 {
				server.send(strings.Repeat("x", 100))
			}
			server.send(wire.KindCloseOK)
			server.conn.Close()
		}()
		succeeds(t, "close the process", p.Close(t.Context()).Err())
		if p.inbox.Len() > 2 {
			t.Errorf("Close that got three messages kept %d, want 2 at most", p.inbox.Len())
		}
	})
}

func TestCloseAgreesWithAServerThatClosesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := attached(t, Config{}, 0)
		server.send(wire.KindClose)
		succeeds(t, "close the process", p.Close(t.Context()).Err())
		server.expect("start-ok", "close", "close-ok", "EOF")
	})
}

func TestCloseCompletesMessagesAndWakesWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 20 {
			p, server := attached(t, Config{}, 0)
			go func() {
				server.expect("start-ok", "close")
				server.send("last", wire.KindCloseOK)
				server.conn.Close()
			}()
			var all sync.WaitGroup
			for range 3 {
				all.Go(func() {
					succeeds(t, "read all messages", p.Messages().Run(t.Context()))
				})
				all.Go(func() {
					if _, err := p.Wait(t.Context()).Get(); err != nil && !errors.Is(err, net.ErrClosed) {
						t.Errorf("wait while the process is closed: got the error %v, want none or net.ErrClosed", err)
					}
				})
			}
			time.Sleep(10 * time.Millisecond)
			all.Go(func() { p.Close(t.Context()) })
			all.Go(func() { p.Close(t.Context()) })
			all.Wait()
		}
	})
}

func TestProcessThatIsClosedHoldsNoBuffer(t *testing.T) {
	for name, end := range map[string]func(ctx context.Context, p *Process, server *peer){
		"the client, asking": func(ctx context.Context, p *Process, server *peer) {
			go func() {
				server.expect("start-ok", "close")
				server.send(wire.KindCloseOK)
			}()
			p.Close(ctx)
		},
		"the client, while somebody waits": func(ctx context.Context, p *Process, server *peer) {
			go p.Wait(ctx)
			synctest.Wait()
			go server.conn.Close()
			p.Close(ctx)
		},
		"the server": func(ctx context.Context, p *Process, server *peer) {
			server.send("unread", wire.KindClose)
			p.Wait(ctx)
			p.Wait(ctx)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, server := attached(t, Config{}, 0)
				end(t.Context(), p, server)
				synctest.Wait()
				p.mu.Lock()
				defer p.mu.Unlock()
				if _, size := p.frames.In.Buffered(); size > 0 {
					t.Errorf("a client that has ended keeps a buffer of %d bytes, want none", size)
				}
			})
		})
	}
}

func TestMessagesIsHotAndLeavesTheRestUnread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := attached(t, Config{}, 0)
		server.send("a", "b", "c", wire.KindClose)
		receives(t, "read the first message", p.Messages().First(t.Context()), "a")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if got, err := p.Messages().Collect(ctx); len(got) != 0 || !errors.Is(err, context.Canceled) {
			t.Errorf("read with a context that has ended: got %v and the error %v, want nothing and context.Canceled", got, err)
		}
		rest, err := p.Messages().Collect(t.Context())
		succeeds(t, "read the rest", err)
		same(t, rest, Text("b"), Text("c"))
		server.expect("start-ok", "close-ok", "EOF")
	})
}

func TestWriteThatBlocksEndsWithItsContextAndTheStreamStaysInSync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, size := range []int{1000, 200_000} {
			p, server := attached(t, Config{Heartbeat: -1}, 100)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			start := time.Now()
			err := p.Send(ctx, Text(strings.Repeat("x", size))).Err()
			cancel()
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
				t.Errorf("send %d bytes within a second: got the error %v after %v, want context.DeadlineExceeded after one second", size, err, time.Since(start))
			}
			go func() {
				server.expect("start-ok")
				server.next() // the large one
				server.expect(`"after"`)
				server.send(wire.KindReceived, "re: large", wire.KindReceived, "re: after")
			}()
			succeeds(t, "send after", p.Send(t.Context(), Text("after")).Err())
			for _, want := range []string{"re: large", "re: after"} {
				receives(t, "wait for a message", p.Wait(t.Context()), want)
			}
			p.Conn().Close()
		}
	})
}

func TestSendWithAContextThatEndedSendsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := attached(t, Config{Heartbeat: -1}, 0)
		server.expect("start-ok")
		ctx, cancel := context.WithCancelCause(t.Context())
		reason := errors.New("reason")
		cancel(reason)
		for _, size := range []int{1, 100_000} {
			fails(t, "send a large message", p.Send(ctx, Text(strings.Repeat("x", size))).Err(), reason)
		}
		time.Sleep(time.Minute)
		same(t, decoded(peerChunks(server)), "start-ok")
		p.Conn().Close()
	})
}

func TestProcessIsSharedByManyGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener := newMemoryListener()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			Exchanges(New(Config{}).Accept(listener)).ForEach(ctx, func(x Exchange) { x.Respond(x.Message) })
		}()
		conn, _ := listener.dial(1 << 10)
		p := must(t, "attach to the connection", New(Config{}).Attach(t.Context(), conn))
		const senders, each = 8, 30
		var all sync.WaitGroup
		for i := range senders {
			all.Go(func() {
				m := Text(strings.Repeat(string(rune('a'+i)), 1+i*400))
				for range each {
					succeeds(t, "send a message", p.Send(t.Context(), m).Err())
				}
			})
		}
		counts := make(chan int, 4)
		for range 2 {
			all.Go(func() {
				n := 0
				for range senders * each / 4 {
					if _, err := p.Wait(t.Context()).Get(); err == nil {
						n++
					}
				}
				counts <- n
			})
		}
		all.Go(func() {
			n := 0
			p.Messages()(t.Context(), func(Message) bool { n++; return n < senders*each/2 })
			counts <- n
		})
		all.Wait()
		if total := <-counts + <-counts + <-counts; total != senders*each {
			t.Errorf("read the messages of %d senders: got %d, want %d of each", senders, total, each)
		}
		succeeds(t, "close the process", p.Close(t.Context()).Err())
		cancel()
		<-done
	})
}

func TestSendOfLargeMessagesInBothDirectionsAtOnceDoesNotDeadlock(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1 << 20, 4 << 20} {
		synctest.Test(t, func(t *testing.T) {
			listener := newMemoryListener()
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan struct{})
			large := NewMessage(OctetStream(), strings.Repeat("x", size))
			go func() {
				defer close(done)
				Exchanges(New(Config{}).Accept(listener)).ForEach(ctx, func(x Exchange) {
					go x.Connection().Send(ctx, large)
					x.Respond(x.Message)
				})
			}()
			conn, _ := listener.dial(64 << 10)
			p := must(t, "attach to the connection", New(Config{ClientConfig: ClientConfig{MaxUnread: 1 << 30}}).Attach(t.Context(), conn))
			var all sync.WaitGroup
			for range 2 {
				all.Go(func() {
					succeeds(t, "send a large message", p.Send(t.Context(), large).Err())
				})
			}
			all.Wait()
			for range 4 {
				if m, err := p.Wait(t.Context()).Get(); m != large {
					t.Errorf("wait for a large message: got %v, %v, want it", m, err)
				}
			}
			succeeds(t, "close the process", p.Close(t.Context()).Err())
			cancel()
			<-done
		})
	}
}

func TestCloseFailsWithoutConsent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := attached(t, Config{Grace: time.Hour}, 0)
		ctx, cancel := context.WithCancel(t.Context())
		cut := &cutAfterWrite{p.frames.Net, cancel} // the context ends when connection.close is written
		p.frames.Net = cut
		if err := p.Close(ctx).Err(); !errors.Is(err, context.Canceled) {
			t.Errorf("Close whose context ended before the server consented: got %v, want %v", err, context.Canceled)
		}
		server.expect("start-ok", "close", "EOF")
	})
}

// cutAfterWrite is a connection that cancels something once it has written.
type cutAfterWrite struct {
	net.Conn
	cancel func()
}

func (c *cutAfterWrite) Write(p []byte) (int, error) {
	defer c.cancel()
	return c.Conn.Write(p)
}
