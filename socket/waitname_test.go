//go:build unix

package socket

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// quiet is a transport without servers that would tell of one, and counts who asks.
type quiet struct {
	Transport
	failure error // of Dial
	watch   folderWatch
	asked   atomic.Int64
}

func (q *quiet) Dial(context.Context, Name) (net.Conn, error) {
	q.asked.Add(1)
	return nil, q.failure
}

// watchName has waiters that nobody tells anything, so it starts nothing.
func (q *quiet) watchName(name Name) *nameWaiter {
	return &nameWaiter{watch: &q.watch, file: name.text, news: make(chan struct{}, 1)}
}

func TestConnectToAsksRarelyForANameThatItIsToldOf(t *testing.T) {
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
			transport := &quiet{failure: explainDial(test.failure)}
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

// newWatch watches a folder, with the system's help or by looking.
func newWatch(dir string, byLooking bool) (watch *folderWatch, end func()) {
	watch = &folderWatch{dir: dir}
	if byLooking {
		watch.end = watch.lookAround()
	}
	return watch, func() {
		if watch.end != nil {
			watch.end()
		}
	}
}

// awaitNews waits until a waiter is told something.
func awaitNews(t *testing.T, w *nameWaiter, of string) {
	t.Helper()
	select {
	case <-w.news:
	case <-within(t).Done():
		t.Fatalf("nobody told of %s", of)
	}
}

func TestWaiterIsToldOfAFileThatComes(t *testing.T) {
	for _, byLooking := range []bool{false, true} {
		base := shortDir(t)
		dir := filepath.Join(base, "made", "later")
		watch, end := newWatch(dir, byLooking)
		w := watch.add("x.sock")
		appear := func(what string, makeIt func() error) {
			t.Helper()
			if err := makeIt(); err != nil {
				t.Fatalf("making %s: %v", what, err)
			}
			awaitNews(t, w, what)
			for len(w.news) > 0 {
				<-w.news
			}
		}
		file := func() error { return os.WriteFile(filepath.Join(dir, "x.sock"), nil, 0o600) }
		folder := func() error { return os.MkdirAll(dir, 0o700) }
		appear("a folder with parents", folder)
		appear("a file", file)
		appear("a file that was made again", func() error {
			return errors.Join(os.Remove(filepath.Join(dir, "x.sock")), file())
		})
		appear("a file that was moved there", func() error {
			other := filepath.Join(base, "other")
			return errors.Join(os.WriteFile(other, nil, 0o600), os.Rename(other, filepath.Join(dir, "x.sock")))
		})
		appear("a folder that was made again", func() error { return errors.Join(os.RemoveAll(filepath.Dir(dir)), folder()) })
		appear("a file in it", file)
		appear("a folder in the place of another one", func() error {
			return errors.Join(os.Rename(dir, dir+".old"), folder(), file())
		})
		w.stop()
		end()
	}
}

func TestWaitersShareOneWatch(t *testing.T) {
	watch := &folderWatch{dir: shortDir(t)}
	first, second := watch.add("x.sock"), watch.add("y.sock")
	before := openDescriptors(t)
	var more []*nameWaiter
	for range 100 {
		more = append(more, watch.add("x.sock"))
	}
	if after := openDescriptors(t); after > before {
		t.Errorf("100 more waiters opened %d descriptors", after-before)
	}
	if err := os.WriteFile(filepath.Join(watch.dir, "x.sock"), nil, 0o600); err != nil {
		t.Fatal("making a file: ", err)
	}
	for _, w := range append(more, first) {
		awaitNews(t, w, "a file that all wait for")
		w.stop()
	}
	if watch.end == nil {
		t.Error("nobody watches, and one waits still")
	}
	second.stop()
	if watch.end != nil || len(watch.waiters) > 0 {
		t.Errorf("%d waiters are left, and something watches, after all were stopped", len(watch.waiters))
	}
	again := watch.add("x.sock")
	if err := os.Remove(filepath.Join(watch.dir, "x.sock")); err != nil {
		t.Fatal("removing a file: ", err)
	}
	if err := os.WriteFile(filepath.Join(watch.dir, "x.sock"), nil, 0o600); err != nil {
		t.Fatal("making a file: ", err)
	}
	awaitNews(t, again, "a file, to one that waits after others had")
	again.stop()
}

// openDescriptors counts those of this process, where the system has a folder of them.
func openDescriptors(t *testing.T) int {
	entries, err := os.ReadDir("/dev/fd")
	if err != nil {
		t.Log("this system does not tell which descriptors are open: ", err)
	}
	return len(entries)
}

func TestWaitingLeavesNoGoroutine(t *testing.T) {
	// A bubble ends when all that was started in it has ended.
	synctest.Test(t, func(t *testing.T) {
		watch := &folderWatch{dir: filepath.Join(t.TempDir(), "missing")}
		for range 3 {
			one, other := watch.add("x.sock"), watch.add("x.sock")
			one.stop()
			other.stop()
		}
		end := watch.lookAround()
		time.Sleep(time.Minute)
		end()
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
	place := ipc.config.Transport.(*unixPlace)
	for waiting := 0; waiting < waiters; {
		if err := sleep(ctx, time.Millisecond); err != nil {
			t.Fatalf("%d of %d clients wait: %v", waiting, waiters, err)
		}
		place.watch.mu.Lock()
		waiting = len(place.watch.waiters)
		place.watch.mu.Unlock()
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
	if place.watch.end != nil || len(place.watch.waiters) > 0 {
		t.Errorf("%d clients are watched for after all have connected", len(place.watch.waiters))
	}
}

func TestFolderInThePlaceOfAnotherOneHasChanged(t *testing.T) {
	base, old := shortDir(t), time.Now().Add(-time.Hour)
	var folders []os.FileInfo
	for _, name := range []string{"one", "other"} {
		dir := mkdir(t, 0o700, base, name)
		if err := os.Chtimes(dir, old, old); err != nil {
			t.Fatal("setting the time of a folder: ", err)
		}
		info, err := os.Stat(dir)
		if err != nil {
			t.Fatal("looking at a folder: ", err)
		}
		folders = append(folders, info)
	}
	if changed(folders[0], folders[0]) {
		t.Error("a folder that is as old as before has changed, want not")
	}
	if !changed(folders[0], folders[1]) {
		t.Error("another folder, as old as the one before, has not changed, want that it has")
	}
}

// failsOnce is a transport that says why nobody can be reached, and then nothing until the
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
		transport := &failsOnce{quiet{failure: explainDial(os.ErrNotExist)}}
		says(t, "ConnectTo that dials when its context ends", New(Config{Transport: transport}).ConnectTo(ctx, counter).Err(),
			[]error{context.DeadlineExceeded, ErrNotListening}, "connect counter: ")
	})
}
