//go:build unix

package unixsock

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

func TestListenSocketIsClosedInChildren(t *testing.T) {
	fd, err := streamSocket()
	must(t, "making a socket", err)
	defer unix.Close(fd)
	if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("the socket has the flags %#x, %v; want that it closes when a child is started", flags, err)
	}
}

func TestListenKeepsOtherUsersOut(t *testing.T) {
	o := Options{Dir: filepath.Join(shortDir(t), "made", "with", "parents")}
	listener := mustListen(t, o, counter)
	for path, want := range map[string]fs.FileMode{
		filepath.Dir(o.Dir):                   fs.ModeDir | 0o700,
		o.Dir:                                 fs.ModeDir | 0o700,
		filepath.Join(o.Dir, "counter.sock"):  fs.ModeSocket | 0o600,
		filepath.Join(o.Dir, ".counter.lock"): 0o600,
	} {
		info, err := os.Lstat(path)
		if err != nil {
			t.Fatalf("look at what Listen has made: %v", err)
		}
		if info.Mode() != want {
			t.Errorf("mode of %s: got %v, want %v", path, info.Mode(), want)
		}
	}
	mustConnect(t, o)
	conn, err := listener.Accept()
	must(t, "accepting a client", err)
	conn.Close()
}

func TestListenOnANameInUseFails(t *testing.T) {
	o := Options{Dir: shortDir(t)}
	first := mustListen(t, o, counter)
	second, err := New(o).Listen(t.Context(), counter)
	if !errors.Is(err, ErrInUse) || second != nil {
		t.Fatalf("listening a second time: %v, %v; want ErrInUse", second, err)
	}
	mustConnect(t, o)
	mustListen(t, o, "other")
	must(t, "closing the first listener", first.Close())
	mustListen(t, o, counter)
}

func TestListenerRemovesItsSocketOnce(t *testing.T) {
	o := Options{Dir: shortDir(t)}
	listener := mustListen(t, o, counter)
	must(t, "closing a listener", listener.Close())
	path := filepath.Join(o.Dir, "counter.sock")
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket after its listener was closed: %v, want none", err)
	}
	exists(t, filepath.Join(o.Dir, ".counter.lock"), "the lock after the listener was closed")
	if _, err := listener.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accepting after the listener was closed: %v, want %v", err, net.ErrClosed)
	}
	mustListen(t, o, counter)
	must(t, "closing a listener again", listener.Close())
	exists(t, path, "the socket of the next listener after the first was closed again")
}

func TestListenerSparesTheSocketOfAnother(t *testing.T) {
	o := Options{Dir: shortDir(t)}
	listener := mustListen(t, o, counter)
	path := filepath.Join(o.Dir, "counter.sock")
	must(t, "moving the socket", os.Rename(path, path+".aside"))
	listenForeign(t, path)
	must(t, "closing the listener", listener.Close())
	exists(t, path, "the socket of the other server")
}

func TestListenReplacesAStaleSocket(t *testing.T) {
	o := Options{Dir: shortDir(t)}
	leaveStale(t, filepath.Join(o.Dir, "counter.sock"))
	if _, err := New(o).Dial(t.Context(), counter); !errors.Is(err, ErrNotListening) || !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dialing a stale socket: %v, want ErrNotListening and %v", err, syscall.ECONNREFUSED)
	}
	mustListen(t, o, counter)
	mustConnect(t, o)
}

func TestListenTakesLeaveOfAServerWithoutALock(t *testing.T) {
	o := Options{Dir: shortDir(t)}
	path := filepath.Join(o.Dir, "counter.sock")
	foreign := listenForeign(t, path)
	session := make(chan error, 1)
	go func() { session <- playSession(foreign) }()
	if _, err := New(o).Listen(t.Context(), counter); !errors.Is(err, ErrInUse) {
		t.Errorf("listening beside a server without a lock: %v, want ErrInUse", err)
	}
	if err := <-session; err != nil {
		t.Errorf("the session of the server: %v", err)
	}
	exists(t, path, "the socket of the other server")
}

// playSession is a server that goes through a whole session with its first client, which sends
// no message.
func playSession(listener net.Listener) error {
	conn, err := listener.Accept()
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, wire.KindStart.Frame()); err != nil {
		return err
	}
	want := wire.KindStartOK.Frame() + wire.KindClose.Frame()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != want {
		return errors.Join(err, errors.New("the client sent "+strconv.Quote(string(got))))
	}
	_, err = io.WriteString(conn, wire.KindCloseOK.Frame())
	if rest, failed := io.ReadAll(conn); len(rest) > 0 || failed != nil {
		return errors.Join(failed, errors.New("after the end the client sent "+strconv.Quote(string(rest))))
	}
	return err
}

