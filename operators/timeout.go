package operators

import (
	"context"
	"errors"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// ErrTimeout says that a value did not come in the time that [Timeout] gives it.
var ErrTimeout = errors.New("operators: no value came in time")

// Timeout emits what the source emits, and fails with [ErrTimeout] when a value is
// waited for longer than d: the first one since the start of the run, the others, and
// the end, since yield returned from the one before. What yield takes does not count.
// The source's run is cancelled and awaited before the failure. Values that came in
// time are emitted before it; nothing is ever pending.
//
// The source runs on a goroutine of its own. While yield is at work, at most
// [stream.DefaultBuffer] values wait; then the source does.
func Timeout[T any](d time.Duration) stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		return func(ctx context.Context, yield func(T) bool) error {
			var alarm stream.Alarm
			alarm.Set(d)
			expired := false
			err := stream.Timed(ctx, source, &alarm, func(v T) bool {
				wanted := yield(v)
				alarm.Set(d)
				return wanted
			}, func() bool {
				expired = true
				return false
			})
			if expired && err == nil {
				return ErrTimeout
			}
			return err
		}
	}
}
