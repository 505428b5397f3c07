package streams

import (
	"context"
	"fmt"

	"github.com/reactivex/rxgo/v2"
	"github.com/samber/ro"

	"github.com/rxipc/rxipc/benchmarks/measure"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// bufferSize is the number of values of a slice.
const bufferSize = 100

func buffers() measure.Group {
	return compare(fmt.Sprintf("buffer of %d", bufferSize),
		`Collect the values in slices. Each slice is new, and its receiver may keep it. The loop appends to a
slice of that capacity, and makes the next slice when it is full.`,
		bufferByHand, atMost(1.5, rxIPC),
		append(ours(bufferOfOurs),
			way{name: elsewhere, run: endless(bufferElsewhere)},
			way{name: samberRo, run: bufferOfRo},
			way{name: rxGo, run: bufferOfRxGo},
			way{name: channels, run: bufferOfChannels},
		)...)
}

// receiver keeps the last slice, so that the compiler cannot allocate slices on the stack.
type receiver[T any] struct{ last []T }

// The receivers are package variables, so that their slices escape.
var (
	latestInts   receiver[int]
	latestInt64s receiver[int64]
	latestAnys   receiver[any]
)

func (r *receiver[T]) keep(values []T) (size int, last T) {
	r.last = values
	return len(values), values[len(values)-1]
}

// sumOf combines a result with a slice. It differs for slices of other sizes.
func sumOf(result, size, last int) int { return result*31 + size + last }

func bufferByHand(n int) (result int) {
	full := func(values []int) {
		size, last := latestInts.keep(values)
		result = sumOf(result, size, last)
	}
	var open []int
	for i := range n {
		if open == nil {
			open = make([]int, 0, bufferSize)
		}
		open = append(open, i)
		if len(open) == bufferSize {
			full(open)
			open = nil
		}
	}
	if len(open) > 0 {
		full(open)
	}
	return result
}

func bufferOfOurs(ctx context.Context, n int) (result int, err error) {
	err = stream.Pipe1(stream.Range(0, n), operators.BufferCount[int](bufferSize)).
		ForEach(ctx, func(values []int) {
			size, last := latestInts.keep(values)
			result = sumOf(result, size, last)
		})
	return result, err
}

func bufferElsewhere(ctx context.Context, n int) (result int, err error) {
	err = slicesOf(stream.Range(0, n)).ForEach(ctx, func(values []int) {
		size, last := latestInts.keep(values)
		result = sumOf(result, size, last)
	})
	return result, err
}

//go:noinline
func slicesOf(source stream.Observable[int]) stream.Observable[[]int] {
	return stream.Pipe1(source, operators.BufferCount[int](bufferSize))
}

func bufferOfRo(_ context.Context, n int) (result int, err error) {
	err = runRo(ro.Pipe1(ro.Range(0, int64(n)), ro.BufferWithCount[int64](bufferSize)), func(values []int64) {
		size, last := latestInt64s.keep(values)
		result = sumOf(result, size, int(last))
	})
	return result, err
}

func bufferOfRxGo(_ context.Context, n int) (result int, err error) {
	err = runRxGo(rxgo.Range(0, n, buffered).BufferWithCount(bufferSize, buffered), func(v any) {
		size, last := latestAnys.keep(v.([]any))
		result = sumOf(result, size, last.(int))
	})
	return result, err
}

func bufferOfChannels(_ context.Context, n int) (result int, err error) {
	slices := make(chan []int, capacity)
	go func() {
		defer close(slices)
		open := make([]int, 0, bufferSize)
		for v := range count(0, n) {
			open = append(open, v)
			if len(open) == bufferSize {
				slices <- open
				open = make([]int, 0, bufferSize)
			}
		}
		if len(open) > 0 {
			slices <- open
		}
	}()
	for values := range slices {
		size, last := latestInts.keep(values)
		result = sumOf(result, size, last)
	}
	return result, nil
}
