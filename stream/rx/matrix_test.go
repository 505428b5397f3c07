package rx_test

import (
	"context"
	"testing"

	"github.com/reactivex/rxgo/v2"

	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/rx"
	"github.com/rxipc/rxipc/stream/streamtest"
)

func add(_ context.Context, total, v any) (any, error) {
	if total == nil {
		return v, nil
	}
	return total.(int) + v.(int), nil
}

func addOne(_ context.Context, v any) (any, error) { return v.(int) + 1, nil }
func same(_ context.Context, v any) (any, error)   { return v, nil }
func odd(v any) bool                               { return v.(int)%2 == 1 }
func below(n int) rxgo.Predicate                   { return func(v any) bool { return v.(int) < n } }
func key(v any) int                                { return v.(int) }

// twice returns an inner observable that RxGo does not close when it is cancelled. RxGo calls it
// with error items too.
func twice(i rxgo.Item) rxgo.Observable {
	if i.Error() {
		return rxgo.Thrown(i.E)
	}
	return rxgo.Range(i.V.(int)*10, 2)
}

// plain is a chain of RxGo operators, with its results for the values 1 2 2 3.
type plain struct {
	name    string
	chain   func(rxgo.Observable) rxgo.Iterable
	want    []any
	options []streamtest.Option
}

func ahead(n int) streamtest.Option { return streamtest.ReadAhead(n) }

