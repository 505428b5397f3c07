package rx_test

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reactivex/rxgo/v2"

	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/rx"
)

// boundOperator is an operator after a source that emits 1, 2, 2, 3, one a second.
type boundOperator struct {
	name     string
	chain    func(ctx context.Context, o rxgo.Observable) rxgo.Iterable
	want     []any
	recovers bool // a failure of the source does not leave the operator
}

func as[T any](convert func(int) T) rxgo.Func {
	return func(_ context.Context, v any) (any, error) { return convert(v.(int)), nil }
}

func inner(i rxgo.Item) rxgo.Observable {
	if i.Error() {
		return rxgo.Thrown(i.E)
	}
	return i.V.(rxgo.Observable)
}

func of(chain func(rxgo.Observable) rxgo.Iterable) func(context.Context, rxgo.Observable) rxgo.Iterable {
	return func(_ context.Context, o rxgo.Observable) rxgo.Iterable { return chain(o) }
}

func compare(a, b any) int { return a.(int) - b.(int) }

// ms returns a duration of RxGo.
func ms(n time.Duration) rxgo.Duration { return rxgo.WithDuration(n * time.Millisecond) }

var room = rxgo.WithBufferedChannel(8)

// boundOperators has each operator of [rxgo.Observable] to which the source of a chain passes its options.
var boundOperators = []boundOperator{
	{"All", of(func(o rxgo.Observable) rxgo.Iterable { return o.All(below(9)) }), []any{true}, false},
	{"AverageFloat32", of(func(o rxgo.Observable) rxgo.Iterable {
		return o.Map(as(func(n int) float32 { return float32(n) })).AverageFloat32()
	}), []any{float32(2)}, false},
	{"AverageFloat64", of(func(o rxgo.Observable) rxgo.Iterable {
		return o.Map(as(func(n int) float64 { return float64(n) })).AverageFloat64()
	}), []any{float64(2)}, false},
	{"AverageInt", of(func(o rxgo.Observable) rxgo.Iterable { return o.AverageInt() }), []any{2}, false},
	{"AverageInt8", of(func(o rxgo.Observable) rxgo.Iterable {
		return o.Map(as(func(n int) int8 { return int8(n) })).AverageInt8()
	}), []any{int8(2)}, false},
	{"AverageInt16", of(func(o rxgo.Observable) rxgo.Iterable {
		return o.Map(as(func(n int) int16 { return int16(n) })).AverageInt16()
	}), []any{int16(2)}, false},
	{"AverageInt32", of(func(o rxgo.Observable) rxgo.Iterable {
		return o.Map(as(func(n int) int32 { return int32(n) })).AverageInt32()
	}), []any{int32(2)}, false},
	{"AverageInt64", of(func(o rxgo.Observable) rxgo.Iterable {
		return o.Map(as(func(n int) int64 { return int64(n) })).AverageInt64()
	}), []any{int64(2)}, false},
	{"BufferWithCount", of(func(o rxgo.Observable) rxgo.Iterable { return o.BufferWithCount(3) }), []any{[]any{1, 2, 2}, []any{3}}, false},
	{"BufferWithTime", of(func(o rxgo.Observable) rxgo.Iterable { return o.BufferWithTime(ms(2500)) }), []any{[]any{1, 2}, []any{2, 3}}, false},
	{"BufferWithTimeOrCount", of(func(o rxgo.Observable) rxgo.Iterable { return o.BufferWithTimeOrCount(ms(9500), 3) }),
		[]any{[]any{1, 2, 2}, []any{3}}, false},
	{"Contains", of(func(o rxgo.Observable) rxgo.Iterable { return o.Contains(below(0)) }), []any{false}, false},
	{"Count", of(func(o rxgo.Observable) rxgo.Iterable { return o.Count() }), []any{int64(4)}, true},
	{"Debounce", of(func(o rxgo.Observable) rxgo.Iterable { return o.Debounce(ms(500)) }), []any{1, 2, 2}, false},
	{"DefaultIfEmpty", of(func(o rxgo.Observable) rxgo.Iterable { return o.Filter(below(0)).DefaultIfEmpty(7) }), []any{7}, false},
	{"Distinct", of(func(o rxgo.Observable) rxgo.Iterable { return o.Distinct(same) }), []any{1, 2, 3}, false},
	{"DistinctUntilChanged", of(func(o rxgo.Observable) rxgo.Iterable { return o.DistinctUntilChanged(same) }), []any{1, 2, 3}, false},
	{"ElementAt", of(func(o rxgo.Observable) rxgo.Iterable { return o.ElementAt(3) }), []any{3}, false},
	{"Filter", of(func(o rxgo.Observable) rxgo.Iterable { return o.Filter(odd) }), []any{1, 3}, false},
	{"Find", of(func(o rxgo.Observable) rxgo.Iterable { return o.Find(func(v any) bool { return v == 3 }) }), []any{3}, false},
	{"First", of(func(o rxgo.Observable) rxgo.Iterable { return o.Filter(func(v any) bool { return v == 3 }).First() }), []any{3}, false},
	{"FirstOrDefault", of(func(o rxgo.Observable) rxgo.Iterable { return o.Filter(below(0)).FirstOrDefault(7) }), []any{7}, false},
	{"FlatMap", of(func(o rxgo.Observable) rxgo.Iterable { return o.FlatMap(twice) }), []any{10, 11, 20, 21, 20, 21, 30, 31}, false},
	{"GroupBy", of(func(o rxgo.Observable) rxgo.Iterable {
		return o.GroupBy(2, func(i rxgo.Item) int { n, _ := i.V.(int); return n % 2 }, room).FlatMap(inner)
	}), []any{2, 2, 1, 3}, false},
	{"GroupByDynamic", of(func(o rxgo.Observable) rxgo.Iterable {
		return o.GroupByDynamic(func(i rxgo.Item) string { n, _ := i.V.(int); return []string{"even", "odd"}[n%2] }, room).
			FlatMap(func(i rxgo.Item) rxgo.Observable { return i.V.(rxgo.GroupedObservable).Observable })
	}), []any{1, 3, 2, 2}, false},
	{"IgnoreElements", of(func(o rxgo.Observable) rxgo.Iterable { return o.IgnoreElements() }), nil, false},
	{"Join", of(func(o rxgo.Observable) rxgo.Iterable {
		return o.Distinct(same).Join(add, o.Filter(odd), func(v any) time.Time { return time.Unix(int64(v.(int)), 0) }, ms(500))
	}), []any{2, 6}, false},
	{"Last", of(func(o rxgo.Observable) rxgo.Iterable { return o.Last() }), []any{3}, false},
	{"LastOrDefault", of(func(o rxgo.Observable) rxgo.Iterable { return o.LastOrDefault(7) }), []any{3}, false},
	{"Map", of(func(o rxgo.Observable) rxgo.Iterable { return o.Map(addOne) }), []any{2, 3, 3, 4}, false},
	{"Marshal", of(func(o rxgo.Observable) rxgo.Iterable { return o.Take(2).Marshal(json.Marshal) }), []any{[]byte("1"), []byte("2")}, false},
	{"Max", of(func(o rxgo.Observable) rxgo.Iterable { return o.Max(compare) }), []any{3}, false},
	{"Min", of(func(o rxgo.Observable) rxgo.Iterable { return o.Min(compare) }), []any{1}, false},
	{"OnErrorResumeNext", of(func(o rxgo.Observable) rxgo.Iterable {
		return o.OnErrorResumeNext(func(error) rxgo.Observable { return rxgo.Just(9)() })
	}), []any{1, 2, 2, 3}, true},
	{"OnErrorReturn", of(func(o rxgo.Observable) rxgo.Iterable { return o.OnErrorReturn(func(error) any { return 9 }) }), []any{1, 2, 2, 3}, true},
	{"OnErrorReturnItem", of(func(o rxgo.Observable) rxgo.Iterable { return o.OnErrorReturnItem(9) }), []any{1, 2, 2, 3}, true},
	{"Reduce", of(func(o rxgo.Observable) rxgo.Iterable { return o.Reduce(add) }), []any{8}, false},
	{"Repeat", of(func(o rxgo.Observable) rxgo.Iterable { return o.Take(2).Repeat(1, ms(100)) }), []any{1, 2, 1, 2}, false},
	{"Retry", of(func(o rxgo.Observable) rxgo.Iterable { return o.Retry(2, func(error) bool { return false }) }), []any{1, 2, 2, 3}, false},
	{"Sample", func(ctx context.Context, o rxgo.Observable) rxgo.Iterable {
		return o.Sample(rx.ToRx(ctx, stream.Interval(2500*time.Millisecond)))
	}, []any{2}, true},
	{"Scan", of(func(o rxgo.Observable) rxgo.Iterable { return o.Scan(add) }), []any{1, 3, 5, 8}, false},
	{"SequenceEqual", of(func(o rxgo.Observable) rxgo.Iterable { return o.SequenceEqual(o) }), []any{true}, true},
	{"Serialize", of(func(o rxgo.Observable) rxgo.Iterable { return o.Distinct(same).Serialize(1, key) }), []any{1, 2, 3}, false},
	{"Skip", of(func(o rxgo.Observable) rxgo.Iterable { return o.Skip(3) }), []any{3}, false},
	{"SkipLast", of(func(o rxgo.Observable) rxgo.Iterable { return o.SkipLast(3) }), []any{1, 2, 2}, false}, // RxGo implements it as Take
	{"SkipWhile", of(func(o rxgo.Observable) rxgo.Iterable { return o.SkipWhile(below(3)) }), []any{3}, false},
	{"StartWith", of(func(o rxgo.Observable) rxgo.Iterable { return o.StartWith(rxgo.Just(0)()) }), []any{0, 1, 2, 2, 3}, false},
	{"SumFloat32", of(func(o rxgo.Observable) rxgo.Iterable { return o.SumFloat32() }), []any{float32(8)}, false},
	{"SumFloat64", of(func(o rxgo.Observable) rxgo.Iterable { return o.SumFloat64() }), []any{float64(8)}, false},
	{"SumInt64", of(func(o rxgo.Observable) rxgo.Iterable { return o.SumInt64() }), []any{int64(8)}, false},
	{"Take", of(func(o rxgo.Observable) rxgo.Iterable { return o.Take(2) }), []any{1, 2}, false},
	{"TakeLast", of(func(o rxgo.Observable) rxgo.Iterable { return o.TakeLast(2) }), []any{2, 3}, false},
	{"TakeUntil", of(func(o rxgo.Observable) rxgo.Iterable { return o.TakeUntil(func(v any) bool { return v == 2 }) }), []any{1, 2}, false},
	{"TakeWhile", of(func(o rxgo.Observable) rxgo.Iterable { return o.TakeWhile(below(2)) }), []any{1}, false},
	{"TimeInterval", of(func(o rxgo.Observable) rxgo.Iterable { return o.TimeInterval().Take(2) }), []any{time.Second, time.Second}, false},
	{"Timestamp", of(func(o rxgo.Observable) rxgo.Iterable {
		return o.Timestamp().Map(func(_ context.Context, v any) (any, error) { return v.(rxgo.TimestampItem).V, nil })
	}), []any{1, 2, 2, 3}, false},
	{"ToMap", of(func(o rxgo.Observable) rxgo.Iterable { return o.ToMap(addOne) }), []any{map[any]any{2: 1, 3: 2, 4: 3}}, false},
	{"ToMapWithValueSelector", of(func(o rxgo.Observable) rxgo.Iterable { return o.ToMapWithValueSelector(same, addOne) }),
		[]any{map[any]any{1: 2, 2: 3, 3: 4}}, false},
	{"Unmarshal", of(func(o rxgo.Observable) rxgo.Iterable {
		return o.Marshal(json.Marshal).Unmarshal(json.Unmarshal, func() any { return new(int) }).
			Map(func(_ context.Context, v any) (any, error) { return *v.(*int), nil })
	}), []any{1, 2, 2, 3}, false},
	{"WindowWithCount", of(func(o rxgo.Observable) rxgo.Iterable { return o.WindowWithCount(3, room).FlatMap(inner) }), []any{1, 2, 2, 3}, false},
	{"WindowWithTime", of(func(o rxgo.Observable) rxgo.Iterable { return o.WindowWithTime(ms(2500), room).FlatMap(inner) }), []any{1, 2, 2, 3}, false},
	{"WindowWithTimeOrCount", of(func(o rxgo.Observable) rxgo.Iterable {
		return o.WindowWithTimeOrCount(ms(2500), 3, room).FlatMap(inner)
	}), []any{1, 2, 2, 3}, false},
	{"ZipFromIterable", of(func(o rxgo.Observable) rxgo.Iterable { return o.ZipFromIterable(o, add) }), []any{2, 4, 4, 6}, false},
}

