package operators_test

import (
	"context"
	"hash/maphash"
	"sync"
	"testing"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// BenchmarkMapParallelByKey compares the operator with hand-written code: the hash of
// the key selects a worker with a channel of its own, and all workers send to one channel of
// results. The goal: at least as fast.
func BenchmarkMapParallelByKey(b *testing.B) {
	const values, workers = 100_000, 4
	key := func(n int) int { return n % 1000 }
	for name, rounds := range map[string]int{"nothing to do": 0, "a microsecond": 1500} {
		f := func(_ context.Context, n int) (int, error) {
			for range rounds {
				n = n*1664525 + 1013904223
			}
			return n, nil
		}
		run := func(form string, run func(func(int)) error) {
			b.Run(name+"/"+form, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := run(func(v int) { sink = v }); err != nil {
						b.Fatal("the run failed: ", err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/values, "ns/value")
			})
		}
		run("operator", func(see func(int)) error {
			return operators.MapParallelByKey(workers, key, f, operators.Unordered)(stream.Range(0, values)).ForEach(context.Background(), see)
		})
		run("channels", func(see func(int)) error { return byHand(values, workers, key, f, see) })
	}
}

func byHand(values, workers int, key func(int) int, f func(context.Context, int) (int, error), see func(int)) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	queues, results := make([]chan int, workers), make(chan int, stream.DefaultBuffer)
	var working sync.WaitGroup
	for i := range queues {
		queues[i] = make(chan int, stream.DefaultBuffer)
		working.Go(func() {
			for n := range queues[i] {
				r, _ := f(ctx, n)
				select {
				case results <- r:
				case <-ctx.Done():
					return
				}
			}
		})
	}
	seed := maphash.MakeSeed()
	working.Go(func() {
		defer func() {
			for _, queue := range queues {
				close(queue)
			}
		}()
		for n := range values {
			select {
			case queues[maphash.Comparable(seed, key(n))%uint64(workers)] <- n:
			case <-ctx.Done():
				return
			}
		}
	})
	go func() {
		working.Wait()
		close(results)
	}()
	for r := range results {
		see(r)
	}
	return ctx.Err()
}
