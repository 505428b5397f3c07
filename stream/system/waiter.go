package system

import (
	"context"
	"time"
)

// waiter waits until something may have changed in a folder: the system says so, or a
// period has passed.
type waiter struct {
	folder, name string // an empty name is any
	notifier     *notifier
	pollOnly     bool
	timer        *time.Timer
	period       time.Duration
}

func newWaiter(folder, name string, period time.Duration, pollOnly bool) *waiter {
	w := &waiter{folder: folder, name: name, pollOnly: pollOnly, period: period, timer: time.NewTimer(period)}
	w.listen()
	return w
}

// listen starts the notifier, unless there is one. There is none while the folder does not
// exist, and when the system has too many listeners.
func (w *waiter) listen() {
	if w.notifier == nil && !w.pollOnly {
		w.notifier = notify(w.folder, w.name)
	}
}

func (w *waiter) wait(ctx context.Context) error {
	w.timer.Reset(w.period)
	select {
	case <-ctx.Done():
	case <-w.notifier.changed():
	case <-w.timer.C:
		w.listen()
	}
	return context.Cause(ctx)
}

func (w *waiter) stop() {
	w.timer.Stop()
	w.notifier.stop()
}
