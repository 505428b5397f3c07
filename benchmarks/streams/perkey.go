package streams

import (
	"context"
	"fmt"
	"hash/maphash"
	"sync"

	"github.com/rxipc/rxipc/benchmarks/measure"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// workerCount is the number of goroutines that map values.
const workerCount = 4

func perKey() measure.Group {
	return compare(fmt.Sprintf("parallel map that keeps the order of each of %d keys", keyCount),
		fmt.Sprintf(`Call a function of about a microsecond for each value, on %d goroutines, and for the values of a key one
after the other. The loop calls it on one goroutine. The channels select a goroutine by the hash of the key. samber/ro
and RxGo have no parallel map that keeps the order of a key.`, workerCount),
		perKeyByHand, nil,
		way{name: rxIPC, run: endless(perKeyOfOurs)},
		way{name: ending, run: perKeyOfOurs},
		way{name: channels, run: perKeyOfChannels},
	)
}

// chew returns a number after about a microsecond.
func chew(n int) int {
	for range 1500 {
		n = n*1664525 + 1013904223
	}
	return n
}

func perKeyByHand(n int) (result int) {
	for i := range n {
		result += chew(i)
	}
	return result
}

func perKeyOfOurs(ctx context.Context, n int) (result int, err error) {
	work := func(_ context.Context, v int) (int, error) { return chew(v), nil }
	err = stream.Pipe1(stream.Range(0, n), operators.MapParallelByKey(workerCount, keyOf, work, operators.Unordered)).
		ForEach(ctx, func(v int) { result += v })
	return result, err
}

func perKeyOfChannels(_ context.Context, n int) (result int, err error) {
	queues, results := make([]chan int, workerCount), make(chan int, capacity)
	var working sync.WaitGroup
	for i := range queues {
		queues[i] = make(chan int, capacity)
		working.Go(func() {
			for v := range queues[i] {
				results <- chew(v)
			}
		})
	}
	go func() {
		seed := maphash.MakeSeed()
		for i := range n {
			queues[maphash.Comparable(seed, keyOf(i))%workerCount] <- i
		}
		for _, queue := range queues {
			close(queue)
		}
		working.Wait()
		close(results)
	}()
	for v := range results {
		result += v
	}
	return result, nil
}
