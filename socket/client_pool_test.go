package socket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket/internal/wire"
)

// remote is the name of the servers that are pooled and followed in memory.
var remote = MustParseName("remote")

// pooled is a pool and the server it is of, in memory.
func pooled(t *testing.T, config PoolConfig, handle Handler[int]) (pool *Pool, ipc *IPC, stop func()) {
	ipc = New(Config{Transport: newMemory(1000), Heartbeat: -1})
	stop = servePooled(t, ipc, handle)
	return ipc.Pool(remote, config), ipc, stop
}

func servePooled(t *testing.T, ipc *IPC, handle Handler[int]) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan fold.Attempt[int], 1)
	go func() { served <- Serve(ipc, remote, fold.Sum[int]()).With(ctx, handle) }()
	synctest.Wait()
	return func() {
		cancel()
		<-served
	}
}

func slowly(d time.Duration) Handler[int] {
	return func(m Message, c Continuation[int], count int) Continuation[int] {
		time.Sleep(d)
		return echo(m, c, count)
	}
}

// ask makes a request and checks its response.
func ask(ctx context.Context, t *testing.T, pool *Pool, content string) {
	t.Helper()
	receives(t, "request "+content, pool.Request(ctx, Text(content)), "echo: "+content)
}

func closePool(t *testing.T, pool *Pool) {
	t.Helper()
	succeeds(t, "close the pool", pool.Close(t.Context()).Err())
	if stats := pool.Stats(); stats.Connections+stats.InFlight+stats.Waiting > 0 || stats.Requests != stats.Answered+stats.Failed {
		t.Errorf("a pool that is closed counted %+v, want nothing open, in flight or waiting, and each request answered or failed", stats)
	}
}

func TestPoolAnswersManyAtTheSameTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, _, stop := pooled(t, PoolConfig{Connections: 3, InFlight: 5}, slowly(time.Millisecond))
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() {
				for j := range 20 {
					ask(t.Context(), t, pool, fmt.Sprint(i, ":", j))
				}
			})
		}
		all.Wait()
		if stats := pool.Stats(); stats.Connections != 3 || stats.Connected != 3 || stats.Answered != 1000 || stats.Retried+stats.Lost > 0 {
			t.Errorf("1000 requests in a pool of three connections: the pool counted %+v, want all answered, none retried and no connection lost", stats)
		}
		closePool(t, pool)
		fails(t, "request late", pool.Request(t.Context(), Text("late")).Err(), net.ErrClosed)
		closePool(t, pool)
		stop()
	})
}

func TestPoolUsesOneConnectionForOneCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, _, stop := pooled(t, PoolConfig{}, slowly(0))
		for i := range 10 {
			ask(t.Context(), t, pool, fmt.Sprint(i))
		}
		if stats := pool.Stats(); stats.Connected != 1 {
			t.Errorf("ten requests one after another: the pool counted %+v, want one connection made", stats)
		}
		closePool(t, pool)
		stop()
	})
}

func TestPoolServesFirstWhoCameFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, _, stop := pooled(t, PoolConfig{Connections: 1, InFlight: 1}, slowly(time.Second))
		var mu sync.Mutex
		var order []int
		var all sync.WaitGroup
		for i := range 10 {
			all.Go(func() {
				ask(t.Context(), t, pool, fmt.Sprint(i))
				mu.Lock()
				defer mu.Unlock()
				order = append(order, i)
			})
			synctest.Wait()
		}
		all.Wait()
		same(t, order, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
		closePool(t, pool)
		stop()
	})
}

func TestPoolClosesIdleConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, _, stop := pooled(t, PoolConfig{Idle: time.Minute}, slowly(0))
		for range 3 {
			ask(t.Context(), t, pool, "a")
			time.Sleep(50 * time.Second)
		}
		if stats := pool.Stats(); stats.Connections != 1 || stats.Connected != 1 {
			t.Errorf("requests every 50 s with an idle limit of 1 min: the pool counted %+v, want one connection, the first", stats)
		}
		time.Sleep(11 * time.Second)
		if stats := pool.Stats(); stats.Connections != 0 {
			t.Errorf("61 s after the last request, with an idle limit of 1 min: the pool counted %+v, want no connection", stats)
		}
		ask(t.Context(), t, pool, "b")
		if stats := pool.Stats(); stats.Connected != 2 || stats.Lost != 0 {
			t.Errorf("a request after the idle connection was closed: the pool counted %+v, want a second connection, and none lost", stats)
		}
		closePool(t, pool)
		stop()
	})
}

