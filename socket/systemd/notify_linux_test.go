package systemd

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestWatchdogReturnsWithItsContextWhileTheManagerDoesNotRead(t *testing.T) {
	address := filepath.Join(shortDir(t), "notify")
	notified(t, address)
	t.Setenv(watchdogUsec, "2000")
	t.Setenv(watchdogPID, "")
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatalf("making a socket: got %v, want nil", err)
	}
	defer unix.Close(fd)
	for err == nil {
		err = unix.Sendto(fd, []byte("something"), unix.MSG_DONTWAIT, &unix.SockaddrUnix{Name: address})
	}
	if !errors.Is(err, unix.EAGAIN) {
		t.Fatalf("send to the manager until its queue is full: got %v, want EAGAIN", err)
	}
	reason := errors.New("reason")
	ctx, cancel := context.WithCancelCause(t.Context())
	ended := make(chan error)
	go func() { ended <- Watchdog(ctx) }()
	cancel(reason)
	if err := <-ended; err != reason {
		t.Errorf("Watchdog with a context that ends: got %v, want %v", err, reason)
	}
}
