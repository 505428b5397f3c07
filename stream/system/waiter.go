package system

import (
	"context"
	"time"

	"github.com/rxipc/rxipc/internal/folderwatch"
)

// waiter waits until something may have changed in a folder: the system says so, or a
// period has passed.
type waiter struct {
	news   <-chan struct{} // nil: the system says nothing
	end    func()          // ends the news
	timer  *time.Timer
	period time.Duration
}

// newWaiter waits for changes of a file of a folder, or of any file if name is empty.
func newWaiter(folder, name string, period time.Duration, pollOnly bool) *waiter {
	w := &waiter{end: func() {}, timer: time.NewTimer(period), period: period}
	if !pollOnly {
		w.news, w.end = (&folderwatch.Watch{Dir: folder, Writes: true}).Add(name)
	}
	return w
}

// wait reports whether the system says that something has changed.
func (w *waiter) wait(ctx context.Context) (told bool, err error) {
	w.timer.Reset(w.period)
	select {
	case <-ctx.Done():
	case <-w.news:
		told = true
	case <-w.timer.C:
	}
	return told, context.Cause(ctx)
}

func (w *waiter) stop() {
	w.timer.Stop()
	w.end()
}
