//go:build unix

package socket

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
)

func init() {
	roles["patient"] = func(string) {
		ctx, stop := NotifyContext(context.Background())
		defer stop()
		fmt.Println("waiting")
		<-ctx.Done()
		fmt.Println(context.Cause(ctx))
	}
}

// raise sends a signal to this process.
func raise(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(os.Getpid(), s); err != nil {
		t.Fatalf("send %v to this process: %v", s, err)
	}
}

func TestNotifyContextEndsAtTheFirstSignalAndForcesAtTheSecond(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM} {
		ctx, stop := NotifyContext(context.Background())
		raise(t, s)
		<-ctx.Done()
		var e *SignalError
		if !errors.As(context.Cause(ctx), &e) || e.Signal != s || e.Error() != "socket: signal: "+s.String() {
			t.Errorf("cause after %v: %v, want its SignalError", s, context.Cause(ctx))
		}
		force := forced(ctx)
		if force.Err() != nil {
			t.Errorf("the first %v forces, want the second to", s)
		}
		raise(t, s)
		<-force.Done()
		stop()
		stop()
	}
}

// startPatient starts a process that waits for NotifyContext's default signals.
func startPatient(t *testing.T, cmd *exec.Cmd) *started {
	t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // ^Z does nothing to an orphaned group
	patient := startCommand(t, cmd, "patient", "")
	patient.expect("waiting")
	return patient
}

func TestNotifyContextLeavesOtherSignalsTheirMeaning(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGABRT, syscall.SIGQUIT} {
		t.Run("ends: "+s.String(), func(t *testing.T) {
			patient := startPatient(t, exec.Command("/bin/sh", "-c", `exec "$0" 2>/dev/null`, os.Args[0])) // the stacks
			patient.cmd.Process.Signal(s)
			if line := patient.next(); line != "" {
				t.Errorf("after %v it said %q, want it to end at once", s, line)
			}
			if err := patient.cmd.Wait(); err == nil {
				t.Errorf("after %v the program ended without an error, want the signal", s)
			}
		})
	}
	t.Run("stops", func(t *testing.T) {
		patient := startPatient(t, exec.Command(os.Args[0]))
		patient.cmd.Process.Signal(syscall.SIGTSTP)
		var status syscall.WaitStatus
		if _, err := syscall.Wait4(patient.cmd.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil {
			t.Fatalf("wait for a process that got TSTP: %v", err)
		}
		if !status.Stopped() {
			t.Fatalf("after TSTP: status %x, want it stopped", status)
		}
		patient.cmd.Process.Signal(syscall.SIGCONT)
		patient.cmd.Process.Signal(syscall.SIGTERM)
		patient.expect("socket: signal: terminated")
	})
}

func TestNotifyContextHeedsNoHangupUnderNohup(t *testing.T) {
	patient := startPatient(t, exec.Command("/bin/sh", "-c", `trap "" HUP; exec "$0"`, os.Args[0]))
	patient.cmd.Process.Signal(syscall.SIGHUP)
	patient.cmd.Process.Signal(syscall.SIGTERM)
	patient.expect("socket: signal: terminated")
}

func TestExitCodeTellsTheSignal(t *testing.T) {
	child := exec.Command("/bin/sh", "-c", "exit 78").Run()
	killed := exec.Command("/bin/sh", "-c", "kill -KILL $$").Run()
	for _, test := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("any"), 1},
		{&SignalError{syscall.SIGTERM}, 143},
		{&InterruptedError[int]{Err: &SignalError{syscall.SIGINT}}, 130},
		{fmt.Errorf("child: %w", child), 78},
		{fmt.Errorf("child: %w", killed), 137},
	} {
		if got := ExitCode(test.err); got != test.want {
			t.Errorf("ExitCode(%v) = %d, want %d", test.err, got, test.want)
		}
	}
}

func TestNotifyContextStopGivesTheSignalsBackAndForcesNothing(t *testing.T) {
	came := make(chan os.Signal, 1)
	signal.Notify(came, syscall.SIGHUP)
	defer signal.Stop(came)
	ctx, stop := NotifyContext(context.Background(), syscall.SIGHUP)
	stop()
	if context.Cause(ctx) != context.Canceled || forced(ctx).Err() != nil {
		t.Errorf("stop NotifyContext: got the cause %v and the force %v, want context.Canceled and none", context.Cause(ctx), forced(ctx).Err())
	}
	raise(t, syscall.SIGHUP)
	<-came
	if forced(ctx).Err() != nil || forced(context.Background()).Err() != nil {
		t.Error("a signal after stop forces, want that it does nothing")
	}
}

func TestNotifyContextTakesOnlyTheSignalsAskedFor(t *testing.T) {
	came := make(chan os.Signal, 1)
	signal.Notify(came, syscall.SIGHUP)
	defer signal.Stop(came)
	ctx, stop := NotifyContext(context.Background(), syscall.SIGALRM)
	defer stop()
	raise(t, syscall.SIGHUP)
	<-came
	if ctx.Err() != nil {
		t.Errorf("another signal: NotifyContext ended with %v, want it still open", context.Cause(ctx))
	}
}

func TestNotifyContextTakesASingleSignal(t *testing.T) {
	came := make(chan os.Signal, 1)
	signal.Notify(came, syscall.SIGALRM) // which would end the process
	defer signal.Stop(came)
	ctx, stop := NotifyContext(context.Background(), syscall.SIGALRM)
	defer stop()
	raise(t, syscall.SIGALRM)
	select {
	case <-ctx.Done():
	case <-within(t).Done():
		t.Error("a signal that NotifyContext was asked for did not end its context, want that it does")
	}
}
