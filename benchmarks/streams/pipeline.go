package streams

import (
	"context"

	"github.com/reactivex/rxgo/v2"
	"github.com/samber/ro"

	"github.com/rxipc/rxipc/benchmarks/measure"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

func triple(n int) int       { return n * 3 }
func even(n int) bool        { return n%2 == 0 }
func zero() int              { return 0 }
func add(total, n int) int   { return total + n }
func bounded(total int) bool { return total < 1<<60 }

func pipeline() measure.Group {
	return compare("map, filter, scan, takeWhile",
		`Multiply each value by three, keep the even ones, and sum them while the total is below a bound that
it never reaches. The result is the last total. The loop has a multiplication, two conditions and an addition.`,
		pipelineByHand, atMost(1.5, rxIPC),
		append(ours(pipelineOfOurs),
			way{name: elsewhere, run: endless(pipelineElsewhere)},
			way{name: samberRo, run: pipelineOfRo},
			way{name: rxGo, run: pipelineOfRxGo},
			way{name: channels, run: pipelineOfChannels},
		)...)
}

func pipelineByHand(n int) int {
	total, last := 0, 0
	for i := range n {
		v := triple(i)
		if !even(v) {
			continue
		}
		total = add(total, v)
		if !bounded(total) {
			break
		}
		last = total
	}
	return last
}

func pipelineOfOurs(ctx context.Context, n int) (last int, err error) {
	err = stream.Pipe4(stream.Range(0, n),
		operators.Map(triple), operators.Filter(even),
		operators.ScanFrom(zero, add), operators.TakeWhile(bounded),
	).ForEach(ctx, func(v int) { last = v })
	return last, err
}

func pipelineElsewhere(ctx context.Context, n int) (last int, err error) {
	err = fourStages(stream.Range(0, n)).ForEach(ctx, func(v int) { last = v })
	return last, err
}

//go:noinline
func fourStages(source stream.Observable[int]) stream.Observable[int] {
	return stream.Pipe4(source,
		operators.Map(triple), operators.Filter(even),
		operators.ScanFrom(zero, add), operators.TakeWhile(bounded))
}

func pipelineOfRo(_ context.Context, n int) (last int, err error) {
	err = runRo(ro.Pipe4(ro.Range(0, int64(n)),
		ro.Map(func(v int64) int { return triple(int(v)) }), ro.Filter(even),
		ro.Scan(add, 0), ro.TakeWhile(bounded),
	), func(v int) { last = v })
	return last, err
}

func pipelineOfRxGo(_ context.Context, n int) (last int, err error) {
	err = runRxGo(fourStagesOfRxGo(rxgo.Range(0, n, buffered)), func(v any) { last = v.(int) })
	return last, err
}

func fourStagesOfRxGo(source rxgo.Observable) rxgo.Observable {
	return source.
		Map(func(_ context.Context, v any) (any, error) { return triple(v.(int)), nil }, buffered).
		Filter(func(v any) bool { return even(v.(int)) }, buffered).
		Scan(func(_ context.Context, total, v any) (any, error) {
			if total == nil {
				total = 0
			}
			return add(total.(int), v.(int)), nil
		}, buffered).
		TakeWhile(func(total any) bool { return bounded(total.(int)) }, buffered)
}

func pipelineOfChannels(_ context.Context, n int) (last int, err error) {
	for v := range fourStagesOfChannels(count(0, n)) {
		last = v
	}
	return last, nil
}

func fourStagesOfChannels(source <-chan int) <-chan int {
	tripled := stage(source, func(v int, out chan<- int) { out <- triple(v) })
	evens := stage(tripled, func(v int, out chan<- int) {
		if even(v) {
			out <- v
		}
	})
	total := 0
	totals := stage(evens, func(v int, out chan<- int) { total = add(total, v); out <- total })
	return stage(totals, func(v int, out chan<- int) {
		if bounded(v) {
			out <- v
		}
	})
}