func TestPoolHasNoConnectionBesideOneThatIsBeingClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := newMemory(0)
		listener, err := transport.Listen(t.Context(), remote)
		if err != nil {
			t.Fatalf("listen on the transport: %v", err)
		}
		came := make(chan *peer, 2)
		go func() {
			for range 2 {
				server := acceptPeer(t, listener)
				server.expect("start-ok")
				came <- server
			}
		}()
		pool := New(Config{Transport: transport, Heartbeat: -1}).Pool(remote, PoolConfig{Connections: 1, Idle: time.Minute})
		asked := make(chan struct{})
		request := func() {
			ask(t.Context(), t, pool, "a")
			asked <- struct{}{}
		}
		answer := func(server *peer) {
			server.expect(`"a"`)
			server.send(wire.KindAck, "echo: a")
			<-asked
			server.expect("ack")
		}
		go request()
		first := <-came
		answer(first)
		first.expect("close") // a minute later
		go request()
		time.Sleep(time.Second / 2) // half of the grace
		if len(came) > 0 || pool.Stats().Waiting != 1 {
			t.Errorf("while a connection closes, %d others came and the pool counted %+v; want none, and a request that waits", len(came), pool.Stats())
		}
		first.send(wire.KindCloseOK)
		second := <-came
		first.expect("EOF")
		answer(second)
		go func() {
			second.expect("close")
			second.send(wire.KindCloseOK)
		}()
		closePool(t, pool)
	})
}

func TestPoolWaitsForItsServerAndBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ipc := New(Config{Transport: newMemory(0), Heartbeat: -1})
		pool := ipc.Pool(remote, PoolConfig{Retry: operators.RetryPolicy{Jitter: -1}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := pool.Request(ctx, Text("in vain")).Err()
		failsToSend(t, "request in vain", err, 0, 0, ErrNotListening)
		fails(t, "request in vain", err, context.DeadlineExceeded)
		start := time.Now()
		go func() {
			time.Sleep(time.Minute)
			servePooled(t, ipc, slowly(0))
		}()
		ask(t.Context(), t, pool, "a")
		if took := time.Since(start); took < time.Minute || took > time.Minute+longestDelay {
			t.Errorf("a request whose server comes after 1 min was answered after %v, want at most %v more", took, longestDelay)
		}
		closePool(t, pool)
	})
}

// numbered receives requests whose contents are these numbers, and returns them in the order in
// which they came: requests that got their places in the same moment are written in any order.
func (p *peer) numbered(want ...int) (came []int) {
	p.t.Helper()
	for range want {
		n, err := strconv.Atoi(strings.Trim(p.next(), `"`))
		if err != nil {
			p.t.Errorf("received %v, want one of the requests %v", err, want)
		}
		came = append(came, n)
	}
	if !slices.Equal(slices.Sorted(slices.Values(came)), want) {
		p.t.Errorf("received the requests %v, want %v", came, want)
	}
	return came
}

func TestPoolSendsAgainOnlyWhatWasNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := newMemory(0)
		ipc := New(Config{Transport: transport, Heartbeat: -1})
		listener, err := transport.Listen(t.Context(), remote)
		if err != nil {
			t.Fatalf("listen on the transport: %v", err)
		}
		pool := ipc.Pool(remote, PoolConfig{Connections: 1, InFlight: 2})
		var results [5]chan *SendError
		for i := range results {
			results[i] = make(chan *SendError, 1)
			go func() {
				err := pool.Request(t.Context(), Text(fmt.Sprint(i))).Err()
				e, _ := errors.AsType[*SendError](err)
				results[i] <- e
			}()
			synctest.Wait()
		}
		server := acceptPeer(t, listener)
		server.expect("start-ok")
		places := server.numbered(0, 1)
		server.send(wire.KindAck)
		synctest.Wait()
		server.conn.Close()
		for i, want := range []SendError{{Acknowledged: 1, Sent: 1}, {Sent: 1}} {
			if e := <-results[places[i]]; e.Sent != want.Sent || e.Acknowledged != want.Acknowledged || !errors.Is(e, io.ErrUnexpectedEOF) {
				t.Errorf("a request whose server died failed with %v, %d of %d acknowledged, want %d", e, e.Acknowledged, e.Sent, want.Acknowledged)
			}
		}
		server = acceptPeer(t, listener)
		server.expect("start-ok")
		places = server.numbered(2, 3)
		server.send(wire.KindAck, "re")
		if e := <-results[places[0]]; e != nil {
			t.Errorf("request %d failed with %v, want its response", places[0], e)
		}
		server.expect("ack", `"4"`)
		server.conn.Close()
		for _, i := range []int{places[1], 4} {
			if e := <-results[i]; e.Sent != 1 || e.Doubtful() != 1 {
				t.Errorf("request %d failed with %v, want one that may have been handled", i, e)
			}
		}
		if stats := pool.Stats(); stats.Retried != 0 || stats.Lost != 2 || stats.Connected != 2 {
			t.Errorf("the pool counted %+v, want 2 lost and none retried", stats)
		}
		closePool(t, pool)
	})
}

func TestPoolWithdrawsWhatItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		handled := make(chan string, 10)
		pool, _, stop := pooled(t, PoolConfig{Connections: 1, InFlight: 2}, func(m Message, c Continuation[int], count int) Continuation[int] {
			handled <- m.Content()
			return slowly(time.Minute)(m, c, count)
		})
		reason := errors.New("reason")
		type cancelled struct {
			cancel context.CancelCauseFunc
			err    chan error
		}
		var calls []cancelled
		for i := range 4 {
			ctx, cancel := context.WithCancelCause(t.Context())
			c := cancelled{cancel, make(chan error, 1)}
			calls = append(calls, c)
			go func() { c.err <- pool.Request(ctx, Text(fmt.Sprint(i))).Err() }()
			synctest.Wait()
		}
		for i, want := range []int{1, 1, 0} { // in flight, the same behind it, waiting
			calls[i].cancel(reason)
			err := <-calls[i].err
			if e := sendError(t, err); e.Sent != want || !errors.Is(err, reason) {
				t.Errorf("request %d, which its context ended: got the error %v, want %v with %d sent", i, err, reason, want)
			}
		}
		succeeds(t, "request 3, whose context goes on", <-calls[3].err)
		same(t, []string{<-handled, <-handled, <-handled}, "0", "1", "3")
		closePool(t, pool)
		stop()
	})
}

func TestPoolThatIsClosedFinishesWhatIsUnderWayUntilItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, _, stop := pooled(t, PoolConfig{Connections: 1, InFlight: 1}, slowly(time.Second))
		results := make(chan error, 4)
		for i := range 4 {
			go func() { results <- pool.Request(t.Context(), Text(fmt.Sprint(i))).Err() }()
			synctest.Wait()
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		fails(t, "close the pool", pool.Close(ctx).Err(), context.DeadlineExceeded)
		for i := range 4 {
			err := <-results
			if i < 2 != (err == nil) || i >= 2 && !errors.Is(err, net.ErrClosed) {
				t.Errorf("request %d of four in a pool that closes for 2.5 s: got the error %v; want none for the first two, net.ErrClosed for the others", i, err)
			}
		}
		stop()
	})
}

func TestPoolFailsWhatNoPolicyRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := newMemory(0)
		pool := New(Config{Transport: transport}).Pool(remote, PoolConfig{Retry: operators.RetryPolicy{Times: 3}})
		failsToSend(t, "request a without a server and with three retries", pool.Request(t.Context(), Text("a")).Err(), 0, 0, ErrNotListening)
		fails(t, "request an empty Message", pool.Request(t.Context(), Message{}).Err(), ErrInvalid)
		closePool(t, pool)
	})
}

func TestPoolDropsWhatIsPushed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ipc := New(Config{Transport: newMemory(0), Heartbeat: -1, ClientConfig: ClientConfig{MaxUnread: 5000}})
		stop := servePooled(t, ipc, func(m Message, c Continuation[int], count int) Continuation[int] {
			return c.Respond(Text("echo: "+m.Content()), Text(strings.Repeat("x", 500)))
		})
		pool := ipc.Pool(remote, PoolConfig{Connections: 1})
		for i := range 100 {
			ask(t.Context(), t, pool, fmt.Sprint(i))
		}
		if stats := pool.Stats(); stats.Lost > 0 {
			t.Errorf("100 answers with a pushed message each, beyond MaxUnread: the pool counted %+v, want no connection lost", stats)
		}
		closePool(t, pool)
		stop()
	})
}

