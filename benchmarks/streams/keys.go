package streams

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/reactivex/rxgo/v2"
	"github.com/samber/ro"

	"github.com/rxipc/rxipc/benchmarks/measure"
	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// keyCount is the number of keys.
const keyCount = 100

const (
	byFoldByKey = rxIPC + ", FoldByKey"
	byGroupBy   = rxIPC + ", GroupBy"
)

func keyOf(n int) int { return n % keyCount }

func keys() measure.Group {
	return compare(fmt.Sprintf("totals of %d keys", keyCount),
		`Sum the values with the same remainder. The loop adds each value to its total in a map. rxipc's
FoldByKey returns such a map. All others make a group for each key, an observable or a channel, and fold that.`,
		keysByHand, append(atMost(1.5, byFoldByKey), atMost(5, byGroupBy)...),
		way{name: byFoldByKey, run: endless(foldByKey)},
		way{name: byFoldByKey + ", composed elsewhere", run: endless(foldByKeyElsewhere)},
		way{name: byFoldByKey + ", with a context that can end", run: foldByKey},
		way{name: byGroupBy, run: endless(groupBy)},
		way{name: samberRo, run: keysOfRo},
		way{name: rxGo, run: keysOfRxGo},
		way{name: channels, run: keysOfChannels},
	)
}

// mix combines a result with a total. The result does not depend on the order of the totals.
func mix(result, total int) int { return result + total*total }

func mixed(totals map[int]int) (result int) {
	for _, total := range totals {
		result = mix(result, total)
	}
	return result
}

func keysByHand(n int) int {
	totals := map[int]int{}
	for i := range n {
		totals[keyOf(i)] += i
	}
	return mixed(totals)
}

func keyed(n int) (key, value int) { return keyOf(n), n }

func foldByKey(ctx context.Context, n int) (int, error) {
	totals, err := stream.Pipe1(stream.Range(0, n),
		operators.FoldByKey(keyed, fold.Sum[int]())).Last(ctx).Get()
	return mixed(totals), err
}

func foldByKeyElsewhere(ctx context.Context, n int) (int, error) {
	totals, err := totalsByKey(stream.Range(0, n)).Last(ctx).Get()
	return mixed(totals), err
}

//go:noinline
func totalsByKey(source stream.Observable[int]) stream.Observable[map[int]int] {
	return stream.Pipe1(source, operators.FoldByKey(keyed, fold.Sum[int]()))
}

func groupBy(ctx context.Context, n int) (result int, err error) {
	sum := operators.Fold(fold.Sum[int]())
	err = stream.Pipe2(stream.Range(0, n), operators.GroupBy(keyOf),
		operators.MergeMap(func(g operators.Group[int, int]) stream.Observable[int] { return sum(g.Values()) }),
	).ForEach(ctx, func(total int) { result = mix(result, total) })
	return result, err
}

func keysOfRo(_ context.Context, n int) (result int, err error) {
	err = runRo(ro.Pipe2(ro.Range(0, int64(n)),
		ro.GroupBy(func(v int64) int { return keyOf(int(v)) }),
		ro.MergeMap(ro.Reduce(func(total int, v int64) int { return total + int(v) }, 0)),
	), func(total int) { result = mix(result, total) })
	return result, err
}

func keysOfRxGo(_ context.Context, n int) (result int, err error) {
	groups := rxgo.Range(0, n, buffered).
		GroupBy(keyCount, func(item rxgo.Item) int { return keyOf(item.V.(int)) }, buffered)
	var mu sync.Mutex
	var folding sync.WaitGroup
	for group := range groups.Observe() {
		folding.Go(func() {
			total, failure := group.V.(rxgo.Observable).Reduce(func(_ context.Context, total, v any) (any, error) {
				if total == nil {
					total = 0
				}
				return total.(int) + v.(int), nil
			}, buffered).Get()
			mu.Lock()
			defer mu.Unlock()
			err = errors.Join(err, failure)
			if sum, ok := total.V.(int); ok {
				result = mix(result, sum)
			}
		})
	}
	folding.Wait()
	return result, err
}

func keysOfChannels(_ context.Context, n int) (result int, err error) {
	groups := map[int]chan int{}
	totals := make(chan int, capacity)
	var folding sync.WaitGroup
	for v := range count(0, n) {
		group := groups[keyOf(v)]
		if group == nil {
			group = make(chan int, capacity)
			groups[keyOf(v)] = group
			folding.Go(func() {
				total := 0
				for v := range group {
					total += v
				}
				totals <- total
			})
		}
		group <- v
	}
	for _, group := range groups {
		close(group)
	}
	folding.Wait() // the channel has capacity for all totals
	close(totals)
	for total := range totals {
		result = mix(result, total)
	}
	return result, nil
}
