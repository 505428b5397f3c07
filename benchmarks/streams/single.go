package streams

import (
	"context"

	"github.com/reactivex/rxgo/v2"
	"github.com/samber/ro"

	"github.com/rxipc/rxipc/benchmarks/measure"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

func single() measure.Group {
	return compare("a pipeline for one value",
		`Map, filter, scan and takeWhile as above, built and run anew for each value. Each run has one value.
The loop calls the four functions.`,
		singleByHand, within(500e-9, rxIPC, elsewhere),
		append(ours(singleOfOurs),
			way{name: elsewhere, run: endless(singleElsewhere)},
			way{name: samberRo, run: singleOfRo},
			way{name: rxGo, run: singleOfRxGo},
			way{name: channels, run: singleOfChannels},
		)...)
}

func singleByHand(n int) (sum int) {
	for i := range n {
		if v := triple(i); even(v) {
			if total := add(0, v); bounded(total) {
				sum += total
			}
		}
	}
	return sum
}

func singleOfOurs(ctx context.Context, n int) (sum int, err error) {
	for i := range n {
		err = stream.Pipe4(stream.Just(i),
			operators.Map(triple), operators.Filter(even),
			operators.ScanFrom(zero, add), operators.TakeWhile(bounded),
		).ForEach(ctx, func(v int) { sum += v })
		if err != nil {
			return 0, err
		}
	}
	return sum, nil
}

func singleElsewhere(ctx context.Context, n int) (sum int, err error) {
	for i := range n {
		if err := fourStages(stream.Just(i)).ForEach(ctx, func(v int) { sum += v }); err != nil {
			return 0, err
		}
	}
	return sum, nil
}

func singleOfRo(_ context.Context, n int) (sum int, err error) {
	for i := range n {
		err = runRo(ro.Pipe4(ro.Just(i),
			ro.Map(triple), ro.Filter(even), ro.Scan(add, 0), ro.TakeWhile(bounded),
		), func(v int) { sum += v })
		if err != nil {
			return 0, err
		}
	}
	return sum, nil
}

func singleOfRxGo(_ context.Context, n int) (sum int, err error) {
	for i := range n {
		if err := runRxGo(fourStagesOfRxGo(rxgo.Just(i)(buffered)), func(v any) { sum += v.(int) }); err != nil {
			return 0, err
		}
	}
	return sum, nil
}

func singleOfChannels(_ context.Context, n int) (sum int, err error) {
	for i := range n {
		for v := range fourStagesOfChannels(count(i, 1)) {
			sum += v
		}
	}
	return sum, nil
}
