package stream_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/rxipc/rxipc/stream"
)

const million = 1_000_000

// BenchmarkFanOut gives a million ints to eight, each of whom adds them up: a loop that
// calls eight closures, as one who observes synchronously would be called; a channel
// each; and a subject. The goal: at most 6 times the loop.
func BenchmarkFanOut(b *testing.B) {
	const observers = 8
	perValue := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/million, "ns/value")
	}
	b.Run("loop", func(b *testing.B) {
		totals := make([]int, observers)
		calls := make([]func(int) bool, observers)
		for i := range calls {
			calls[i] = func(v int) bool { totals[i] += v; return true }
		}
		for b.Loop() {
			for v := range million {
				for _, call := range calls {
					if !call(v) {
						break
					}
				}
			}
		}
		perValue(b)
	})
	b.Run("channels", func(b *testing.B) {
		for b.Loop() {
			var all sync.WaitGroup
			channels := make([]chan int, observers)
			for i := range channels {
				channels[i] = make(chan int, stream.DefaultBuffer)
				all.Go(func() {
					total := 0
					for v := range channels[i] {
						total += v
					}
				})
			}
			for v := range million {
				for _, c := range channels {
					c <- v
				}
			}
			for _, c := range channels {
				close(c)
			}
			all.Wait()
		}
		perValue(b)
	})
	for _, capacity := range []int{16, stream.DefaultBuffer, 1024} {
		b.Run(fmt.Sprint("subject/", capacity), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var all sync.WaitGroup
				var s stream.Subject[int]
				for range observers {
					all.Go(func() {
						total := 0
						_ = s.Observe(capacity, stream.Block).ForEach(context.Background(), func(v int) { total += v })
					})
				}
				for s.Observers() < observers {
					runtime.Gosched()
				}
				for v := range million {
					s.Next(v)
				}
				s.Complete()
				all.Wait()
			}
			perValue(b)
		})
	}
}
