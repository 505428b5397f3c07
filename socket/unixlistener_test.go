//go:build unix

package socket

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket/internal/wire"
)

var counter = MustParseName("counter")

// shortDir is t.TempDir with a path that leaves room for a socket: macOS has long
// temporary folders and a low limit.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "rxipc")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// leaveStale makes the socket of a server that died.
func leaveStale(t *testing.T, path string) {
	t.Helper()
	listener := listenForeign(t, path)
	listener.SetUnlinkOnClose(false)
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
}

// listenForeign listens without the lock, as innmind/ipc does.
func listenForeign(t *testing.T, path string) *net.UnixListener {
	t.Helper()
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener
}

func TestListeningSocketIsNoChilds(t *testing.T) {
	fd, err := streamSocket()
	if err != nil {
		t.Fatal("making a socket: ", err)
	}
	defer unix.Close(fd)
	if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("the socket has the flags %#x, %v; want that it closes when a child is started", flags, err)
	}
}

// mustListen listens until the test ends.
func mustListen(t *testing.T, u Unix, name Name) net.Listener {
	t.Helper()
	listener, err := u.Listen(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener
}

func TestUnixConnectsBothEnds(t *testing.T) {
	u := Unix{Dir: filepath.Join(shortDir(t), "made", "with", "parents")}
	listener := mustListen(t, u, counter)
	client, err := u.Dial(t.Context(), counter)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	server, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	newPeer(t, server).send(wire.KindStart)
	newPeer(t, client).expect("start")
}

func TestUnixKeepsOthersOut(t *testing.T) {
	u := Unix{Dir: filepath.Join(shortDir(t), "d")}
	mustListen(t, u, counter)
	for path, want := range map[string]fs.FileMode{
		u.Dir:                                 fs.ModeDir | 0o700,
		filepath.Join(u.Dir, "counter.sock"):  fs.ModeSocket | 0o600,
		filepath.Join(u.Dir, ".counter.lock"): 0o600,
	} {
		if info, err := os.Lstat(path); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v; want %v", path, info.Mode(), err, want)
		}
	}
}

func TestASecondListenerIsRefused(t *testing.T) {
	u := Unix{Dir: shortDir(t)}
	first := mustListen(t, u, counter)
	second, err := u.Listen(t.Context(), counter)
	if !errors.Is(err, ErrInUse) || second != nil {
		t.Fatalf("%v, %v; want ErrInUse", second, err)
	}
	var structured *Error
	if !errors.As(err, &structured) || structured.Op != "listen" || structured.Name != "counter" {
		t.Errorf("%#v", err)
	}
	// The first never noticed.
	if conn, err := u.Dial(t.Context(), counter); err != nil {
		t.Error(err)
	} else {
		conn.Close()
	}
	mustListen(t, u, MustParseName("other"))
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	mustListen(t, u, counter)
}

func TestClosingAListenerRemovesItsSocketOnce(t *testing.T) {
	u := Unix{Dir: shortDir(t)}
	listener := mustListen(t, u, counter)
	if err := listener.Close(); err != nil {
		t.Error(err)
	}
	path := filepath.Join(u.Dir, "counter.sock")
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
	if _, err := os.Lstat(filepath.Join(u.Dir, ".counter.lock")); err != nil {
		t.Errorf("the lock file went away: %v", err)
	}
	if _, err := listener.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept after Close: %v", err)
	}
	next := mustListen(t, u, counter)
	if err := listener.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("closing again took the next one's socket: %v", err)
	}
	if err := next.Close(); err != nil {
		t.Error(err)
	}
}

func TestClosingAListenerSparesTheSocketOfAnother(t *testing.T) {
	u := Unix{Dir: shortDir(t)}
	listener := mustListen(t, u, counter)
	path := filepath.Join(u.Dir, "counter.sock")
	if err := os.Rename(path, path+".aside"); err != nil {
		t.Fatal(err)
	}
	listenForeign(t, path)
	if err := listener.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); err != nil {
		t.Error(err)
	}
}

func TestAStaleSocketIsReplaced(t *testing.T) {
	u := Unix{Dir: shortDir(t)}
	leaveStale(t, filepath.Join(u.Dir, "counter.sock"))
	if _, err := u.Dial(t.Context(), counter); !errors.Is(err, ErrNotListening) || !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("before: %v", err)
	}
	mustListen(t, u, counter)
	conn, err := u.Dial(t.Context(), counter)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

func TestALiveForeignServerIsLeftInPeace(t *testing.T) {
	u := Unix{Dir: shortDir(t)}
	path := filepath.Join(u.Dir, "counter.sock")
	foreign := listenForeign(t, path)
	session := make(chan error, 1)
	go func() {
		conn, err := foreign.Accept()
		if err != nil {
			session <- err
			return
		}
		defer conn.Close()
		visitor := newPeer(t, conn)
		visitor.send(wire.KindStart)
		visitor.expect("start-ok", "close")
		visitor.send(wire.KindCloseOK)
		visitor.expect("EOF")
		session <- nil
	}()
	if _, err := u.Listen(t.Context(), counter); !errors.Is(err, ErrInUse) {
		t.Errorf("%v, want ErrInUse", err)
	}
	if err := <-session; err != nil {
		t.Errorf("accepting the visitor: %v", err)
	}
	if _, err := os.Lstat(path); err != nil {
		t.Error(err)
	}
}

