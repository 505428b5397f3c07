package socket

import (
	"context"
	"os"
	"os/signal"
	"sync"
)

// SignalError is the cause of a context that a signal ended.
type SignalError struct {
	Signal os.Signal
}

// Error names the signal.
func (e *SignalError) Error() string { return "socket: signal: " + e.Signal.String() }

// NotifyContext derives a context that ends at the first signal, with a
// *SignalError as its cause, so that a server run with it shuts down gracefully. A
// second signal forces: the server's connections are closed without waiting for
// the other side's consent. A pipeline that stops by operators.TakeUntilDone runs
// with context.WithoutCancel of this context, which still knows of the second signal. From then on signals do again what they did before.
//
// Without signals given it takes those that innmind/ipc takes: HUP, INT, ABRT,
// TERM, TSTP and ALRM where the system has them. stop ends the context, too, and
// gives the signals back.
func NotifyContext(parent context.Context, signals ...os.Signal) (ctx context.Context, stop context.CancelFunc) {
	if len(signals) == 0 {
		signals = gracefulSignals
	}
	came := make(chan os.Signal, 2)
	signal.Notify(came, signals...)

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

type forceKey struct{}

// forced returns the context that ends when there is no more time for manners.
func forced(ctx context.Context) context.Context {
	if force, ok := ctx.Value(forceKey{}).(context.Context); ok {
		return force
	}
	return context.Background()
}
