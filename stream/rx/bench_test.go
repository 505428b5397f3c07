package rx_test

import (
	"context"
	"testing"

	"github.com/reactivex/rxgo/v2"

	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/rx"
)

// BenchmarkThrough compares values that cross to RxGo and back one by one with values that
// cross in slices; the goal for the latter is 20 ns a value. "bare" crosses without an
// operator, "map" with one operator of RxGo.
func BenchmarkThrough(b *testing.B) {
	const count = 1_000_000
	addOne := func(_ context.Context, v any) (any, error) { return v.(int) + 1, nil }
	addOnes := func(_ context.Context, v any) (any, error) {
		batch := v.([]int)
		for i := range batch {
			batch[i]++
		}
		return batch, nil
	}
	for _, c := range []struct {
		name string
		op   stream.Operator[int, int]
	}{
		{"values/bare", rx.Through[int, int](func(o rxgo.Observable) rxgo.Observable { return o })},
		{"values/map", rx.Through[int, int](func(o rxgo.Observable) rxgo.Observable { return o.Map(addOne) })},
		{"values/map/buffer=128", rx.Through[int, int](func(o rxgo.Observable) rxgo.Observable { return o.Map(addOne) }, rx.Buffer(128))},
		{"batches/bare", rx.ThroughBatches[int, int](1024, func(o rxgo.Observable) rxgo.Observable { return o })},
		{"batches/map", rx.ThroughBatches[int, int](1024, func(o rxgo.Observable) rxgo.Observable { return o.Map(addOnes) })},
		{"batches/map/buffer=2", rx.ThroughBatches[int, int](1024, func(o rxgo.Observable) rxgo.Observable { return o.Map(addOnes) }, rx.Buffer(2))},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			got := 0
			for b.Loop() {
				got = 0
				if err := c.op(stream.Range(0, count)).ForEach(ctx, func(int) { got++ }); err != nil {
					b.Fatalf("run %d values through RxGo: %v", count, err)
				}
			}
			if got != count {
				b.Fatalf("run %d values through RxGo: got %d", count, got)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/count, "ns/value")
		})
	}
}
