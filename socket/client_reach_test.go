//go:build unix

package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// quiet is a transport without servers that would tell of one, and counts who asks.
type quiet struct {
	Transport
	failure error // of Dial
	asked   atomic.Int64
}

func (q *quiet) Dial(context.Context, Name) (net.Conn, error) {
	q.asked.Add(1)
	return nil, q.failure
}

// watchName never has news.
func (q *quiet) watchName(Name) (news <-chan struct{}, stop func()) {
	return make(chan struct{}), func() {}
}

func TestConnectToAsksRarelyForANameThatItIsToldOf(t *testing.T) {
	t.Parallel()
	rarely, often := int(time.Hour/quietPause), int(time.Hour/longestPause)
	refused := often // a full queue is refused, too
	if runtime.GOOS == "linux" {
		refused = rarely
	}
	for _, test := range []struct {
		what    string
		failure error
		is      error
		want    int // how often, but for the first few times
	}{
		{"there is no file", os.ErrNotExist, ErrNotListening, rarely},
		{"nobody listens at the file", syscall.ECONNREFUSED, ErrNotListening, refused},
		{"the queue is full", syscall.EAGAIN, ErrBusy, often},
	} {
		synctest.Test(t, func(t *testing.T) {
			transport := &quiet{failure: fmt.Errorf("%w: %w", test.is, test.failure)}
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			err := New(Config{Transport: transport}).ConnectTo(ctx, counter).Err()
			if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, test.is) {
				t.Errorf("%s: ConnectTo at its deadline: %v, want that and %v", test.what, err, test.is)
			}
			if asked := int(transport.asked.Load()); asked < test.want || asked > test.want+20 {
				t.Errorf("%s: a client that waited for an hour asked %d times, want %d and a few", test.what, asked, test.want)
			}
		})
	}
}

func TestConnectToSaysThatTheQueueIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		says(t, "ConnectTo a server whose queue is full", New(Config{Transport: &quiet{failure: ErrBusy}}).ConnectTo(ctx, counter).Err(),
			[]error{ErrBusy, context.DeadlineExceeded}, "connect counter: ")
	})
}

func TestConnectToWaitsForAServerInAFolderThatIsMadeLater(t *testing.T) {
	dir, ctx := filepath.Join(shortDir(t), "made", "later"), within(t)
	ipc := New(Config{Dir: dir})
	connected := make(chan error)
	const waiters = 20
	for range waiters {
		go func() {
			p, err := ipc.ConnectTo(ctx, counter).Get()
			if err == nil {
				err = p.Close(ctx).Err()
			}
			connected <- err
		}()
	}
	place := ipc.config.Transport.(unixPlace)
	for waiting := 0; waiting < waiters; {
		if err := stream.Timer(time.Millisecond).Run(ctx); err != nil {
			t.Fatalf("%d of %d clients wait: %v", waiting, waiters, err)
		}
		waiting = place.Folder.Waiters()
	}
	served := make(chan struct{})
	serveCtx, stop := context.WithCancel(ctx)
	go func() {
		defer close(served)
		New(Config{Dir: dir}).Listen(counter)(serveCtx, func(c *Connection) bool {
			go c.Messages().Run(serveCtx)
			return true
		})
	}()
	for range waiters {
		if err := <-connected; err != nil {
			t.Error("a client that waited for the server: ", err)
		}
	}
	stop()
	<-served
	if waiting := place.Folder.Waiters(); waiting > 0 {
		t.Errorf("%d clients wait for news after all have connected, want none", waiting)
	}
}

// failsOnce is a transport whose first dial fails with a reason. Later dials wait until the
// context ends.
type failsOnce struct {
	quiet
}

func (f *failsOnce) Dial(ctx context.Context, name Name) (net.Conn, error) {
	if f.asked.Load() > 0 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return f.quiet.Dial(ctx, name)
}

func TestConnectToTellsTheReasonKnownLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		transport := &failsOnce{quiet{failure: fmt.Errorf("%w: %w", ErrNotListening, os.ErrNotExist)}}
		says(t, "ConnectTo that dials when its context ends", New(Config{Transport: transport}).ConnectTo(ctx, counter).Err(),
			[]error{context.DeadlineExceeded, ErrNotListening}, "connect counter: ")
	})
}
