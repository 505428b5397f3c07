package socket

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
)

// SignalError is the cause of a context that a signal ended.
type SignalError struct {
	Signal os.Signal // that came first
}

// Error names the signal.
func (e *SignalError) Error() string { return "socket: signal: " + e.Signal.String() }

// ExitCode returns 128 plus the number of the signal: what a shell reports for a
// process that the signal ended.
func (e *SignalError) ExitCode() int {
	number, _ := e.Signal.(syscall.Signal)
	return 128 + int(number)
}

// ExitCode returns the code for a program to exit with after err: 0 for nil, that of a
// *SignalError, that of an *exec.ExitError (128 plus the number of the signal that
// ended the child, if one did), and 1 for any other error.
func ExitCode(err error) int {
	if err == nil {
		return 0
	}
	if signal, ok := errors.AsType[*SignalError](err); ok {
		return signal.ExitCode()
	}
	child, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return 1
	}
	if status, ok := child.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return (&SignalError{status.Signal()}).ExitCode()
	}
	return child.ExitCode()
}

// NotifyContext derives a context that ends at the first signal, with a
// *SignalError as its cause, so that a server run with it shuts down gracefully. A
// second signal forces: the server's connections are closed without waiting for
// the other side's consent. A pipeline that stops by operators.TakeUntilDone runs
// with context.WithoutCancel of this context, which still knows of the second signal.
// From then on signals do again what they did before.
//
// Without signals given it takes those that ask a process to end: INT, TERM and, on
// Unix, HUP. INT and HUP stay ignored in a process that was started so, by nohup for
// instance. All others keep their meaning: TSTP (^Z) stops the process, and QUIT and
// ABRT, which a watchdog sends, end it with the stacks of its goroutines. stop ends the
// context, too, and gives the signals back.
func NotifyContext(parent context.Context, signals ...os.Signal) (ctx context.Context, stop context.CancelFunc) {
	if len(signals) == 0 {
		signals = endingSignals()
	}
	came := make(chan os.Signal, 2)
	if len(signals) > 0 { // no signals would mean all of them
		signal.Notify(came, signals...)
	}

	force, forceNow := context.WithCancel(context.Background())
	ctx, cancel := context.WithCancelCause(context.WithValue(parent, forceKey{}, force))
	stopping, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		defer signal.Stop(came)
		select {
		case s := <-came:
			cancel(&SignalError{s})
		case <-stopping:
			return
		}
		select {
		case <-came:
			forceNow()
		case <-stopping:
		}
	}()
	return ctx, sync.OnceFunc(func() {
		cancel(nil)
		close(stopping)
		<-stopped
	})
}

// endingSignals returns the signals that ask this process to end, without those that
// it was started to ignore.
func endingSignals() (signals []os.Signal) {
	for _, s := range askingToEnd {
		if !signal.Ignored(s) {
			signals = append(signals, s)
		}
	}
	return signals
}

type forceKey struct{}

// forced returns the context that ends when there is no more time for manners.
func forced(ctx context.Context) context.Context {
	if force, ok := ctx.Value(forceKey{}).(context.Context); ok {
		return force
	}
	return context.Background()
}
