package socket

import (
	"context"
	"errors"
	"io"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// idle is a connection that nobody reads.
func idle() *Connection {
	ours, _ := newPipe(0)
	config := Config{}.withDefaults()
	return newConnection(ours, &config, newPulse(&config))
}

// kept is how many contexts are watched, and how many connections for one of them.
func (w *watches) kept(ctx context.Context) (contexts, connections int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if one := w.all[ctx.Done()]; one != nil {
		connections = len(one.connections)
	}
	return len(w.all), connections
}

func (w *watches) mustKeep(t *testing.T, ctx context.Context, contexts, connections int) {
	t.Helper()
	if c, n := w.kept(ctx); c != contexts || n != connections {
		t.Errorf("%d contexts are watched, for %d connections; want %d, %d", c, n, contexts, connections)
	}
}

// mustEnd asserts for what reason a connection is to end, nil for none, in a bubble.
func mustEnd(t *testing.T, c *Connection, reason error) {
	t.Helper()
	synctest.Wait()
	if got := context.Cause(c.Context()); got != reason {
		t.Errorf("ends with %v, want %v", got, reason)
	}
}

func TestTheEndOfAContextEndsItsConnectionsAndOnlyThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &watches{reason: context.Cause}
		reason := errors.New("reason")
		ctx, end := context.WithCancelCause(t.Context())
		another, endAnother := context.WithCancelCause(t.Context())
		a, b, removed, others := idle(), idle(), idle(), idle()
		w.add(ctx, a)
		w.mustKeep(t, ctx, 1, 1)
		w.add(ctx, b)
		w.add(ctx, removed)
		w.add(another, others)
		w.mustKeep(t, ctx, 2, 3)
		w.remove(ctx, removed)
		w.mustKeep(t, ctx, 2, 2)

		end(reason)
		mustEnd(t, a, reason)
		mustEnd(t, b, reason)
		mustEnd(t, removed, nil)
		mustEnd(t, others, nil)
		w.mustKeep(t, ctx, 1, 0)
		w.remove(ctx, a) // as a connection does that was ended
		w.remove(ctx, b)
		w.mustKeep(t, another, 1, 1)
		endAnother(nil)
		mustEnd(t, others, context.Canceled)
		w.mustKeep(t, another, 0, 0)
	})
}

func TestNothingIsKeptOfAContextWhoseConnectionsAreRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &watches{reason: context.Cause}
		ctx, end := context.WithCancel(t.Context())
		a, b := idle(), idle()
		for range 3 { // what is removed may come again
			w.add(ctx, a)
			w.add(ctx, b)
			w.remove(ctx, a)
			w.remove(ctx, a)
			w.mustKeep(t, ctx, 1, 1)
			w.remove(ctx, b)
			w.mustKeep(t, ctx, 0, 0)
		}
		end()
		mustEnd(t, a, nil)
		mustEnd(t, b, nil)
		w.mustKeep(t, ctx, 0, 0)
	})
}

func TestAContextThatIsDoneEndsWhoIsAddedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &watches{reason: context.Cause}
		ctx, end := context.WithCancel(t.Context())
		before, after, later := idle(), idle(), idle()
		w.add(ctx, before)
		end()
		w.add(ctx, after)
		mustEnd(t, before, context.Canceled)
		mustEnd(t, after, context.Canceled)
		w.add(ctx, later)
		mustEnd(t, later, context.Canceled)
		w.mustKeep(t, ctx, 0, 0)
	})
}

// TestContextsWithTheSameEndAreOne: a value that is added to a context leaves its end,
// and the reason of that, as they are.
func TestContextsWithTheSameEndAreOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &watches{reason: context.Cause}
		ctx, end := context.WithCancelCause(t.Context())
		type key struct{}
		derived := context.WithValue(ctx, key{}, "value")
		a, b := idle(), idle()
		w.add(derived, a)
		w.add(ctx, b)
		w.mustKeep(t, ctx, 1, 2)
		w.remove(ctx, a)
		end(io.ErrClosedPipe)
		mustEnd(t, a, nil)
		mustEnd(t, b, io.ErrClosedPipe)
	})
}

