package operators_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/stages"
)

const million = 1_000_000

var sink int

// from makes the seeds of runs.
func from[T any](seed T) func() T { return func() T { return seed } }

func zero() int              { return 0 }
func triple(n int) int       { return n * 3 }
func even(n int) bool        { return n%2 == 0 }
func add(total, n int) int   { return total + n }
func bounded(total int) bool { return total < 1<<60 }

// perValue reports the time of one of the million values of a round.
func perValue(b *testing.B) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/million, "ns/value")
}

// BenchmarkPipeline compares map, filter, scan, takeWhile with the loop a hand
// would write. The goals: inline at most 1.5 times the loop and no allocation,
// composed elsewhere at most 4 ns a stage.
func BenchmarkPipeline(b *testing.B) {
	b.Run("loop", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			total, last := 0, 0
			for i := range million {
				v := triple(i)
				if !even(v) {
					continue
				}
				total = add(total, v)
				if !bounded(total) {
					break
				}
				last = total
			}
			sink = last
		}
		perValue(b)
	})
	b.Run("inline", func(b *testing.B) {
		b.ReportAllocs()
		ctx := context.Background()
		for b.Loop() {
			last := 0
			_ = stream.Pipe4(stream.Range(0, million),
				operators.Map(triple), operators.Filter(even),
				operators.ScanFrom(zero, add), operators.TakeWhile(bounded),
			).ForEach(ctx, func(v int) { last = v })
			sink = last
		}
		perValue(b)
	})
	b.Run("inline/cancellable", func(b *testing.B) {
		b.ReportAllocs()
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		for b.Loop() {
			last := 0
			_ = stream.Pipe4(stream.Range(0, million),
				operators.Map(triple), operators.Filter(even),
				operators.ScanFrom(zero, add), operators.TakeWhile(bounded),
			).ForEach(ctx, func(v int) { last = v })
			sink = last
		}
		perValue(b)
	})
	b.Run("inline/monoid", func(b *testing.B) {
		b.ReportAllocs()
		ctx := context.Background()
		for b.Loop() {
			last := 0
			_ = stream.Pipe4(stream.Range(0, million),
				operators.Map(triple), operators.Filter(even),
				operators.Scan(fold.Sum[int]()), operators.TakeWhile(bounded),
			).ForEach(ctx, func(v int) { last = v })
			sink = last
		}
		perValue(b)
	})
	b.Run("composed", func(b *testing.B) {
		b.ReportAllocs()
		ctx := context.Background()
		for b.Loop() {
			last := 0
			_ = composed(stream.Range(0, million)).ForEach(ctx, func(v int) { last = v })
			sink = last
		}
		perValue(b)
	})
}

//go:noinline
func composed(source stream.Observable[int]) stream.Observable[int] {
	return stream.Pipe4(source,
		operators.Map(triple), operators.Filter(even),
		operators.ScanFrom(zero, add), operators.TakeWhile(bounded))
}

// BenchmarkHandover compares a value that changes goroutines in a Merge with one
// that does so over a channel of the same capacity. The goal: at most half.
func BenchmarkHandover(b *testing.B) {
	b.Run("channel", func(b *testing.B) {
		for b.Loop() {
			values := make(chan int, stream.DefaultBuffer)
			go func() {
				defer close(values)
				for i := range million {
					values <- i
				}
			}()
			last := 0
			for v := range values {
				last = v
			}
			sink = last
		}
		perValue(b)
	})
	merge := func(ctx context.Context) func(b *testing.B) {
		return func(b *testing.B) {
			for b.Loop() {
				last := 0
				_ = operators.Merge(counting).ForEach(ctx, func(v int) { last = v })
				sink = last
			}
			perValue(b)
		}
	}
	b.Run("merge", merge(context.Background()))
	cancellable, cancel := context.WithCancel(context.Background())
	defer cancel()
	b.Run("merge/cancellable", merge(cancellable))
}

// counting is the goroutine of the channel's side as an observable: it counts and
// hands over, and looks at nothing else.
func counting(_ context.Context, yield func(int) bool) error {
	for i := range million {
		if !yield(i) {
			return nil
		}
	}
	return nil
}

// BenchmarkTimed is a value that crosses to another goroutine and moves an alarm
// beside. The goal: at most 40 ns.
func BenchmarkTimed(b *testing.B) {
	for name, op := range map[string]stream.Operator[int, int]{
		"debounce": operators.Debounce[int](time.Hour),
		"timeout":  operators.Timeout[int](time.Hour),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_ = op(counting).ForEach(context.Background(), func(v int) { sink = v })
			}
			perValue(b)
		})
	}
}

// BenchmarkNamed is what a name costs a value, and a run. The goal: a value nothing if nobody
// follows, and at most 15 ns if a registry does and nobody watches.
func BenchmarkNamed(b *testing.B) {
	values := func(ctx context.Context, op stream.Operator[int, int]) func(*testing.B) {
		return func(b *testing.B) {
			for b.Loop() {
				_ = op(counting).ForEach(ctx, func(v int) { sink = v })
			}
			perValue(b)
		}
	}
	var followed, watched stages.Registry
	watched.Time(time.Hour)
	b.Run("without", values(context.Background(), operators.Map(triple)))
	b.Run("value", values(context.Background(), operators.Named[int]("numbers")))
	b.Run("followed", values(followed.Follow(context.Background()), operators.Named[int]("numbers")))
	b.Run("watched", values(watched.Follow(context.Background()), operators.Named[int]("numbers")))
	b.Run("run", func(b *testing.B) {
		b.ReportAllocs()
		none := operators.Named[int]("none")(stream.Empty[int]())
		for b.Loop() {
			_ = none.Run(context.Background())
		}
	})
}

// allocatedBy is how many bytes f allocates.
func allocatedBy(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// callers is how many calls deep the stack is, up to the number of frames.
func callers(frames []uintptr) int { return runtime.Callers(0, frames) }
