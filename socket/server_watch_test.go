package socket

import (
	"context"
	"errors"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// newWatch returns a watch whose server ends with open.
func newWatch(open context.Context) *watch { return &watch{open: open} }

// idle returns a session of a connection that nobody reads.
func idle() *session {
	ours, _ := newPipe(0)
	config := Config{}.withDefaults()
	return newSession(newConnection(ours, &config, serverTimers(&config)), nil)
}

// mustKeep asserts for how many sessions w is registered with contexts.
func (w *watch) mustKeep(t *testing.T, sessions int) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.sessions) != sessions || (w.release != nil) != (sessions > 0) {
		t.Errorf("the watch has %d sessions, registered with contexts: %t; want %d sessions, %t",
			len(w.sessions), w.release != nil, sessions, sessions > 0)
	}
}

// mustEnd asserts for what reason a session is to end, nil for none, in a bubble.
func mustEnd(t *testing.T, what string, s *session, reason error) {
	t.Helper()
	synctest.Wait()
	if got := context.Cause(s.Context()); got != reason {
		t.Errorf("the session %s ends with %v, want %v", what, got, reason)
	}
}

func TestWatchEndsSessionsWithTheirContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader, endReader := context.WithCancelCause(t.Context())
		open, endOpen := context.WithCancel(t.Context())
		type key struct{}
		derived := context.WithValue(reader, key{}, "value") // ends with reader
		read, served := newWatch(t.Context()), newWatch(open)
		a, b, removed, other := idle(), idle(), idle(), idle()
		read.add(reader, a)
		read.add(derived, b)
		read.add(reader, removed)
		served.add(t.Context(), other)
		read.mustKeep(t, 3)
		read.remove(removed)
		read.mustKeep(t, 2)

		endReader(io.ErrClosedPipe)
		mustEnd(t, "of the reader", a, io.ErrClosedPipe)
		mustEnd(t, "of a derived context", b, io.ErrClosedPipe)
		mustEnd(t, "that was removed", removed, nil)
		mustEnd(t, "of another run", other, nil)
		read.remove(a) // as a session does that was ended
		read.remove(b)
		read.mustKeep(t, 0)

		endOpen()
		mustEnd(t, "of a server", other, ErrShutdown)
		served.remove(other)
		served.mustKeep(t, 0)
	})
}

func TestWatchKeepsNothingWithoutSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open, endOpen := context.WithCancel(t.Context())
		w := newWatch(open)
		ctx, end := context.WithCancel(t.Context())
		a, b := idle(), idle()
		for range 3 { // a session that is removed may come again
			w.add(ctx, a)
			w.add(ctx, b)
			w.remove(a)
			w.remove(a)
			w.mustKeep(t, 1)
			w.remove(b)
			w.mustKeep(t, 0)
		}
		end()
		endOpen()
		mustEnd(t, "a", a, nil)
		mustEnd(t, "b", b, nil)
	})
}

func TestWatchEndsAtOnceWhatIsAddedToADoneContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancelCause(t.Context())
		open, endOpen := context.WithCancel(t.Context())
		reason := errors.New("reason")
		w, shut := newWatch(t.Context()), newWatch(open)
		before, after, later, shutBefore, shutLater := idle(), idle(), idle(), idle(), idle()
		w.add(ctx, before)
		shut.add(t.Context(), shutBefore)
		end(reason)
		endOpen()
		w.add(ctx, after)
		mustEnd(t, "of before", before, reason)
		mustEnd(t, "of the moment", after, reason)
		w.add(ctx, later) // the callback has run
		shut.add(t.Context(), shutLater)
		mustEnd(t, "of later", later, reason)
		mustEnd(t, "of a server that ends later", shutLater, ErrShutdown)
	})
}

// TestWatchEndsWhatComesAndGoesMeanwhile: a session that is not removed is ended, whether it was
// added before, at the time of or after the end of the context. Nothing is kept of those removed.
func TestWatchEndsWhatComesAndGoesMeanwhile(t *testing.T) {
	for range 200 {
		w := newWatch(t.Context())
		ctx, end := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(end)
		for i := range 8 {
			all.Go(func() {
				for n := range 4 {
					s := idle()
					w.add(ctx, s)
					if (i+n)%2 != 0 {
						<-s.Context().Done()
					}
					w.remove(s)
				}
			})
		}
		all.Wait()
		w.mustKeep(t, 0)
	}
}

// TestWatchOfARunIsReleased counts the sessions of a run that share one watch.
func TestWatchOfARunIsReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancel(t.Context())
		open, stop := context.WithCancel(t.Context())
		defer end()
		w := newWatch(open)
		listener := newMemoryListener()
		var running sync.WaitGroup
		running.Go(func() {
			New(Config{}).Accept(listener)(ctx, func(c *Connection) bool {
				session := newSession(c, w)
				running.Go(func() { session.serve(ctx, handledBy(func(Exchange) bool { return true })) })
				return true
			})
		})
		stays, leaves, dies := listener.client(t, 0).greet(), listener.client(t, 0).greet(), listener.client(t, 0).greet()
		synctest.Wait()
		w.mustKeep(t, 3)
		leaves.leave()
		dies.conn.Close()
		synctest.Wait()
		w.mustKeep(t, 1)
		stop()
		stays.expect("close")
		stays.send(wire.KindCloseOK)
		synctest.Wait()
		w.mustKeep(t, 0)
		listener.Close()
		running.Wait()
	})
}

// countingContext counts the functions that wait for its end.
type countingContext struct {
	context.Context
	waiting atomic.Int32
}

func (c *countingContext) Value(any) any { return nil } // or package context would go past AfterFunc

func (c *countingContext) AfterFunc(f func()) func() bool {
	c.waiting.Add(1)
	stop := context.AfterFunc(c.Context, f)
	return func() bool { c.waiting.Add(-1); return stop() }
}

func TestConnectionThatEndedLeavesNothingInItsReadersContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := &countingContext{Context: t.Context()}
		ours, theirs := newPipe(0)
		config := Config{}.withDefaults()
		c := newConnection(ours, &config, serverTimers(&config))
		ended := make(chan error, 1)
		go func() { ended <- c.Exchanges().Run(ctx) }()
		client := newPeer(t, theirs).greet()
		synctest.Wait()
		if n := ctx.waiting.Load(); n != 1 {
			t.Errorf("a connection that is read has %d functions in its reader's context, want 1", n)
		}
		client.leave()
		if err := <-ended; err != nil || ctx.waiting.Load() != 0 {
			t.Errorf("a connection that ended with %v left %d functions in its reader's context, want none", err, ctx.waiting.Load())
		}
	})
}

// TestProcessThatIsClosedIsNotKeptByItsContext waits for the collector, which is told to
// work until it has found what the test let go of.
func TestProcessThatIsClosedIsNotKeptByItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	freed := make(chan struct{})
	func() {
		ours, theirs := newPipe(0)
		server := newPeer(t, theirs)
		server.send(wire.KindStart, wire.KindReceived)
		p := must(t, "attach to the connection", New(Config{}).Attach(ctx, ours))
		go func() {
			server.expect("start-ok", `"a"`)
			server.send(wire.KindReceived, wire.KindClose)
		}()
		succeeds(t, "send a", p.Send(ctx, Text("a")).Err())
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
	t.Error("a closed process is still reachable after 1000 collections, want it freed")
}
