//go:build unix

package system_test

import (
	"context"
	"os"
	"slices"
	"syscall"
	"testing"

	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/system"
)

func TestSignals(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	send := func(s syscall.Signal) {
		if err := syscall.Kill(os.Getpid(), s); err != nil {
			t.Errorf("send %v to this process: got %v, want no error", s, err)
		}
	}
	var got []os.Signal
	subscribed := stream.OnSubscribed(ctx, func() { send(syscall.SIGUSR1) })
	err := system.Signals(syscall.SIGUSR1, syscall.SIGUSR2)(subscribed, func(s os.Signal) bool {
		got = append(got, s)
		if s == syscall.SIGUSR1 {
			send(syscall.SIGUSR2)
		} else {
			cancel(errCause)
		}
		return true
	})
	if want := []os.Signal{syscall.SIGUSR1, syscall.SIGUSR2}; err != errCause || !slices.Equal(got, want) {
		t.Errorf("take signals until the context ends: got %v, %v; want %v, %v", got, err, want, errCause)
	}
}