// operatorsOfRxGo are chains that leave no goroutine behind, however a run ends.
var operatorsOfRxGo = []plain{
	{"none", func(o rxgo.Observable) rxgo.Iterable { return o },
		[]any{1, 2, 2, 3}, []streamtest.Option{ahead(1)}},
	{"Map", func(o rxgo.Observable) rxgo.Iterable { return o.Map(addOne) },
		[]any{2, 3, 3, 4}, []streamtest.Option{ahead(2)}},
	{"Map, Map, Map", func(o rxgo.Observable) rxgo.Iterable { return o.Map(addOne).Map(addOne).Map(addOne) },
		[]any{4, 5, 5, 6}, []streamtest.Option{ahead(4)}},
	{"Filter", func(o rxgo.Observable) rxgo.Iterable { return o.Filter(odd) },
		[]any{1, 3}, []streamtest.Option{ahead(4)}},
	{"Take", func(o rxgo.Observable) rxgo.Iterable { return o.Take(2) },
		[]any{1, 2}, []streamtest.Option{ahead(2)}},
	{"Map, Take", func(o rxgo.Observable) rxgo.Iterable { return o.Map(addOne).Take(2) },
		[]any{2, 3}, []streamtest.Option{ahead(3), streamtest.Recovers()}}, // Map has read the failure already
	{"Skip", func(o rxgo.Observable) rxgo.Iterable { return o.Skip(1) },
		[]any{2, 2, 3}, []streamtest.Option{ahead(2)}},
	{"TakeWhile", func(o rxgo.Observable) rxgo.Iterable { return o.TakeWhile(below(2)) },
		[]any{1}, []streamtest.Option{ahead(2)}},
	{"TakeUntil", func(o rxgo.Observable) rxgo.Iterable { return o.TakeUntil(below(1)) },
		[]any{1, 2, 2, 3}, []streamtest.Option{ahead(2)}},
	{"SkipWhile", func(o rxgo.Observable) rxgo.Iterable { return o.SkipWhile(below(2)) },
		[]any{2, 2, 3}, []streamtest.Option{ahead(2)}},
	{"TakeLast", func(o rxgo.Observable) rxgo.Iterable { return o.TakeLast(2) },
		[]any{2, 3}, []streamtest.Option{ahead(2), streamtest.LosesOnFailure()}},
	{"SkipLast", func(o rxgo.Observable) rxgo.Iterable { return o.SkipLast(1) },
		[]any{1}, []streamtest.Option{ahead(2)}}, // RxGo implements it as Take
	{"BufferWithCount", func(o rxgo.Observable) rxgo.Iterable { return o.BufferWithCount(2) },
		[]any{[]any{1, 2}, []any{2, 3}}, []streamtest.Option{ahead(4), streamtest.LosesOnFailure()}},
	{"FlatMap", func(o rxgo.Observable) rxgo.Iterable { return o.FlatMap(twice) },
		[]any{10, 11, 20, 21, 20, 21, 30, 31}, []streamtest.Option{ahead(2)}},
	{"Scan", func(o rxgo.Observable) rxgo.Iterable { return o.Scan(add) },
		[]any{1, 3, 5, 8}, []streamtest.Option{ahead(2)}},
	{"Distinct", func(o rxgo.Observable) rxgo.Iterable { return o.Distinct(same) },
		[]any{1, 2, 3}, []streamtest.Option{ahead(-1)}},
	{"DistinctUntilChanged", func(o rxgo.Observable) rxgo.Iterable { return o.DistinctUntilChanged(same) },
		[]any{1, 2, 3}, []streamtest.Option{ahead(4)}},
	{"StartWith", func(o rxgo.Observable) rxgo.Iterable { return o.StartWith(rxgo.Just(0)()) },
		[]any{0, 1, 2, 2, 3}, []streamtest.Option{ahead(2)}},
	{"DefaultIfEmpty", func(o rxgo.Observable) rxgo.Iterable { return o.Filter(below(0)).DefaultIfEmpty(7) },
		[]any{7}, []streamtest.Option{ahead(2), streamtest.LosesOnFailure()}},
	{"Retry", func(o rxgo.Observable) rxgo.Iterable {
		return o.Retry(2, func(error) bool { return false })
	}, []any{1, 2, 2, 3}, []streamtest.Option{ahead(2)}},
	{"ZipFromIterable", func(o rxgo.Observable) rxgo.Iterable { return o.ZipFromIterable(o, add) },
		[]any{2, 4, 4, 6}, []streamtest.Option{ahead(4)}},
	{"Serialize", func(o rxgo.Observable) rxgo.Iterable { return o.Distinct(same).Serialize(1, key) },
		[]any{1, 2, 3}, []streamtest.Option{ahead(-1)}},
	{"OnErrorReturnItem", func(o rxgo.Observable) rxgo.Iterable { return o.OnErrorReturnItem(9) },
		[]any{1, 2, 2, 3}, []streamtest.Option{ahead(2), streamtest.Recovers()}},
	{"Merge", func(o rxgo.Observable) rxgo.Iterable { return rxgo.Merge([]rxgo.Observable{o, rxgo.Just(9)()}) },
		[]any{1, 2, 2, 3, 9}, []streamtest.Option{ahead(2), streamtest.Unordered(), streamtest.LosesOnFailure()}},
	{"Concat", func(o rxgo.Observable) rxgo.Iterable { return rxgo.Concat([]rxgo.Observable{o, o}) },
		[]any{1, 2, 2, 3, 1, 2, 2, 3}, []streamtest.Option{ahead(2), streamtest.LosesOnFailure()}},
	{"Concat, Filter", func(o rxgo.Observable) rxgo.Iterable {
		return rxgo.Concat([]rxgo.Observable{o, o}).Filter(odd)
	}, []any{1, 3, 1, 3}, []streamtest.Option{ahead(6), streamtest.LosesOnFailure()}},
	{"Count", func(o rxgo.Observable) rxgo.Iterable { return o.Count() }, // RxGo counts a failure as the end
		[]any{int64(4)}, []streamtest.Option{ahead(-1), streamtest.Recovers()}},
	{"SumInt64", func(o rxgo.Observable) rxgo.Iterable { return o.SumInt64() },
		[]any{int64(8)}, []streamtest.Option{ahead(-1), streamtest.LosesOnFailure()}},
	{"Reduce", func(o rxgo.Observable) rxgo.Iterable { return o.Reduce(add) },
		[]any{8}, []streamtest.Option{ahead(-1), streamtest.LosesOnFailure()}},
	{"First", func(o rxgo.Observable) rxgo.Iterable { return o.First() },
		[]any{1}, []streamtest.Option{ahead(2)}},
	{"Last", func(o rxgo.Observable) rxgo.Iterable { return o.Last() },
		[]any{3}, []streamtest.Option{ahead(-1), streamtest.LosesOnFailure()}},
	{"Single.Map", func(o rxgo.Observable) rxgo.Iterable {
		return o.Count().Map(func(_ context.Context, v any) (any, error) { return v, nil })
	}, []any{int64(4)}, []streamtest.Option{ahead(-1), streamtest.Recovers()}},
}

func TestThroughKeepsTheContract(t *testing.T) {
	for _, c := range operatorsOfRxGo {
		t.Run(c.name, func(t *testing.T) {
			streamtest.CheckOperator(t, rx.Through[int, any](c.chain), []int{1, 2, 2, 3}, c.want, c.options...)
		})
	}
}

func TestThroughBatchesKeepsTheContract(t *testing.T) {
	asIs := func(o rxgo.Observable) rxgo.Observable { return o }
	squares := func(o rxgo.Observable) rxgo.Observable {
		return o.Map(func(_ context.Context, item any) (any, error) {
			batch := item.([]int)
			for i := range batch {
				batch[i] *= batch[i]
			}
			return batch, nil
		})
	}
	t.Run("as it is", func(t *testing.T) {
		streamtest.CheckOperator(t, rx.ThroughBatches[int, int](2, asIs), []int{1, 2, 3, 4, 5}, []int{1, 2, 3, 4, 5},
			ahead(2+2+1))
	})
	t.Run("size of one", func(t *testing.T) {
		streamtest.CheckOperator(t, rx.ThroughBatches[int, int](0, asIs), []int{1, 2, 3}, []int{1, 2, 3}, ahead(3))
	})
	t.Run("squares", func(t *testing.T) {
		streamtest.CheckOperator(t, rx.ThroughBatches[int, int](64, squares, rx.Buffer(1)), []int{1, 2, 3, 4, 5}, []int{1, 4, 9, 16, 25},
			ahead(64*6))
	})
}