// TestPoolOutlivesServersThatComeAndGo checks that each request was answered, or handled
// at most once.
func TestPoolOutlivesServersThatComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var handled sync.Map
		handle := func(m Message, c Continuation[int], count int) Continuation[int] {
			times, _ := handled.LoadOrStore(m.Content(), new(atomic.Int32))
			times.(*atomic.Int32).Add(1)
			return slowly(time.Millisecond)(m, c, count)
		}
		pool, ipc, stop := pooled(t, PoolConfig{Connections: 3, InFlight: 4}, handle)
		done := make(chan struct{})
		restarting := make(chan struct{})
		go func() {
			defer close(restarting)
			for {
				select {
				case <-done:
					stop()
					return
				case <-time.After(50 * time.Millisecond):
				}
				stop()
				time.Sleep(70 * time.Millisecond)
				stop = servePooled(t, ipc, handle)
			}
		}()
		var all sync.WaitGroup
		var answered, failed atomic.Int32
		for i := range 20 {
			all.Go(func() {
				for j := range 50 {
					content := fmt.Sprint(i, ":", j)
					m, err := pool.Request(t.Context(), Text(content)).Get()
					switch {
					case err == nil && m == Text("echo: "+content):
						answered.Add(1)
					case err == nil:
						t.Errorf("request %s: got the answer %v, want the echo", content, m)
					case sendError(t, err).Sent != 1:
						t.Errorf("request %s: got the error %v, want one that says that it was sent", content, err)
					default:
						failed.Add(1)
					}
				}
			})
		}
		all.Wait()
		close(done)
		<-restarting
		closePool(t, pool)
		handled.Range(func(content, times any) bool {
			if n := times.(*atomic.Int32).Load(); n != 1 {
				t.Errorf("%s was handled %d times, want once", content, n)
			}
			return true
		})
		if answered.Load() < 500 {
			t.Errorf("1000 requests while servers come and go: %d were answered and %d failed, want half of them answered", answered.Load(), failed.Load())
		}
	})
}

func TestPoolTriesOneConnectionWhileNobodyListens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		transport := &countedDials{newMemory(0), &asked}
		retry := operators.RetryPolicy{Delay: time.Hour}
		pool := New(Config{Transport: transport}).Pool(remote, PoolConfig{Connections: 4, Retry: retry})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				if err := pool.Request(ctx, Text("hello")).Err(); !errors.Is(err, ErrNotListening) {
					t.Errorf("a request while nobody listens: %v, want ErrNotListening", err)
				}
			})
			synctest.Wait()
		}
		if n := asked.Load(); n != 1 {
			t.Errorf("10 requests while nobody listens made %d tries to connect, want 1", n)
		}
		all.Wait()
		closePool(t, pool)
	})
}

// countedDials is a transport that counts who dials.
type countedDials struct {
	Transport
	asked *atomic.Int64
}

func (c *countedDials) Dial(ctx context.Context, name Name) (net.Conn, error) {
	c.asked.Add(1)
	return c.Transport.Dial(ctx, name)
}

func TestPoolGivesARequestToTheConnectionWithTheFewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ipc := New(Config{Transport: newMemory(0), Heartbeat: -1})
		serving, stop := context.WithCancel(t.Context())
		served := make(chan error, 1)
		loads := map[*Connection]int{}
		go func() {
			served <- Exchanges(ipc.Listen(remote)).ForEach(serving, func(x Exchange) { loads[x.Connection()]++; x.Hold() })
		}()
		synctest.Wait()
		pool := ipc.Pool(remote, PoolConfig{Connections: 3, InFlight: 10})
		asking, leave := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for range 12 {
			all.Go(func() { pool.Request(asking, Text("hello")) })
			synctest.Wait()
		}
		for _, load := range loads {
			if load != 4 {
				t.Errorf("of 12 requests over 3 connections %d came over one, want 4", load)
			}
		}
		leave()
		all.Wait()
		stop()
		<-served
		closePool(t, pool)
	})
}
