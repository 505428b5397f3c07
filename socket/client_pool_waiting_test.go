package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// telling is a transport in memory that tells of names when the test does, and counts dials.
type telling struct {
	*memory
	dials   atomic.Int64
	mu      sync.Mutex
	waiters []chan struct{}
}

func (c *telling) Dial(ctx context.Context, name Name) (net.Conn, error) {
	c.dials.Add(1)
	return c.memory.Dial(ctx, name)
}

func (c *telling) watchName(Name) (news <-chan struct{}, stop func()) {
	w := make(chan struct{}, 1)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiters = append(c.waiters, w)
	return w, func() {}
}

// tell says that there may be a server.
func (c *telling) tell() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range c.waiters {
		select {
		case w <- struct{}{}:
		default:
		}
	}
}

// TestPoolAndFollowAreToldOfAServer has a name without a server for an hour. A Pool and a Follow
// look for the server as rarely as ConnectTo does, and connect when there is news of it.
func TestPoolAndFollowAreToldOfAServer(t *testing.T) {
	first := func(ctx context.Context, ipc *IPC, config FollowConfig) (m Message, err error) {
		config.Subscribe = Subscribe(Text("hello"))
		err = ipc.Follow(remote, config)(ctx, func(came Message) bool { m = came; return false })
		return m, err
	}
	ask := func(ctx context.Context, ipc *IPC, config PoolConfig) (Message, error) {
		pool := ipc.Pool(remote, config)
		defer pool.Close(ctx)
		return pool.Request(ctx, Text("hello")).Get()
	}
	own := operators.RetryPolicy{Delay: time.Second, MaxDelay: time.Second, Jitter: -1}
	for what, test := range map[string]struct {
		first func(context.Context, *IPC) (Message, error)
		told  bool
	}{
		"Pool":                    {func(ctx context.Context, ipc *IPC) (Message, error) { return ask(ctx, ipc, PoolConfig{}) }, true},
		"Follow":                  {func(ctx context.Context, ipc *IPC) (Message, error) { return first(ctx, ipc, FollowConfig{}) }, true},
		"Pool with its own Delay": {func(ctx context.Context, ipc *IPC) (Message, error) { return ask(ctx, ipc, PoolConfig{Retry: own}) }, false},
		"Follow with its own Delay": {func(ctx context.Context, ipc *IPC) (Message, error) {
			return first(ctx, ipc, FollowConfig{Retry: own})
		}, false},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				transport := &telling{memory: newMemory(0)}
				ipc := New(Config{Transport: transport, Heartbeat: -1})
				start := time.Now()
				var came time.Duration
				var asking sync.WaitGroup
				asking.Go(func() {
					m, err := test.first(t.Context(), ipc)
					if err != nil || m != Text("echo: hello") {
						t.Errorf("the first message was %v, %v, want %q", m, err, "echo: hello")
					}
					came = time.Since(start)
				})
				const late = time.Hour + 300*time.Millisecond
				time.Sleep(late)
				often, want := transport.dials.Load(), int64(time.Hour/time.Second)
				if test.told {
					want = int64(time.Hour / quietPause)
				}
				if often < want || often > want+20 {
					t.Errorf("the name was asked for %d times in an hour, want %d and a few", often, want)
				}
				stop := servePooled(t, ipc, echo)
				transport.tell()
				asking.Wait()
				if atOnce := came == late; atOnce != test.told {
					t.Errorf("the first message came %v after the server was there, want at once: %v", came-late, test.told)
				}
				stop()
			})
		})
	}
}