func TestFromRxKeepsTheContract(t *testing.T) {
	deferred := rxgo.Defer([]rxgo.Producer{func(ctx context.Context, next chan<- rxgo.Item) {
		for i := range 3 {
			if !rxgo.Of(i).SendContext(ctx, next) {
				return
			}
		}
	}})
	failing := rxgo.Defer([]rxgo.Producer{func(ctx context.Context, next chan<- rxgo.Item) {
		_ = rxgo.Of(1).SendContext(ctx, next) && rxgo.Error(errBroken).SendContext(ctx, next)
	}})
	t.Run("Range", func(t *testing.T) { streamtest.Check(t, rx.FromRx[int](rxgo.Range(1, 3)), []int{1, 2, 3}) })
	t.Run("Just", func(t *testing.T) { streamtest.Check(t, rx.FromRx[int](rxgo.Just(1, 2, 3)()), []int{1, 2, 3}) })
	t.Run("Defer", func(t *testing.T) { streamtest.Check(t, rx.FromRx[int](deferred), []int{0, 1, 2}) })
	t.Run("Defer, Map, Filter", func(t *testing.T) {
		streamtest.Check(t, rx.FromRx[int](deferred.Map(addOne).Filter(odd)), []int{1, 3})
	})
	t.Run("failing", func(t *testing.T) {
		streamtest.Check(t, rx.FromRx[int](failing), []int{1}, streamtest.Fails(errBroken))
	})
	t.Run("FlatMap", func(t *testing.T) {
		streamtest.Check(t, rx.FromRxFunc[int](func(ctx context.Context) rxgo.Observable {
			return rxgo.Range(1, 2).FlatMap(twice, rxgo.WithContext(ctx))
		}), []int{10, 11, 20, 21})
	})
	t.Run("Merge", func(t *testing.T) {
		streamtest.Check(t, rx.FromRxFunc[int](func(ctx context.Context) rxgo.Observable {
			return rxgo.Merge([]rxgo.Observable{rxgo.Range(1, 2), rxgo.Just(3)()}, rxgo.WithContext(ctx))
		}), []int{1, 2, 3}, streamtest.Unordered())
	})
	t.Run("FromChannel", func(t *testing.T) {
		streamtest.Check(t, rx.FromRxFunc[int](func(context.Context) rxgo.Observable {
			items := make(chan rxgo.Item, 2)
			items <- rxgo.Of(1)
			items <- rxgo.Of(2)
			return rxgo.FromChannel(items)
		}), []int{1, 2}, streamtest.Endless())
	})
	t.Run("FromChannel, Map", func(t *testing.T) {
		streamtest.Check(t, rx.FromRxFunc[int](func(context.Context) rxgo.Observable {
			items := make(chan rxgo.Item, 2)
			items <- rxgo.Of(1)
			items <- rxgo.Of(2)
			return rxgo.FromChannel(items).Map(addOne)
		}), []int{2, 3}, streamtest.Endless())
	})
	t.Run("batches", func(t *testing.T) {
		streamtest.Check(t, rx.FromRxBatches[int](rxgo.Range(0, 3).Map(func(_ context.Context, v any) (any, error) {
			return make([]int, v.(int)), nil
		})), []int{0, 0, 0})
	})
}

// A source that was converted to RxGo and back keeps the contract.
func TestToRxAndBackKeepsTheContract(t *testing.T) {
	there := func(source stream.Observable[int]) stream.Observable[int] {
		return rx.FromRxFunc[int](func(ctx context.Context) rxgo.Observable { return rx.ToRx(ctx, source) })
	}
	streamtest.Check(t, there(stream.Range(1, 3)), []int{1, 2, 3})
	streamtest.Check(t, there(stream.Throw[int](errBroken)), nil, streamtest.Fails(errBroken))
	streamtest.Check(t, there(stream.Never[int]()), nil, streamtest.Endless())
	inBatches := func(source stream.Observable[int]) stream.Observable[int] {
		return func(ctx context.Context, yield func(int) bool) error {
			return rx.FromRxBatches[int](rx.ToRxBatches(ctx, source, 2))(ctx, yield)
		}
	}
	streamtest.Check(t, inBatches(stream.Range(1, 3)), []int{1, 2, 3})
}