// spaced emits values, one a second, and then runs last.
func spaced(last stream.Observable[int], values ...int) stream.Observable[int] {
	return func(ctx context.Context, yield func(int) bool) error {
		more := true
		for _, v := range values {
			err := stream.Timer(time.Second).Run(ctx)
			if err == nil {
				more = yield(v)
			}
			if err != nil || !more {
				return err
			}
		}
		return last(ctx, yield)
	}
}

// through runs source through the operator. The bubble of the test fails if a goroutine of the
// run remains.
func (b boundOperator) through(ctx context.Context, source stream.Observable[int]) stream.Observable[any] {
	return rx.Through[int, any](func(o rxgo.Observable) rxgo.Iterable { return b.chain(ctx, o) })(source)
}

func TestBoundOperatorsEmitAndEnd(t *testing.T) {
	for _, c := range boundOperators {
		t.Run(c.name+", values", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				got, err := c.through(ctx, spaced(stream.Empty[int](), 1, 2, 2, 3)).Collect(ctx)
				if !reflect.DeepEqual(got, c.want) || err != nil {
					t.Errorf("1, 2, 2, 3 through %s: got %v, %v; want %v", c.name, got, err, c.want)
				}
			})
		})
		t.Run(c.name+", failure", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				err := c.through(ctx, spaced(stream.Throw[int](errBroken))).Run(ctx)
				want := errBroken
				if c.recovers {
					want = nil
				}
				if err != want {
					t.Errorf("a failing source through %s: got %v, want %v", c.name, err, want)
				}
			})
		})
	}
}

