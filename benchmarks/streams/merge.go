package streams

import (
	"context"
	"fmt"
	"sync"

	"github.com/reactivex/rxgo/v2"
	"github.com/samber/ro"

	"github.com/rxipc/rxipc/benchmarks/measure"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

const sources = 8

func merge() measure.Group {
	return compare(fmt.Sprintf("merge of %d sources", sources),
		`Each source counts through a part of its own, and the values are summed. The loop takes a value of
each source in turn and calls the adder. The sources of the others have a goroutine each. The sources of samber/ro
run one after the other on the subscriber's goroutine; an additional row gives each a goroutine.`,
		mergeByHand, atMost(15, rxIPC),
		append(ours(mergeOfOurs),
			way{name: samberRo, run: mergeOfRo},
			way{name: samberRo + ", a goroutine a source", run: mergeOfRoGoroutines},
			way{name: rxGo, run: mergeOfRxGo},
			way{name: channels, run: mergeOfChannels},
		)...)
}

// part returns the first int of a source, and the number of its ints.
func part(n, source int) (start, count int) { return source * (n / sources), n / sources }

func mergeByHand(n int) int {
	var total adder
	for i := range n / sources {
		for source := range sources {
			start, _ := part(n, source)
			total.take(start + i)
		}
	}
	return total.sum
}

func mergeOfOurs(ctx context.Context, n int) (int, error) {
	var total adder
	parts := make([]stream.Observable[int], sources)
	for i := range parts {
		parts[i] = stream.Range(part(n, i))
	}
	err := operators.Merge(parts...).ForEach(ctx, total.take)
	return total.sum, err
}

func mergeOfRo(_ context.Context, n int) (int, error) {
	var total adder
	parts := make([]ro.Observable[int64], sources)
	for i := range parts {
		start, count := part(n, i)
		parts[i] = ro.Range(int64(start), int64(start+count))
	}
	err := runRo(ro.Merge(parts...), func(v int64) { total.take(int(v)) })
	return total.sum, err
}

func mergeOfRoGoroutines(_ context.Context, n int) (int, error) {
	var total adder
	parts := make([]ro.Observable[int], sources)
	for i := range parts {
		start, count := part(n, i)
		parts[i] = ro.NewUnsafeObservable(func(destination ro.Observer[int]) ro.Teardown {
			go func() {
				for v := range count {
					destination.Next(start + v)
				}
				destination.Complete()
			}()
			return nil
		})
	}
	err := runRo(ro.Merge(parts...), total.take)
	return total.sum, err
}

func mergeOfRxGo(_ context.Context, n int) (int, error) {
	var total adder
	parts := make([]rxgo.Observable, sources)
	for i := range parts {
		start, count := part(n, i)
		parts[i] = rxgo.Range(start, count, buffered)
	}
	err := runRxGo(rxgo.Merge(parts, buffered), func(v any) { total.take(v.(int)) })
	return total.sum, err
}

func mergeOfChannels(_ context.Context, n int) (int, error) {
	var total adder
	merged := make(chan int, capacity)
	var counting sync.WaitGroup
	for i := range sources {
		start, count := part(n, i)
		counting.Go(func() {
			for v := range count {
				merged <- start + v
			}
		})
	}
	go func() {
		counting.Wait()
		close(merged)
	}()
	for v := range merged {
		total.take(v)
	}
	return total.sum, nil
}
