package socket

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket/internal/wire"
	"github.com/rxipc/rxipc/stream"
)

// numbers is the messages "1" to n.
func numbers(n int) stream.Observable[Message] {
	return operators.Map(func(i int) Message { return Text(fmt.Sprint(i)) })(stream.Range(1, n))
}

// echoes is the responses to these.
func echoes(n int) (all []Message) {
	for i := range n {
		all = append(all, Text(fmt.Sprint("echo: ", i+1)))
	}
	return all
}

// requestAll runs RequestAll, and returns the responses that it emitted.
func requestAll(ctx context.Context, pool *Pool, messages stream.Observable[Message]) (responses []Message, err error) {
	err = pool.RequestAll(messages).ForEach(ctx, func(m Message) { responses = append(responses, m) })
	return responses, err
}

func TestPoolRequestAllGoesOnAcrossRestartsInOrder(t *testing.T) {
	for _, inFlight := range []int{1, 8} {
		synctest.Test(t, func(t *testing.T) {
			var seen tally
			var atOnce, most atomic.Int32
			handle := seen.counting(func(m Message, c Continuation[int], count int) Continuation[int] {
				n := atOnce.Add(1)
				for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
				}
				defer atOnce.Add(-1)
				return slowly(time.Millisecond+time.Duration(len(m.Content()))*time.Microsecond)(m, c, count)
			})
			pool, ipc, stop := pooled(t, PoolConfig{Connections: 4, InFlight: inFlight}, handle)
			over := make(chan struct{})
			go func() {
				defer close(over)
				responses, err := requestAll(t.Context(), pool, numbers(2000))
				if err != nil {
					t.Errorf("with %d in flight the run failed with %v, want no error", inFlight, err)
				}
				same(t, responses, echoes(2000)...)
			}()
			for range 10 {
				time.Sleep(20*time.Millisecond + 300*time.Microsecond)
				stop()
				stop = servePooled(t, ipc, handle)
			}
			<-over
			seen.eachOnce(t, 2000)
			if stats := pool.Stats(); stats.Failed > 0 || stats.Lost == 0 || most.Load() != 4 {
				t.Errorf("%d requests were handled at once, want 4; the pool counted %+v, want none failed and connections lost", most.Load(), stats)
			}
			closePool(t, pool)
			stop()
		})
	}
}

func TestPoolRequestAllHasNoMoreInFlightThanThePool(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ config, want PoolConfig }{
		{PoolConfig{}, PoolConfig{Connections: 16, InFlight: 1}},
		{PoolConfig{Connections: 2, InFlight: 3}, PoolConfig{Connections: 2, InFlight: 3}},
		{PoolConfig{Connections: math.MaxInt, InFlight: 3}, PoolConfig{Connections: 50, InFlight: 1}}, // one for each message
	} {
		synctest.Test(t, func(t *testing.T) {
			pool, _, stop := pooled(t, test.config, slowly(time.Hour))
			ctx, cancel := context.WithCancel(t.Context())
			read := 0
			messages := operators.Tap(func(Message) { read++ })(numbers(50))
			go pool.RequestAll(messages).Run(ctx)
			synctest.Wait()
			limit := test.want.Connections * test.want.InFlight
			stats := pool.Stats()
			if stats.Connections != test.want.Connections || stats.InFlight != limit || stats.Waiting != 0 || read > 2*limit+1 {
				t.Errorf("%+v: %d messages were read, and the pool counted %+v; want %d in flight over %d connections",
					test.config, read, stats, limit, test.want.Connections)
			}
			cancel()
			closePool(t, pool)
			stop()
		})
	}
}

func TestPoolRequestAllEndsAtTheFirstRequestThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spoiled := errors.New("spoiled")
		pool, _, stop := pooled(t, PoolConfig{Connections: 3}, func(m Message, c Continuation[int], count int) Continuation[int] {
			if m.Content() == "5" {
				return c.Reject(spoiled)
			}
			return slowly(time.Millisecond)(m, c, count)
		})
		responses, err := requestAll(t.Context(), pool, numbers(100))
		same(t, responses, echoes(4)...)
		says(t, "a run with a request that is rejected", err, []error{ErrRejected}, "request remote: message 5: ", "may have been handled")
		if e := sendError(t, err); e.Sent != 1 || e.Acknowledged != 0 || e.Doubtful() != 1 {
			t.Errorf("the request that was rejected failed with %+v, want one that was sent and is doubtful", *e)
		}
		closePool(t, pool)
		stop()
	})
}

func TestPoolRequestAllEndsWithItsSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, _, stop := pooled(t, PoolConfig{Connections: 2}, slowly(time.Millisecond))
		torn := errors.New("the list is torn")
		for _, failure := range []error{nil, torn} {
			reserved := []Message{Text(wire.KindHeartbeat.String()), Text("2"), NewMessage(JSON(), wire.KindAck.String())}
			messages := operators.Concat(numbers(1), stream.FromSlice(reserved), stream.Throw[Message](failure))
			if failure == nil {
				messages = operators.Concat(numbers(1), stream.FromSlice(reserved))
			}
			responses, err := requestAll(t.Context(), pool, messages)
			same(t, responses, echoes(2)...)
			want := "socket: request remote: message 2 is left out: content is reserved by the protocol: text/plain \"innmind/ipc:heartbeat\", and 1 more are"
			if !errors.Is(err, ErrReserved) || !errors.Is(err, failure) && failure != nil || !strings.Contains(err.Error(), want) {
				t.Errorf("a run whose source failed with %v, with two reserved messages, failed with %v; want %s", failure, err, want)
			}
		}
		took, err := operators.Take[Message](3)(pool.RequestAll(numbers(1000))).Last(t.Context()).Get()
		if took != Text("echo: 3") || err != nil {
			t.Errorf("the third response is %v, %v, want echo: 3", took, err)
		}
		closePool(t, pool)
		if responses, err := requestAll(t.Context(), pool, numbers(3)); len(responses) > 0 || err == nil || !strings.Contains(err.Error(), "message 1: ") {
			t.Errorf("on a closed pool a run emitted %v and failed with %v, want none and that message 1 failed", responses, err)
		}
		stop()
	})
}

func TestPoolRequestAllSaysWhyNothingCame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ipc := New(Config{Transport: newMemory(0), Heartbeat: -1})
		pool := ipc.Pool(remote, PoolConfig{Connections: 2})
		own := errors.New("the shop closes")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 3*time.Second, own)
		defer cancel()
		_, err := requestAll(ctx, pool, numbers(10))
		says(t, "RequestAll without a server", err, []error{own, ErrNotListening}, "request remote: message 1: ")
		_, err = requestAll(ctx, pool, numbers(10))
		says(t, "RequestAll after its context ended", err, []error{own}, "request remote: ")
		stop := servePooled(t, ipc, slowly(2*time.Second))
		ctx, cancel = context.WithTimeoutCause(t.Context(), 5*time.Second, own)
		defer cancel()
		responses, err := requestAll(ctx, pool, numbers(10))
		same(t, responses, echoes(len(responses))...)
		says(t, "RequestAll with a slow server", err, []error{own}, fmt.Sprintf("message %d: ", len(responses)+1),
			"sent, but not acknowledged: ", "nothing came from the server for ", "may have been handled")
		time.Sleep(5 * time.Second)
		closePool(t, pool)
		stop()
	})
}

// TestPoolSaysWhatAnEndedRequestMissed gives up on two requests that were sent. The server
// acknowledged the first.
func TestPoolSaysWhatAnEndedRequestMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := newMemory(0)
		listener, err := transport.Listen(t.Context(), remote)
		if err != nil {
			t.Fatalf("listen: %v", err)
		}
		pool := New(Config{Transport: transport, Heartbeat: -1}).Pool(remote, PoolConfig{Connections: 1, InFlight: 2})
		own := errors.New("the shop closes")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 4*time.Second, own)
		defer cancel()
		results := []chan error{make(chan error, 1), make(chan error, 1)}
		for i, m := range texts(2) {
			go func() { results[i] <- pool.Request(ctx, m).Err() }()
			synctest.Wait()
		}
		server := acceptPeer(t, listener)
		server.expect("start-ok")
		places := server.numbered(0, 1)
		time.Sleep(time.Second)
		server.send(wire.KindAck)
		says(t, "a request that was acknowledged", <-results[places[0]], []error{own},
			"acknowledged, but not responded to: the shop closes: nothing came from the server for 3s; the message was handled")
		says(t, "a request that was not", <-results[places[1]], []error{own},
			"sent, but not acknowledged: the shop closes: nothing came from the server for 3s; one message may have been handled")
		server.conn.Close()
		closePool(t, pool)
	})
}

func TestRequestAllWithoutAnObservablePanics(t *testing.T) {
	var said []string
	p, pool := new(Process), new(Pool)
	for _, operator := range []stream.Operator[Message, Message]{p.SendAll, p.RequestAll, pool.RequestAll} {
		func() {
			defer func() { said = append(said, fmt.Sprint(recover())) }()
			operator(nil)
		}()
	}
	want := []string{"socket: Process.SendAll of a nil observable", "socket: Process.RequestAll of a nil observable", "socket: Pool.RequestAll of a nil observable"}
	if !slices.Equal(said, want) {
		t.Errorf("operators of nil panicked with %q, want %q", said, want)
	}
}
