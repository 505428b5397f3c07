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

// row is the number of values of each inner observable.
const row = 100

func concatMap() measure.Group {
	return compare(fmt.Sprintf("concatMap, %d × %d", million/row, row),
		`Each int of an outer source becomes an inner source, whose values are summed. The loop has an inner
loop that calls the adder.`,
		concatMapByHand, atMost(3, rxIPC),
		append(ours(concatMapOfOurs),
			way{name: elsewhere, run: endless(concatMapElsewhere)},
			way{name: samberRo, run: concatMapOfRo},
			way{name: rxGo, run: concatMapOfRxGo},
			way{name: channels, run: concatMapOfChannels},
		)...)
}

func concatMapByHand(n int) int {
	var total adder
	for outer := range n / row {
		for inner := range row {
			total.take(outer*row + inner)
		}
	}
	return total.sum
}

func rowOf(outer int) stream.Observable[int] { return stream.Range(outer*row, row) }

func concatMapOfOurs(ctx context.Context, n int) (int, error) {
	var total adder
	err := stream.Pipe1(stream.Range(0, n/row), operators.ConcatMap(rowOf)).
		ForEach(ctx, total.take)
	return total.sum, err
}

func concatMapElsewhere(ctx context.Context, n int) (int, error) {
	var total adder
	err := rows(stream.Range(0, n/row)).ForEach(ctx, total.take)
	return total.sum, err
}

//go:noinline
func rows(source stream.Observable[int]) stream.Observable[int] {
	return stream.Pipe1(source, operators.ConcatMap(rowOf))
}

func concatMapOfRo(_ context.Context, n int) (int, error) {
	var total adder
	err := runRo(ro.Pipe1(ro.Range(0, int64(n/row)), ro.FlatMap(func(outer int64) ro.Observable[int64] {
		return ro.Range(outer*row, (outer+1)*row)
	})), func(v int64) { total.take(int(v)) })
	return total.sum, err
}

func concatMapOfRxGo(_ context.Context, n int) (int, error) {
	var total adder
	err := runRxGo(rxgo.Range(0, n/row, buffered).FlatMap(func(outer rxgo.Item) rxgo.Observable {
		return rxgo.Range(outer.V.(int)*row, row, buffered)
	}, buffered), func(v any) { total.take(v.(int)) })
	return total.sum, err
}

func concatMapOfChannels(_ context.Context, n int) (int, error) {
	var total adder
	for v := range stage(count(0, n/row), func(outer int, out chan<- int) {
		for v := range count(outer*row, row) {
			out <- v
		}
	}) {
		total.take(v)
	}
	return total.sum, nil
}