func TestListenGivesNoModeToALinkInTheSocketsPlace(t *testing.T) {
	dir := shortDir(t)
	private := filepath.Join(dir, "private")
	must(t, "making a file", os.WriteFile(private, nil, 0o600))
	link := symlink(t, "private", dir, "counter.sock")
	group := strconv.Itoa(os.Getgid())
	for _, o := range []Options{{Mode: 0o666}, {Group: group, Mode: 0o660}} { // between bind and chmod
		if err := New(o).secure(link, fs.ModeSocket, o.Mode); err == nil || !strings.Contains(err.Error(), link+" was replaced") {
			t.Errorf("giving a link in the socket's place mode %v: %v, want that it was replaced", o.Mode, err)
		}
		if info, err := os.Lstat(private); err != nil || info.Mode() != 0o600 {
			t.Errorf("the file that the link leads to has mode %v, %v; want 0600", info.Mode(), err)
		}
	}
}

func TestListenLeavesAServerAloneThatTakesThePlaceMeanwhile(t *testing.T) {
	o := Options{Dir: shortDir(t)}
	path := filepath.Join(o.Dir, "counter.sock")
	listenForeign(t, path) // after Listen has looked
	if _, _, err := New(o).listenAt(path); !errors.Is(err, ErrInUse) || !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("binding to a path where a server is: %v, want ErrInUse and %v", err, syscall.EADDRINUSE)
	}
	mustConnect(t, o)
}

func TestListenFollowsNoLinks(t *testing.T) {
	for _, file := range []string{"counter.sock", ".counter.lock"} {
		o, target := Options{Dir: shortDir(t)}, filepath.Join(shortDir(t), "target")
		link := symlink(t, target, o.Dir, file)
		if file == "counter.sock" {
			leaveStale(t, target) // Listen would replace it if it stood in the place of the link
		}
		if _, err := New(o).Listen(t.Context(), counter); err == nil || errors.Is(err, ErrInUse) {
			t.Errorf("listening with a link called %s: %v, want another error than ErrInUse", file, err)
		}
		if info, err := os.Lstat(link); err != nil || info.Mode().Type() != fs.ModeSymlink {
			t.Errorf("the link called %s: %v, %v; want that it stays", file, info, err)
		}
		if _, err := os.Lstat(target); (file == "counter.sock") != (err == nil) {
			t.Errorf("the target of the link called %s: %v, want that it is as before", file, err)
		}
	}
}

func TestListenLeavesOtherFilesAlone(t *testing.T) {
	for _, file := range []string{"counter.sock", ".counter.lock"} {
		o := Options{Dir: shortDir(t)}
		path := filepath.Join(o.Dir, file)
		must(t, "making a named pipe", syscall.Mkfifo(path, 0o600))
		_, err := New(o).Listen(t.Context(), counter)
		if err == nil || errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), path) {
			t.Errorf("listening with a named pipe called %s: %v, want an error that names it and is not ErrInUse", file, err)
		}
		exists(t, path, "the named pipe")
	}
}

func TestListenThatFailsFreesTheLock(t *testing.T) {
	o := Options{Dir: shortDir(t)}
	path := filepath.Join(o.Dir, "counter.sock")
	must(t, "making a file", os.WriteFile(path, nil, 0o600))
	if _, err := New(o).Listen(t.Context(), counter); err == nil {
		t.Fatal("listening in the place of a file succeeded, want an error")
	}
	remove(t, path)
	mustListen(t, o, counter)
}

func TestListenLetsExactlyOneOfThreeWin(t *testing.T) {
	o := Options{Dir: shortDir(t)}
	path := filepath.Join(o.Dir, "counter.sock")
	for round := range 200 {
		if round%2 == 0 {
			leaveStale(t, path)
		}
		won := startTogether(t, o, 3)
		if len(won) != 1 {
			t.Fatalf("in round %d %d of 3 listen, want 1", round, len(won))
		}
		conn, err := New(o).Dial(t.Context(), counter)
		if err != nil {
			t.Fatalf("connecting in round %d: %v", round, err)
		}
		conn.Close()
		must(t, "closing the listener", won[0].Close())
	}
}

// startTogether calls Listen several times at once, and returns the listeners.
func startTogether(t *testing.T, o Options, starters int) (won []*Listener) {
	t.Helper()
	var (
		started sync.WaitGroup
		mu      sync.Mutex
		begin   = make(chan struct{})
	)
	for range starters {
		started.Go(func() {
			<-begin
			listener, err := New(o).Listen(t.Context(), counter)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won = append(won, listener)
			} else if !errors.Is(err, ErrInUse) {
				t.Errorf("listening at the same time as others: %v, want ErrInUse", err)
			}
		})
	}
	close(begin)
	started.Wait()
	return won
}
