package operators_test

import (
	"context"
	"testing"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// BenchmarkFoldEventTimeByKey compares windows of a thousand values, by key and with a
// watermark, with hand-written code: one goroutine makes the values and sends them through a
// channel to another, which keeps a map for each window. The goal: at least as fast.
func BenchmarkFoldEventTimeByKey(b *testing.B) {
	const values, size, delay = 100_000, 1000, 50
	at := func(n int) int { return n - n%7*5 } // out of order
	run := func(form string, run func(see func(map[int]int)) error) {
		b.Run(form, func(b *testing.B) {
			b.ReportAllocs()
			total := 0
			for b.Loop() {
				total = 0
				if err := run(func(m map[int]int) {
					for _, n := range m {
						total += n
					}
				}); err != nil || total != values {
					b.Fatalf("the windows counted %d values, %v; want %d", total, err, values)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/values, "ns/value")
		})
	}
	run("operator", func(see func(map[int]int)) error {
		clock := operators.EventTime[int]{At: func(n int) time.Time { return time.UnixMilli(int64(at(n))) }, Delay: delay * ms}
		op := operators.FoldEventTimeByKey(size*ms, 0, clock, func(n int) (int, int) { return n % 100, 1 }, fold.Sum[int]())
		return op(stream.Range(0, values)).ForEach(context.Background(), func(w operators.EventWindow[map[int]int]) { see(w.Value) })
	})
	run("channels", func(see func(map[int]int)) error {
		source, windows := make(chan int, stream.DefaultBuffer), make(chan map[int]int, stream.DefaultBuffer)
		go func() {
			defer close(source)
			for n := range values {
				source <- n
			}
		}()
		go func() {
			defer close(windows)
			open := make(map[int]map[int]int)
			first, watermark := 0, -delay
			for n := range source {
				t := time.UnixMilli(int64(at(n))).UnixMilli()
				w := int(t) / size
				if open[w] == nil {
					open[w] = make(map[int]int)
				}
				open[w][n%100]++
				for watermark = max(watermark, int(t)-delay); (first+1)*size <= watermark; first++ {
					windows <- open[first]
					delete(open, first)
				}
			}
			for ; len(open) > 0; first++ {
				windows <- open[first]
				delete(open, first)
			}
		}()
		for m := range windows {
			see(m)
		}
		return nil
	})
}
