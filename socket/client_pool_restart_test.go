package socket

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/socket/internal/wire"
	"github.com/rxipc/rxipc/stream"
)

// tally counts how many times each request was handled.
type tally struct {
	mu    sync.Mutex
	times map[string]int
}

// counting counts what a handler gets.
func (y *tally) counting(handle Handler[int]) Handler[int] {
	return func(m Message, c Continuation[int], count int) Continuation[int] {
		y.mu.Lock()
		if y.times == nil {
			y.times = map[string]int{}
		}
		y.times[m.Content()]++
		y.mu.Unlock()
		return handle(m, c, count)
	}
}

// eachOnce checks that so many requests were handled, each of them once.
func (y *tally) eachOnce(t *testing.T, want int) {
	t.Helper()
	y.mu.Lock()
	defer y.mu.Unlock()
	for content, n := range y.times {
		if n != 1 {
			t.Errorf("request %s was handled %d times, want once", content, n)
		}
	}
	if len(y.times) != want {
		t.Errorf("%d requests were handled, want %d", len(y.times), want)
	}
}

// TestPoolRestartInGoodOrderFailsNoRequest has a server stop and start again under many
// callers, and counts what was handled.
func TestPoolRestartInGoodOrderFailsNoRequest(t *testing.T) {
	for _, inFlight := range []int{1, 8} {
		t.Run(fmt.Sprint(inFlight, " in flight"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var seen tally
				handle := seen.counting(slowly(time.Millisecond))
				pool, ipc, stop := pooled(t, PoolConfig{Connections: 4, InFlight: inFlight}, handle)
				var callers sync.WaitGroup
				for i := range 64 {
					callers.Go(func() {
						for j := range 40 {
							ask(t.Context(), t, pool, fmt.Sprint(i, ":", j))
						}
					})
				}
				for range 20 {
					time.Sleep(20*time.Millisecond + 300*time.Microsecond)
					stop()
					stop = servePooled(t, ipc, handle)
				}
				callers.Wait()
				seen.eachOnce(t, 64*40)
				if stats := pool.Stats(); stats.Failed != 0 || stats.Answered != 64*40 || stats.Lost == 0 {
					t.Errorf("the pool counted %+v, want %d answered over connections lost", stats, 64*40)
				}
				closePool(t, pool)
				stop()
			})
		})
	}
}

func TestPoolRetriesOnlyWhatTheServerLeftUnhandled(t *testing.T) {
	for _, test := range []struct {
		goodbye any
		failing int // of two in flight, none acknowledged
	}{
		{wire.KindClose, 0},
		{[]byte(wire.CloseReason{Code: wire.ReasonShutdown}.Frame()), 0},
		{[]byte(wire.CloseReason{Code: wire.ReasonRejected}.Frame()), 1},
		{[]byte(wire.CloseReason{Code: wire.ReasonPanicked}.Frame()), 1},
		{[]byte(wire.CloseReason{Code: wire.ReasonTooLarge, Limit: 7}.Frame()), 1},
		{[]byte(wire.CloseReason{Code: wire.ReasonUnsettled}.Frame()), 2},
		{[]byte(nil), 2}, // the end of file alone
	} {
		synctest.Test(t, func(t *testing.T) {
			transport := newMemory(0)
			listener, err := transport.Listen(t.Context(), remote)
			if err != nil {
				t.Fatalf("listen: %v", err)
			}
			pool := New(Config{Transport: transport, Heartbeat: -1}).Pool(remote, PoolConfig{Connections: 1, InFlight: 2})
			failed := make(chan error, 2)
			for _, m := range texts(2) {
				go func() { failed <- pool.Request(t.Context(), m).Err() }()
				synctest.Wait()
			}
			server := acceptPeer(t, listener)
			server.expect("start-ok")
			server.numbered(0, 1)
			server.send(test.goodbye)
			server.conn.Close()
			for range test.failing {
				if err := <-failed; err == nil {
					t.Errorf("after the goodbye %q a request was answered, want %d that fail", test.goodbye, test.failing)
				}
			}
			if test.failing < 2 {
				server = acceptPeer(t, listener)
				server.expect("start-ok")
				for range 2 - test.failing {
					server.next()
				}
				for i := test.failing; i < 2; i++ {
					server.send(wire.KindAck, "re")
					if err := <-failed; err != nil {
						t.Errorf("after the goodbye %q a request that was not handled failed with %v, want no error", test.goodbye, err)
					}
				}
				server.conn.Close()
			}
			closePool(t, pool)
		})
	}
}

func TestPoolSlowRequestHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, _, stop := pooled(t, PoolConfig{Connections: 3}, func(m Message, c Continuation[int], count int) Continuation[int] {
			if m.Content() == "slow" {
				time.Sleep(time.Hour)
			}
			return slowly(time.Millisecond)(m, c, count)
		})
		var all sync.WaitGroup
		all.Go(func() { ask(t.Context(), t, pool, "slow") })
		synctest.Wait()
		begun := time.Now()
		var quick sync.WaitGroup
		for i := range 100 {
			quick.Go(func() { ask(t.Context(), t, pool, fmt.Sprint(i)) })
		}
		quick.Wait()
		if took := time.Since(begun); took > time.Second {
			t.Errorf("100 quick requests beside a slow one took %v, want no longer than the two free connections need", took)
		}
		all.Wait()
		closePool(t, pool)
		stop()
	})
}

func TestSendAllLeavesReservedContentOutAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := attached(t, Config{Heartbeat: -1}, 0)
		acknowledgeAll(server)
		lines := []Message{Text("a"), Text(wire.KindHeartbeat.String()), Text("b"), NewMessage(JSON(), wire.KindAck.String()), Text("c")}
		var sent []Message
		err := p.SendAll(stream.FromSlice(lines)).ForEach(t.Context(), func(m Message) { sent = append(sent, m) })
		same(t, sent, Text("a"), Text("b"), Text("c"))
		want := `message 2 is left out: content is reserved by the protocol: text/plain "innmind/ipc:heartbeat", and 1 more are`
		if e := sendError(t, err); !errors.Is(err, ErrReserved) || e.Sent != 3 || e.Err.Error() != want {
			t.Errorf("the run failed with %v after %d, want %s after 3", err, e.Sent, want)
		}
		p.Conn().Close()
		time.Sleep(time.Second)
	})
}
