package socket

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// listenFull listens at path with the shortest queue there is, and fills it.
func listenFull(t *testing.T, path string) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrUnix{Name: path}), unix.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	for {
		conn, err := net.Dial("unix", path)
		if errors.Is(err, syscall.EAGAIN) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
	}
}

func TestAFullQueueIsBusyNotDead(t *testing.T) {
	u := Unix{Dir: shortDir(t)}
	path := filepath.Join(u.Dir, "counter.sock")
	listenFull(t, path)
	_, err := u.Dial(t.Context(), counter)
	if !errors.Is(err, ErrBusy) || !errors.Is(err, syscall.EAGAIN) || errors.Is(err, ErrNotListening) {
		t.Errorf("Dial: %v", err)
	}
	if _, err := u.Listen(t.Context(), counter); !errors.Is(err, ErrInUse) {
		t.Errorf("Listen: %v", err)
	}
	if _, err := os.Lstat(path); err != nil {
		t.Error(err)
	}
}

func TestConnectToSaysThatTheQueueIsFull(t *testing.T) {
	u := Unix{Dir: shortDir(t)}
	listenFull(t, filepath.Join(u.Dir, "counter.sock"))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	says(t, "ConnectTo a server whose queue is full", New(Config{Transport: u}).ConnectTo(ctx, counter).Err(),
		[]error{ErrBusy, context.DeadlineExceeded}, "connect counter: ")
}

func TestASocketOfAnotherSortIsNotStale(t *testing.T) {
	u := Unix{Dir: shortDir(t)}
	path := filepath.Join(u.Dir, "counter.sock")
	datagrams, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer datagrams.Close()
	if _, err := u.Listen(t.Context(), counter); err == nil || !errors.Is(err, syscall.EPROTOTYPE) {
		t.Errorf("Listen: %v", err)
	}
	if _, err := os.Lstat(path); err != nil {
		t.Error(err)
	}
}

func TestTheSocketIsPrivateWhateverTheUmask(t *testing.T) {
	before := unix.Umask(0)
	defer unix.Umask(before)
	u := Unix{Dir: shortDir(t)}
	mustListen(t, u, counter)
	info, err := os.Lstat(filepath.Join(u.Dir, "counter.sock"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}
