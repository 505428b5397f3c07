package unixsock

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// listenFull listens at path with the shortest queue there is, and fills it.
func listenFull(t *testing.T, path string) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	must(t, "making a socket", err)
	t.Cleanup(func() { unix.Close(fd) })
	must(t, "listening with the shortest queue", errors.Join(unix.Bind(fd, &unix.SockaddrUnix{Name: path}), unix.Listen(fd, 0)))
	for {
		conn, err := net.Dial("unix", path)
		if errors.Is(err, syscall.EAGAIN) {
			return
		}
		must(t, "filling a queue", err)
		t.Cleanup(func() { conn.Close() })
	}
}

func TestDialToAFullQueueIsBusy(t *testing.T) {
	u := Options{Dir: shortDir(t)}
	path := filepath.Join(u.Dir, "counter.sock")
	listenFull(t, path)
	_, err := New(u).Dial(t.Context(), counter)
	if !errors.Is(err, ErrBusy) || !errors.Is(err, syscall.EAGAIN) || errors.Is(err, ErrNotListening) {
		t.Errorf("dialing a server whose queue is full: %v, want ErrBusy", err)
	}
	if _, err := New(u).Listen(t.Context(), counter); !errors.Is(err, ErrInUse) {
		t.Errorf("listening where a server's queue is full: %v, want ErrInUse", err)
	}
	exists(t, path, "the other server's socket")
}

func TestListenLeavesASocketOfAnotherKindAlone(t *testing.T) {
	u := Options{Dir: shortDir(t)}
	path := filepath.Join(u.Dir, "counter.sock")
	datagrams, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	must(t, "making a socket of datagrams", err)
	defer datagrams.Close()
	if _, err := New(u).Listen(t.Context(), counter); err == nil || !errors.Is(err, syscall.EPROTOTYPE) {
		t.Errorf("listening in the place of a socket of datagrams: %v, want %v", err, syscall.EPROTOTYPE)
	}
	exists(t, path, "the other server's socket")
}

func TestListenMakesAPrivateSocketWhateverTheUmask(t *testing.T) {
	before := unix.Umask(0)
	defer unix.Umask(before)
	u := Options{Dir: shortDir(t)}
	mustListen(t, u, counter)
	info, err := os.Lstat(filepath.Join(u.Dir, "counter.sock"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket with umask 0 has mode %v, %v; want 0600", info.Mode(), err)
	}
}

func TestBacklogThatIsNegativeLetsOneWait(t *testing.T) {
	if got := New(Options{Backlog: -5}).backlog; got != 1 {
		t.Errorf("a negative backlog lets %d wait, want 1", got)
	}
}

func TestBacklogLimitsHowManyWait(t *testing.T) {
	u := Options{Dir: shortDir(t), Backlog: 2}
	mustListen(t, u, counter)
	for n := 0; ; n++ {
		conn, err := New(u).Dial(t.Context(), counter)
		if errors.Is(err, ErrBusy) && n == 3 { // Linux lets one more wait
			return
		}
		if err != nil || n > 3 {
			t.Fatalf("client %d of a queue of 2: %v; want ErrBusy for the fourth", n+1, err)
		}
		defer conn.Close()
	}
}
