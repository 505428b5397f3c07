package measure

import (
	"context"
	"runtime"
	"time"
)

// The metrics of [Timed].
const (
	Time        = "time"        // of one of the n, in seconds
	Allocations = "allocations" // of one of the n
)

// TimedMetrics are what [Timed] reports.
func TimedMetrics() []Metric {
	return []Metric{{Name: Time, Unit: Seconds}, {Name: Allocations, Unit: Count, NoRatio: true}}
}

// Timed is a contender of this process: work does it n times and checks the result.
// Reported are the time and the allocations of one, of all goroutines.
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