// TestPoolSaysWhatWasMissing has the context of a request end before a connection took it.
func TestPoolSaysWhatWasMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, _, stop := pooled(t, PoolConfig{Connections: 2}, slowly(time.Hour))
		for i := range 2 {
			go pool.Request(t.Context(), Text(fmt.Sprint(i)))
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := pool.Request(ctx, Text("one more")).Err()
		says(t, "Request of a pool that is busy", err, []error{context.DeadlineExceeded, ErrNoConnection},
			"request remote: ", "no connection of the pool is free: ", "2 of at most 2")
		if e := sendError(t, err); e.Sent != 0 {
			t.Errorf("a request that waited failed with %d sent, want none", e.Sent)
		}
		closePool(t, pool)
		stop()
	})
	synctest.Test(t, func(t *testing.T) {
		ipc, name := playedServer(t, nil, true)
		pool := ipc.Pool(name, PoolConfig{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := pool.Request(ctx, Text("a")).Err()
		says(t, "Request of a silent server", err, []error{context.DeadlineExceeded, ErrNoHandshake}, "request played: ", "the server has said nothing yet")
		closePool(t, pool)
	})
}

// TestPoolRequestAfterItsContextEndedSaysWhatWasAsked makes requests when it is too late for
// them.
func TestPoolRequestAfterItsContextEndedSaysWhatWasAsked(t *testing.T) {
	pool := New(Config{Transport: newMemory(0)}).Pool(remote, PoolConfig{})
	own := errors.New("no time")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(own)
	err := pool.Request(ctx, Text("a")).Err()
	says(t, "Request after its context had ended", err, []error{own}, "socket: request remote: no time")
	if e := sendError(t, err); e.Sent != 0 {
		t.Errorf("Request after its context had ended: got %d sent, want none", e.Sent)
	}
	err = pool.RequestAll(stream.FromSlice(texts(2))).Run(ctx)
	says(t, "RequestAll after its context had ended", err, []error{own}, "socket: request remote: ")
	closePool(t, pool)
}

// TestPoolTakesBackAPlaceThatCameTooLate ends the context of a request in the moment in which it
// gets its place: it is not sent, and the place is free again.
func TestPoolTakesBackAPlaceThatCameTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, _, stop := pooled(t, PoolConfig{Connections: 1}, slowly(0))
		ask(t.Context(), t, pool, "first")
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		for range 20 { // select takes one of two ways
			pool.mu.Lock()
			pool.calls++
			pool.stats.Requests++
			c := pool.enqueue(0)
			pool.mu.Unlock()
			k, err := pool.await(ended, c)
			if k == nil || err != nil {
				t.Fatalf("a call whose context ended when it had its place got %v, %v, want the place", k, err)
			}
			_, err = k.process.ask(ended, Text("late"), false)
			if e := sendError(t, err); e.Sent != 0 {
				t.Errorf("the request was sent %d times, want none: %v", e.Sent, err)
			}
			if c, _ := k.leave(0, err); c != nil || k.load() != 0 {
				t.Errorf("the request is made again: %v, and %d places are taken, want none", c != nil, k.load())
			}
		}
		ask(t.Context(), t, pool, "last")
		closePool(t, pool)
		stop()
	})
}

// TestPoolAnswersAServerWhileNoCallUsesTheConnection has a server end while the pool is idle, and
// in the moment after a request. The server waits for no client.
func TestPoolAnswersAServerWhileNoCallUsesTheConnection(t *testing.T) {
	for _, quiet := range []time.Duration{0, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			pool, ipc, stop := pooled(t, PoolConfig{Idle: -1}, slowly(0))
			for range 3 {
				ask(t.Context(), t, pool, "a")
				time.Sleep(quiet)
				begun := time.Now()
				stop()
				if took := time.Since(begun); took > 3*settleTime {
					t.Errorf("%v after a request the server took %v to end, want no longer than %v", quiet, took, 3*settleTime)
				}
				time.Sleep(quiet)
				if stats := pool.Stats(); quiet > 0 && stats.Connections != 0 {
					t.Errorf("%v after the end of the server the pool has %d connections, want none", quiet, stats.Connections)
				}
				stop = servePooled(t, ipc, slowly(0))
			}
			closePool(t, pool)
			stop()
		})
	}
}

// TestPoolKeepsThePlaceOfARequestThatWasGivenUp makes a request behind one whose caller has gone:
// it waits until the server has answered that, and then needs no new connection.
func TestPoolKeepsThePlaceOfARequestThatWasGivenUp(t *testing.T) {
	for _, inFlight := range []int{1, 2} {
		synctest.Test(t, func(t *testing.T) {
			pool, _, stop := pooled(t, PoolConfig{Connections: 1, InFlight: inFlight}, slowly(time.Second))
			ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
			defer cancel()
			begun := time.Now()
			var all sync.WaitGroup
			for range inFlight {
				all.Go(func() {
					if err := pool.Request(ctx, Text("given up")).Err(); !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("a request whose context ends before its response failed with %v", err)
					}
				})
			}
			all.Wait()
			if stats := pool.Stats(); stats.InFlight != inFlight {
				t.Errorf("%d requests were given up, and %d places are taken, want as many", inFlight, stats.InFlight)
			}
			ask(t.Context(), t, pool, "next")
			if took, want := time.Since(begun), 2*time.Second; took < want {
				t.Errorf("the next request had its response after %v, want %v at least", took, want)
			}
			time.Sleep(time.Minute)
			if stats := pool.Stats(); stats.InFlight != 0 || stats.Connected != 1 {
				t.Errorf("once all responses have come the pool counts %+v, want no places taken on its one connection", stats)
			}
			closePool(t, pool)
			stop()
		})
	}
}
