package measure

import (
	"context"
	"runtime"
	"time"
)

// The metrics of [Timed].
const (
	Time        = "time"        // per repetition, in seconds
	Allocations = "allocations" // per repetition
)

// TimedMetrics returns the metrics of [Timed].
func TimedMetrics() []Metric {
	return []Metric{{Name: Time, Unit: Seconds}, {Name: Allocations, Unit: Count, NoRatio: true}}
}

// Timed returns a contender in this process. Function work does the work n times and checks the
// result. The contender reports the time and the allocations per repetition, of all goroutines.
func Timed(name string, work func(ctx context.Context, n int) error) Contender {
	return Contender{Name: name, Start: func(context.Context) (Session, error) {
		return Session{Run: func(ctx context.Context, n int) (Figures, error) {
			before := mallocs()
			start := time.Now()
			err := work(ctx, n)
			elapsed := time.Since(start)
			allocated := mallocs() - before
			return Figures{
				Time:        elapsed.Seconds() / float64(n),
				Allocations: float64(allocated) / float64(n),
			}, err
		}}, nil
	}}
}

func mallocs() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.Mallocs
}
