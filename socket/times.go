package socket

import (
	"context"
	"math"
	"time"
)

const (
	// never is the due time of a timer that is not set.
	never = math.MaxInt64

	// offerTime limits a read or write that must not block.
	offerTime = time.Millisecond
)

// later returns the time that is after behind time. It returns never if time is zero or
// negative, which means that there is none, or if after is never.
func later(time int64, after time.Duration) int64 {
	if time <= 0 || int64(after) > never-time {
		return never
	}
	return time + int64(after)
}

// sleep waits for d. When ctx ends first, it returns the cause of that.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
