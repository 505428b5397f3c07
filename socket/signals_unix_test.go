//go:build unix

package socket

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"testing"
)

// raise sends a signal to this process.
func raise(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(os.Getpid(), s); err != nil {
		t.Fatal(err)
	}
}

func TestFirstSignalEndsTheContextAndTheSecondForces(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM, syscall.SIGTSTP, syscall.SIGALRM} {
		ctx, stop := NotifyContext(context.Background())
		raise(t, s)
		<-ctx.Done()
		var e *SignalError
		if !errors.As(context.Cause(ctx), &e) || e.Signal != s || e.Error() != "socket: signal: "+s.String() {
			t.Error(context.Cause(ctx))
		}
		force := forced(ctx)
		if force.Err() != nil {
			t.Error("forced already")
		}
		raise(t, s)
		<-force.Done()
		stop()
		stop()
	}
}

func TestStopGivesTheSignalsBackAndForcesNothing(t *testing.T) {
	came := make(chan os.Signal, 1)
	signal.Notify(came, syscall.SIGHUP)
	defer signal.Stop(came)
	ctx, stop := NotifyContext(context.Background(), syscall.SIGHUP)
	stop()
	if context.Cause(ctx) != context.Canceled || forced(ctx).Err() != nil {
		t.Error(context.Cause(ctx), forced(ctx).Err())
	}
	raise(t, syscall.SIGHUP)
	<-came
	if forced(ctx).Err() != nil || forced(context.Background()).Err() != nil {
		t.Error("a signal after stop forces")
	}
}

func TestOnlyTheSignalsAskedForCount(t *testing.T) {
	came := make(chan os.Signal, 1)
	signal.Notify(came, syscall.SIGHUP)
	defer signal.Stop(came)
	ctx, stop := NotifyContext(context.Background(), syscall.SIGALRM)
	defer stop()
	raise(t, syscall.SIGHUP)
	<-came
	if ctx.Err() != nil {
		t.Error(context.Cause(ctx))
	}
}