func TestBoundOperatorsEndEarly(t *testing.T) {
	for _, c := range boundOperators {
		t.Run(c.name+", cancelled", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errEnough)
				defer cancel()
				begin := time.Now()
				err := c.through(ctx, spaced(stream.Never[int]())).Run(ctx)
				if took := time.Since(begin); !errors.Is(err, errEnough) || errors.Is(err, rx.ErrStuck) || took != time.Minute {
					t.Errorf("%s of a source that never ends, cancelled after a minute: got %v after %v, want %v", c.name, err, took, errEnough)
				}
			})
		})
		t.Run(c.name+", left", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				got := 0
				err := c.through(ctx, spaced(stream.Empty[int](), 1, 2, 2, 3))(ctx, func(any) bool { got++; return false })
				if got != min(1, len(c.want)) || err != nil {
					t.Errorf("%s left at the first value: got %d values, %v; want one, or none if it has none", c.name, got, err)
				}
			})
		})
	}
}

// BackOffRetry cannot be bound: its parameter has a type of an internal package of RxGo.
func TestBoundOperatorsIncludeAllOperators(t *testing.T) {
	results := []reflect.Type{reflect.TypeFor[rxgo.Observable](), reflect.TypeFor[rxgo.Single](), reflect.TypeFor[rxgo.OptionalSingle]()}
	for m := range reflect.TypeFor[rxgo.Observable]().Methods() {
		if m.Name == "BackOffRetry" || m.Type.NumOut() != 1 || !slices.Contains(results, m.Type.Out(0)) {
			continue
		}
		if !slices.ContainsFunc(boundOperators, func(c boundOperator) bool { return c.name == m.Name }) {
			t.Errorf("list boundOperators: got no %s, want each operator of rxgo.Observable", m.Name)
		}
	}
}
