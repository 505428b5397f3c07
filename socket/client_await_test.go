package socket

import (
	"context"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket/internal/wire"
	"github.com/rxipc/rxipc/stream"
)

// acknowledgeAll has a server read and acknowledge what comes, after a while, and say
// nothing else.
func acknowledgeAll(server *peer) {
	go func() {
		for {
			time.Sleep(10 * time.Millisecond)
			f, err := server.reader.ReadFrame(server.conn)
			if err != nil {
				return
			}
			if f.Kind == wire.KindMessage {
				if _, err := server.conn.Write(encode(wire.KindAck)); err != nil {
					return
				}
			}
		}
	}()
}

func TestWaitWritesTheRestOfManyWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := attached(t, Config{Heartbeat: -1}, 1000)
		acknowledgeAll(server)
		go p.Wait(t.Context())
		synctest.Wait()
		for range 3 {
			begun := time.Now()
			succeeds(t, "send a large message", p.Send(t.Context(), Text(strings.Repeat("x", 100_000))).Err())
			if took := time.Since(begun); took > 100*time.Millisecond {
				t.Errorf("sending a large message took %v, want no time", took)
			}
		}
		p.Conn().Close()
		time.Sleep(time.Second)
	})
}

func TestRequestsThatAPanicLeftAreNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := opened(t, Config{Heartbeat: -1}, 0)
		go func() {
			server.expect(`"0"`, `"1"`, `"2"`)
			server.send(wire.KindAck, "re 0")
			server.expect("ack", `"open"`)
			server.send(wire.KindAck, "re 1", wire.KindAck, "re 2", wire.KindAck, "pushed")
		}()
		func() {
			defer func() {
				if recover() != "enough" {
					t.Error("the run ended without the panic of its reader, want it")
				}
			}()
			p.RequestAll(stream.FromSlice(texts(3))).ForEach(t.Context(), func(Message) { panic("enough") })
		}()
		succeeds(t, "send open", p.Send(t.Context(), Text("open")).Err())
		receives(t, "wait for a message", p.Wait(t.Context()), "pushed")
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.unread != 0 || p.replies.Len() != 0 {
			t.Errorf("after the panic %d bytes of %d replies are kept, want none", p.unread, p.replies.Len())
		}
		p.Conn().Close()
	})
}

func TestAcknowledgementsNobodyReadsAreOnlyCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const pushed = 20_000
		p, server := opened(t, Config{Heartbeat: -1}, 1000)
		go func() {
			for range pushed / 100 {
				server.send(slices.Repeat([]any{""}, 100)...)
			}
		}()
		for range pushed {
			succeeds(t, "wait for a message", p.Wait(t.Context()).Err())
		}
		succeeds(t, "lock the writer", p.frames.Lock(t.Context()))
		size := p.frames.Out.Len()
		p.frames.Unlock()
		if size > 2*wire.FlushAt {
			t.Errorf("%d bytes wait to be written, want %d at most", size, 2*wire.FlushAt)
		}
		acknowledgeAll(server)
		go p.Wait(t.Context())
		time.Sleep(time.Hour)
		if n := p.debts.pendingAcks.Load(); n > 0 {
			t.Errorf("%d acknowledgements are still owed after an hour, want none", n)
		}
		p.Conn().Close()
		time.Sleep(time.Second)
	})
}

// slowDeadlines takes its time to end a write.
type slowDeadlines struct{ net.Conn }

func (c slowDeadlines) SetWriteDeadline(deadline time.Time) error {
	time.Sleep(time.Millisecond)
	return c.Conn.SetWriteDeadline(deadline)
}

func TestHeartbeatsGoOnWhenAnotherWaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := newPipe(1000)
		server := newPeer(t, theirs)
		go server.send(wire.KindStart)
		p := must(t, "attach to the connection", New(Config{Heartbeat: time.Second}).Attach(t.Context(), slowDeadlines{ours}))
		waited := make(chan error)
		go func() { waited <- p.Wait(t.Context()).Err() }()
		synctest.Wait()
		go p.Send(t.Context(), Text(strings.Repeat("x", 100_000))) // Wait has the rest of it written
		synctest.Wait()
		server.send("a")
		succeeds(t, "wait", <-waited)
		server.expect("start-ok", `"100000 bytes"`)
		begun := time.Now()
		server.expect("heartbeat", "heartbeat", "heartbeat", "heartbeat", "heartbeat")
		if took := time.Since(begun); took > 6*time.Second {
			t.Errorf("five heartbeats of a client that waits took %v, want 6 s at most", took)
		}
		p.Conn().Close()
		time.Sleep(time.Second)
	})
}

func TestConfigNegativeBoundsAreTheLeast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := Config{ClientConfig: ClientConfig{Window: -1, WindowBytes: -1, MaxUnread: -1}, ServerConfig: ServerConfig{MaxHeld: -1}, Heartbeat: -1}
		server := serve(t, config, fold.Sum[int](), echo)
		conn, _ := server.listener.dial(0)
		p := must(t, "attach to the connection", New(config).Attach(t.Context(), conn))
		got := 0
		err := p.RequestAll(stream.FromSlice(texts(5))).ForEach(t.Context(), func(Message) { got++ })
		if got != 5 || err != nil {
			t.Errorf("request 5 answers: got %d and the error %v, want all and none", got, err)
		}
		p.Close(t.Context())
		server.end()
		<-server.result
	})
}

func TestPoolDropsWhatItIsPushedWhileItIsIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ipc := New(Config{Transport: newMemory(1000), Heartbeat: -1, ClientConfig: ClientConfig{MaxUnread: 1000}})
		connections := make(chan *Connection, 1)
		stop := servePooled(t, ipc, func(m Message, c Continuation[int], count int) Continuation[int] {
			connections <- c.Connection()
			return echo(m, c, count)
		})
		pool := ipc.Pool(remote, PoolConfig{Idle: -1})
		ask(t.Context(), t, pool, "a")
		c := <-connections
		for range 100 {
			succeeds(t, "send pushed", c.Send(t.Context(), Text("pushed")))
		}
		synctest.Wait()
		ask(t.Context(), t, pool, "b")
		if stats := pool.Stats(); stats.Connected != 1 || stats.Lost != 0 {
			t.Errorf("two requests: the pool counted %+v, want one connection, which was not lost", stats)
		}
		closePool(t, pool)
		stop()
	})
}

// unwritable takes nothing any more, and still reads.
type unwritable struct {
	net.Conn
	broken bool
}

func (c *unwritable) Write(b []byte) (int, error) {
	if c.broken {
		return 0, syscall.EPIPE
	}
	return c.Conn.Write(b)
}

func TestReasonOfAFailedWriteIsNotSoughtBeyondMaxUnread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := newPipe(1000)
		server := newPeer(t, theirs)
		go server.send(wire.KindStart)
		conn := &unwritable{Conn: ours}
		p := must(t, "attach to the connection", New(Config{Heartbeat: -1, ClientConfig: ClientConfig{MaxUnread: 5000}}).Attach(t.Context(), conn))
		conn.broken = true
		go func() {
			for range 10_000 {
				if _, err := theirs.Write(encode("pushed")); err != nil {
					return
				}
			}
		}()
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		fails(t, "send a", p.Send(ctx, Text("a")).Err(), syscall.EPIPE)
		if p.unread > 10_000 {
			t.Errorf("%d bytes are unread, want 10,000 at most", p.unread)
		}
		p.Conn().Close()
	})
}