func TestContextsThatNeverEndAreNotWatched(t *testing.T) {
	w, c, ctx := &watches{reason: context.Cause}, idle(), context.WithoutCancel(t.Context())
	allocated := testing.AllocsPerRun(10, func() {
		w.add(ctx, c)
		w.mustKeep(t, ctx, 0, 0)
		w.remove(ctx, c)
	})
	if allocated != 0 || c.Context().Err() != nil {
		t.Error(allocated, c.Context().Err())
	}
}

// TestConnectionsComeAndGoWhileTheirContextEnds: who is not removed is ended, whether it
// came before, at the time of or after the end; and whoever is, nothing is kept.
func TestConnectionsComeAndGoWhileTheirContextEnds(t *testing.T) {
	for range 200 {
		w := &watches{reason: context.Cause}
		ctx, end := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(end)
		for i := range 8 {
			all.Go(func() {
				for n := range 4 {
					c := idle()
					w.add(ctx, c)
					if (i+n)%2 == 0 {
						w.remove(ctx, c)
						continue
					}
					<-c.Context().Done()
					w.remove(ctx, c)
				}
			})
		}
		all.Wait()
		last := idle() // its end comes behind those that are under way
		w.add(ctx, last)
		<-last.Context().Done()
		w.remove(ctx, last)
		w.mustKeep(t, ctx, 0, 0)
	}
}

// TestWhatConnectionsWatchIsGivenBack looks at the watches that all connections share.
func TestWhatConnectionsWatchIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancel(t.Context())
		open, stop := context.WithCancel(t.Context())
		defer end()
		listener := newMemoryListener()
		var running sync.WaitGroup
		running.Go(func() {
			New(Config{}).Accept(listener)(ctx, func(c *Connection) bool {
				session := newStay(c)
				session.open = open
				running.Go(func() { session.serve(ctx, handledBy(func(Exchange) bool { return true })) })
				return true
			})
		})
		stays, leaves, dies := listener.client(t, 0).greet(), listener.client(t, 0).greet(), listener.client(t, 0).greet()
		synctest.Wait()
		_, reading := readers.kept(ctx)
		_, serving := servers.kept(open)
		same(t, []int{reading, serving}, 3, 3)
		leaves.leave()
		dies.conn.Close()
		synctest.Wait()
		_, reading = readers.kept(ctx)
		_, serving = servers.kept(open)
		same(t, []int{reading, serving}, 1, 1)
		stop()
		stays.expect("close")
		stays.send(wire.KindCloseOK)
		synctest.Wait()
		_, reading = readers.kept(ctx)
		_, serving = servers.kept(open)
		same(t, []int{reading, serving}, 0, 0)
		listener.Close()
		running.Wait()
	})
}

// TestClosedProcessesAreNotKeptByLongContexts waits for the collector, which is told to
// work until it has found what the test let go of.
func TestClosedProcessesAreNotKeptByLongContexts(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	freed := make(chan struct{})
	func() {
		ours, theirs := newPipe(0)
		server := newPeer(t, theirs)
		server.send(wire.KindStart, wire.KindReceived)
		p, err := New(Config{}).Attach(ctx, ours).Get()
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			server.expect("start-ok", `"a"`)
			server.send(wire.KindReceived, wire.KindClose)
		}()
		if err := p.Send(ctx, Text("a")).Err(); err != nil {
			t.Error(err)
		}
		p.Wait(ctx)
		runtime.AddCleanup(p, func(freed chan struct{}) { close(freed) }, freed)
	}()
	for range 1000 {
		runtime.GC()
		select {
		case <-freed:
			return
		default:
			runtime.Gosched()
		}
	}
	t.Error("the process is kept")
}
