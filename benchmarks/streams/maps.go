package streams

import (
	"context"

	"github.com/reactivex/rxgo/v2"
	"github.com/samber/ro"

	"github.com/rxipc/rxipc/benchmarks/measure"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// gray is a function that a compiler cannot simplify when it is applied ten times. It is not
// inlined, as a function that does some work.
//
//go:noinline
func gray(n int) int { return inlinedGray(n) }

func inlinedGray(n int) int { return n ^ n>>1 }

func maps() measure.Group {
	return compare("10 maps",
		`Apply a function (exclusive or of a value and its half) ten times to each value, and sum the results.
All contenders call the function without inlining it, so the loop has ten calls and an addition. An
additional row has the loop with the function inlined. The compiler would not inline it for rxipc: it
flattens a pipeline only up to the second use of an operator, and here all operators are the same.`,
		mapsByHand, atMost(3, rxIPC),
		append(ours(mapsOfOurs),
			way{name: inlined, run: func(_ context.Context, n int) (int, error) { return mapsInlined(n), nil }},
			way{name: elsewhere, run: endless(mapsElsewhere)},
			way{name: samberRo, run: mapsOfRo},
			way{name: rxGo, run: mapsOfRxGo},
			way{name: channels, run: mapsOfChannels},
		)...)
}

func mapsByHand(n int) (sum int) {
	for i := range n {
		sum += gray(gray(gray(gray(gray(gray(gray(gray(gray(gray(i))))))))))
	}
	return sum
}

func mapsInlined(n int) (sum int) {
	for i := range n {
		sum += inlinedGray(inlinedGray(inlinedGray(inlinedGray(inlinedGray(
			inlinedGray(inlinedGray(inlinedGray(inlinedGray(inlinedGray(i))))))))))
	}
	return sum
}

func mapsOfOurs(ctx context.Context, n int) (sum int, err error) {
	err = stream.Pipe1(stream.Pipe9(stream.Range(0, n),
		operators.Map(gray), operators.Map(gray), operators.Map(gray), operators.Map(gray), operators.Map(gray),
		operators.Map(gray), operators.Map(gray), operators.Map(gray), operators.Map(gray)),
		operators.Map(gray),
	).ForEach(ctx, func(v int) { sum += v })
	return sum, err
}

func mapsElsewhere(ctx context.Context, n int) (sum int, err error) {
	err = tenMaps(stream.Range(0, n)).ForEach(ctx, func(v int) { sum += v })
	return sum, err
}

//go:noinline
func tenMaps(source stream.Observable[int]) stream.Observable[int] {
	for range 10 {
		source = operators.Map(gray)(source)
	}
	return source
}

func mapsOfRo(_ context.Context, n int) (sum int, err error) {
	source := ro.Map(func(v int64) int { return gray(int(v)) })(ro.Range(0, int64(n)))
	for range 9 {
		source = ro.Map(gray)(source)
	}
	err = runRo(source, func(v int) { sum += v })
	return sum, err
}

func mapsOfRxGo(_ context.Context, n int) (sum int, err error) {
	source := rxgo.Range(0, n, buffered)
	for range 10 {
		source = source.Map(func(_ context.Context, v any) (any, error) { return gray(v.(int)), nil }, buffered)
	}
	err = runRxGo(source, func(v any) { sum += v.(int) })
	return sum, err
}

func mapsOfChannels(_ context.Context, n int) (sum int, err error) {
	source := count(0, n)
	for range 10 {
		source = stage(source, func(v int, out chan<- int) { out <- gray(v) })
	}
	for v := range source {
		sum += v
	}
	return sum, nil
}
