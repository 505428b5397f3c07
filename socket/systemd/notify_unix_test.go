//go:build unix

package systemd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
)

// manager is the receiving end of a service manager.
type manager struct{ *net.UnixConn }

// notified starts a manager at an address and sets NOTIFY_SOCKET to it.
func notified(t *testing.T, address string) manager {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: address, Net: "unixgram"})
	if err != nil {
		t.Fatalf("listening as a manager: got %v, want nil", err)
	}
	t.Cleanup(func() { conn.Close() })
	t.Setenv(notifySocket, address)
	return manager{conn}
}

func (m manager) next(t *testing.T) string {
	t.Helper()
	datagram := make([]byte, 1000)
	n, err := m.Read(datagram)
	if err != nil {
		t.Fatalf("read as the manager: got %v, want nil", err)
	}
	return string(datagram[:n])
}

func TestNotifySendsStatesToTheManager(t *testing.T) {
	addresses := []string{filepath.Join(shortDir(t), "notify")}
	if runtime.GOOS == "linux" {
		addresses = append(addresses, fmt.Sprintf("@rxipc-test-%d", os.Getpid()))
	}
	for _, address := range addresses {
		m := notified(t, address)
		if err := Notify(t.Context(), Ready, Status("two\nlines")); err != nil {
			t.Errorf("Notify to %s: got %v, want nil", address, err)
		}
		if got := m.next(t); got != "READY=1\nSTATUS=two lines" {
			t.Errorf("Notify to %s: the manager got %q, want both states, a line each", address, got)
		}
	}
}

func TestNotifyWithoutAManagerDoesNothing(t *testing.T) {
	t.Setenv(notifySocket, "")
	t.Setenv(watchdogUsec, "1000")
	if err := errors.Join(Notify(t.Context(), Ready), Watchdog(t.Context())); err != nil {
		t.Errorf("Notify and Watchdog without a manager: got %v, want nil", err)
	}
	t.Setenv(notifySocket, "/no/such/socket")
	if err := Notify(t.Context(), Stopping); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Notify to a manager that is gone: got %v, want os.ErrNotExist", err)
	}
	if err := Notify(t.Context()); err != nil {
		t.Errorf("Notify of no state: got %v, want nil", err)
	}
	if err := Watchdog(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Watchdog of a manager that is gone: got %v, want os.ErrNotExist", err)
	}
}

func TestWatchdogNotifiesUntilItsContextEnds(t *testing.T) {
	m := notified(t, filepath.Join(shortDir(t), "notify"))
	t.Setenv(watchdogUsec, "2000")
	t.Setenv(watchdogPID, strconv.Itoa(os.Getpid()))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- Watchdog(ctx) }()
	for range 3 {
		if got := m.next(t); got != "WATCHDOG=1" {
			t.Errorf("Watchdog: the manager got %q, want WATCHDOG=1", got)
		}
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Watchdog with a context that ends: got %v, want context.Canceled", err)
	}
	t.Setenv(watchdogPID, "1") // another process
	if err := Watchdog(t.Context()); err != nil {
		t.Errorf("Watchdog with WATCHDOG_PID of another process: got %v, want nil", err)
	}
	t.Setenv(watchdogPID, "")
	for _, wrong := range []string{"0", "-5", "soon", "99999999999999999999"} {
		t.Setenv(watchdogUsec, wrong)
		if err := Watchdog(t.Context()); err == nil {
			t.Errorf("Watchdog with %s %q: got nil, want an error", watchdogUsec, wrong)
		}
	}
}

// shortDir makes a folder whose path is short enough for the address of a socket.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "rxipc")
	if err != nil {
		t.Fatalf("making a folder: %v", err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
