package operators

import (
	"context"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// Delay emits each value d after the source emitted it. The source runs on a goroutine of
// its own. Besides the value that is due next, at most capacity values wait (at least one);
// the source waits when there are more. So n values a second need a capacity of n times d
// in seconds. A completion or failure comes after the last value, and no pending value is
// lost; in Rx, a failure overtakes pending values. A d of zero or less delays nothing.
func Delay[T any](d time.Duration, capacity int) stream.Operator[T, T] {
	d = max(0, d)
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("Delay", "observable", source != nil)
		stamped := stream.Buffered(Timestamp[T]()(source), capacity, stream.Block)
		return func(ctx context.Context, yield func(T) bool) error {
			var rest waiting
			defer rest.stop()
			return rest.run(func() error {
				return stamped(stream.WithBuffering(ctx, "Delay"), func(v Timestamped[T]) bool {
					return rest.wait(ctx, d-time.Since(v.Time)) && yield(v.Value)
				})
			})
		}
	}
}

// waiting holds the timer with which a run waits between its values.
type waiting struct {
	timer *time.Timer
	cause error // why the last wait ended before its time
}

// wait waits, unless d is zero or less, and reports whether ctx goes on after it.
func (w *waiting) wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	if w.timer == nil {
		w.timer = time.NewTimer(d)
	} else {
		w.timer.Reset(d)
	}
	select {
	case <-w.timer.C:
	case <-ctx.Done():
	}
	if ctx.Err() != nil {
		w.cause = context.Cause(ctx)
	}
	return w.cause == nil
}

// run runs a source whose yield waits. If a wait was cut short, run returns the reason.
func (w *waiting) run(f func() error) error {
	if err := f(); err != nil {
		return err
	}
	return w.cause
}

func (w *waiting) stop() {
	if w.timer != nil {
		w.timer.Stop()
	}
}