func TestASocketThatALinkHasReplacedGivesItsModeToNobody(t *testing.T) {
	dir := shortDir(t)
	private := filepath.Join(dir, "private")
	link := filepath.Join(dir, "counter.sock")
	if err := errors.Join(os.WriteFile(private, nil, 0o600), os.Symlink("private", link)); err != nil {
		t.Fatal(err)
	}
	group := strconv.Itoa(os.Getgid())
	for _, u := range []Unix{{Mode: 0o666}, {Group: group, Mode: 0o660}} { // between being bound and this
		if err := u.place().secure(link, fs.ModeSocket, u.Mode); err == nil || !strings.Contains(err.Error(), link+" was replaced") {
			t.Error(err)
		}
		if info, err := os.Lstat(private); err != nil || info.Mode() != 0o600 {
			t.Error(info.Mode(), err)
		}
	}
}

func TestAServerWhoseLockWasRemovedIsStillFound(t *testing.T) {
	dir, ctx := shortDir(t), within(t)
	listening := make(chan struct{})
	ipc := New(Config{Dir: dir, ServerConfig: ServerConfig{Listening: func(Name) { close(listening) }}})
	serving(t, ipc)
	<-listening
	p, err := ipc.ConnectTo(ctx, counter).Get()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(ctx)
	if err := os.Remove(filepath.Join(dir, ".counter.lock")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := (Unix{Dir: dir}).Listen(ctx, counter); !errors.Is(err, ErrInUse) {
			t.Error(err)
		}
	}
	if m, err := p.Request(ctx, Text("hello")).Get(); m != Text("echo: hello") {
		t.Error(m, err)
	}
	if err := fold.Then(ipc.ConnectTo(ctx, counter), Closing(ctx, Send(ctx, Text("hello")))).Err(); err != nil {
		t.Error(err)
	}
}

func TestAServerThatTakesThePlaceMeanwhileIsLeftInPeace(t *testing.T) {
	u := Unix{Dir: shortDir(t)}
	path := filepath.Join(u.Dir, "counter.sock")
	foreign := listenForeign(t, path) // after it was looked at
	if _, _, err := u.place().listenAt(path); !errors.Is(err, ErrInUse) || !errors.Is(err, syscall.EADDRINUSE) {
		t.Error(err)
	}
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(conn.Close(), foreign.Close()); err != nil {
		t.Error(err)
	}
}

func TestListenFollowsNoLinks(t *testing.T) {
	for _, file := range []string{"counter.sock", ".counter.lock"} {
		u, target := Unix{Dir: shortDir(t)}, filepath.Join(shortDir(t), "target")
		link := filepath.Join(u.Dir, file)
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
		if file == "counter.sock" {
			leaveStale(t, target) // would be replaced if it stood there itself
		}
		if _, err := u.Listen(t.Context(), counter); err == nil || errors.Is(err, ErrInUse) {
			t.Errorf("%s: %v", file, err)
		}
		if info, err := os.Lstat(link); err != nil || info.Mode().Type() != fs.ModeSymlink {
			t.Errorf("%s: the link: %v, %v", file, info, err)
		}
		if _, err := os.Lstat(target); (file == "counter.sock") != (err == nil) {
			t.Errorf("%s: the target: %v", file, err)
		}
	}
}

func TestListenLeavesOtherFilesAlone(t *testing.T) {
	for _, file := range []string{"counter.sock", ".counter.lock"} {
		u := Unix{Dir: shortDir(t)}
		path := filepath.Join(u.Dir, file)
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := u.Listen(t.Context(), counter)
		if err == nil || errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", file, err)
		}
		if _, err := os.Lstat(path); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestAFailedListenFreesTheLock(t *testing.T) {
	u := Unix{Dir: shortDir(t)}
	path := filepath.Join(u.Dir, "counter.sock")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Listen(t.Context(), counter); err == nil {
		t.Fatal("no error")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	mustListen(t, u, counter)
}

func TestExactlyOneOfTwoStartersWins(t *testing.T) {
	u := Unix{Dir: shortDir(t)}
	path := filepath.Join(u.Dir, "counter.sock")
	for round := range 200 {
		if round%2 == 0 {
			leaveStale(t, path)
		}
		won := startTogether(t, u, 3)
		if len(won) != 1 {
			t.Fatalf("round %d: %d won", round, len(won))
		}
		conn, err := u.Dial(t.Context(), counter)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		conn.Close()
		if err := won[0].Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// startTogether has several listen at the same time and returns those who did.
func startTogether(t *testing.T, u Unix, starters int) (won []net.Listener) {
	t.Helper()
	var (
		started sync.WaitGroup
		mu      sync.Mutex
		begin   = make(chan struct{})
	)
	for range starters {
		started.Go(func() {
			<-begin
			listener, err := u.Listen(t.Context(), counter)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won = append(won, listener)
			} else if !errors.Is(err, ErrInUse) {
				t.Errorf("lost with %v", err)
			}
		})
	}
	close(begin)
	started.Wait()
	return won
}

func TestNamesListsSocketsOnly(t *testing.T) {
	u := Unix{Dir: shortDir(t)}
	for _, text := range []string{"b", "a", "a-b", "A"} {
		mustListen(t, u, MustParseName(text))
	}
	leaveStale(t, filepath.Join(u.Dir, "left-over.sock"))
	leaveStale(t, filepath.Join(u.Dir, "not.a.name.sock"))
	leaveStale(t, filepath.Join(u.Dir, "another-end"))
	if err := os.WriteFile(filepath.Join(u.Dir, "file.sock"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	names, err := u.Names(t.Context())
	var got []string
	for _, name := range names {
		got = append(got, name.String())
	}
	if want := []string{"A", "a", "a-b", "b", "left-over"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
}
