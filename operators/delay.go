package operators

import (
	"context"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// Delay emits each value d after the source emitted it. The source runs on a goroutine
// of its own; beside the one next due, at most capacity values wait (at least one may)
// and the source waits with one that is more, so n values a second want a capacity of n
// times d in seconds.
// A completion or failure comes after the last value; nothing that is pending is lost,
// where Rx lets a failure overtake it. A d of zero or less delays nothing.
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

// waiting is what a run does between its values, with a timer that it keeps.
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

// run is the run whose yield waits: one that ended because a wait was cut short
// returns why.
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
