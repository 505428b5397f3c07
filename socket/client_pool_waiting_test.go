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

// TestPoolTakesBackWhatALineHasNotTaken withdraws a request that was given to a connection
// and did not leave: it was not sent, and its place is free.
func TestPoolTakesBackWhatALineHasNotTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := New(Config{Transport: newMemory(0)}).Pool(remote, PoolConfig{Connections: 1})
		busy := &line{pool: pool, up: true, room: 1} // it has no goroutine, so it takes nothing
		pool.lines = []*line{busy}
		own := errors.New("no time")
		ctx, cancel := context.WithCancelCause(t.Context())
		failed := make(chan error)
		go func() { failed <- pool.Request(ctx, Text("a")).Err() }()
		synctest.Wait()
		if busy.load != 1 {
			t.Fatalf("the connection has %d requests, want 1", busy.load)
		}
		cancel(own)
		err := <-failed
		says(t, "Request that was given and not taken", err, []error{own, ErrNoConnection})
		if e := sendError(t, err); e.Sent != 0 || busy.load != 0 || len(busy.queue) != 0 {
			t.Errorf("a request that was not taken failed with %d sent, and the connection has %d, want none", e.Sent, busy.load)
		}
	})
}
