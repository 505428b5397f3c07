package streams

import (
	"context"

	"github.com/reactivex/rxgo/v2"
	"github.com/samber/ro"

	"github.com/rxipc/rxipc/benchmarks/measure"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

func crossing() measure.Group {
	return compare("a value that changes goroutines",
		"One goroutine counts, another sums. The loop calls the adder on one goroutine.",
		crossingByHand, within(20e-9, rxIPC),
		append(ours(crossingOfOurs),
			way{name: samberRo, run: crossingOfRo},
			way{name: rxGo, run: crossingOfRxGo},
			way{name: channels, run: crossingOfChannels},
		)...)
}

func crossingByHand(n int) int {
	var total adder
	for v := range n {
		total.take(v)
	}
	return total.sum
}

func crossingOfOurs(ctx context.Context, n int) (int, error) {
	var total adder
	err := stream.Pipe1(stream.Range(0, n), operators.ObserveOn[int](capacity)).
		ForEach(ctx, total.take)
	return total.sum, err
}

func crossingOfRo(_ context.Context, n int) (int, error) {
	var total adder
	err := runRo(ro.Pipe1(ro.Range(0, int64(n)), ro.ObserveOn[int64](capacity)), func(v int64) { total.take(int(v)) })
	return total.sum, err
}

// RxGo runs each source on a goroutine of its own.
func crossingOfRxGo(_ context.Context, n int) (int, error) {
	var total adder
	err := runRxGo(rxgo.Range(0, n, buffered), func(v any) { total.take(v.(int)) })
	return total.sum, err
}

func crossingOfChannels(_ context.Context, n int) (int, error) {
	var total adder
	for v := range count(0, n) {
		total.take(v)
	}
	return total.sum, nil
}
