package rx

import (
	"time"

	"github.com/reactivex/rxgo/v2"
)

// The methods below only pass the options to each operator. BackOffRetry is missing, because its
// parameter has a type of an internal package of RxGo.

func (b bound) All(predicate rxgo.Predicate, opts ...rxgo.Option) rxgo.Single {
	return b.Observable.All(predicate, b.with(opts)...)
}

func (b bound) AverageFloat32(opts ...rxgo.Option) rxgo.Single {
	return b.Observable.AverageFloat32(b.with(opts)...)
}

func (b bound) AverageFloat64(opts ...rxgo.Option) rxgo.Single {
	return b.Observable.AverageFloat64(b.with(opts)...)
}

func (b bound) AverageInt(opts ...rxgo.Option) rxgo.Single {
	return b.Observable.AverageInt(b.with(opts)...)
}

func (b bound) AverageInt8(opts ...rxgo.Option) rxgo.Single {
	return b.Observable.AverageInt8(b.with(opts)...)
}

func (b bound) AverageInt16(opts ...rxgo.Option) rxgo.Single {
	return b.Observable.AverageInt16(b.with(opts)...)
}

func (b bound) AverageInt32(opts ...rxgo.Option) rxgo.Single {
	return b.Observable.AverageInt32(b.with(opts)...)
}

func (b bound) AverageInt64(opts ...rxgo.Option) rxgo.Single {
	return b.Observable.AverageInt64(b.with(opts)...)
}

func (b bound) BufferWithCount(count int, opts ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.BufferWithCount(count, b.with(opts)...))
}

func (b bound) BufferWithTime(timespan rxgo.Duration, opts ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.BufferWithTime(timespan, b.with(opts)...))
}

func (b bound) BufferWithTimeOrCount(timespan rxgo.Duration, count int, opts ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.BufferWithTimeOrCount(timespan, count, b.with(opts)...))
}

func (b bound) Contains(equal rxgo.Predicate, opts ...rxgo.Option) rxgo.Single {
	return b.Observable.Contains(equal, b.with(opts)...)
}

func (b bound) Count(opts ...rxgo.Option) rxgo.Single {
	return b.Observable.Count(b.with(opts)...)
}

func (b bound) Debounce(timespan rxgo.Duration, opts ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.Debounce(timespan, b.with(opts)...))
}

func (b bound) DefaultIfEmpty(defaultValue interface{}, opts ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.DefaultIfEmpty(defaultValue, b.with(opts)...))
}

func (b bound) Distinct(apply rxgo.Func, opts ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.Distinct(apply, b.with(opts)...))
}

func (b bound) DistinctUntilChanged(apply rxgo.Func, opts ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.DistinctUntilChanged(apply, b.with(opts)...))
}

func (b bound) ElementAt(index uint, opts ...rxgo.Option) rxgo.Single {
	return b.Observable.ElementAt(index, b.with(opts)...)
}

func (b bound) Filter(apply rxgo.Predicate, opts ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.Filter(apply, b.with(opts)...))
}

func (b bound) Find(find rxgo.Predicate, opts ...rxgo.Option) rxgo.OptionalSingle {
	return b.Observable.Find(find, b.with(opts)...)
}

func (b bound) First(opts ...rxgo.Option) rxgo.OptionalSingle {
	return b.Observable.First(b.with(opts)...)
}

func (b bound) FirstOrDefault(defaultValue interface{}, opts ...rxgo.Option) rxgo.Single {
	return b.Observable.FirstOrDefault(defaultValue, b.with(opts)...)
}

func (b bound) FlatMap(apply rxgo.ItemToObservable, opts ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.FlatMap(apply, b.with(opts)...))
}

func (b bound) GroupBy(length int, distribution func(rxgo.Item) int, opts ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.GroupBy(length, distribution, b.with(opts)...))
}

func (b bound) GroupByDynamic(distribution func(rxgo.Item) string, opts ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.GroupByDynamic(distribution, b.with(opts)...))
}

func (b bound) IgnoreElements(opts ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.IgnoreElements(b.with(opts)...))
}

func (b bound) Join(joiner rxgo.Func2, right rxgo.Observable, timeExtractor func(interface{}) time.Time, window rxgo.Duration, opts ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.Join(joiner, right, timeExtractor, window, b.with(opts)...))
}

func (b bound) Last(opts ...rxgo.Option) rxgo.OptionalSingle {
	return b.Observable.Last(b.with(opts)...)
}

func (b bound) LastOrDefault(defaultValue interface{}, opts ...rxgo.Option) rxgo.Single {
	return b.Observable.LastOrDefault(defaultValue, b.with(opts)...)
}

func (b bound) Map(apply rxgo.Func, opts ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.Map(apply, b.with(opts)...))
}

func (b bound) Marshal(marshaller rxgo.Marshaller, opts ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.Marshal(marshaller, b.with(opts)...))
}

func (b bound) Max(comparator rxgo.Comparator, opts ...rxgo.Option) rxgo.OptionalSingle {
	return b.Observable.Max(comparator, b.with(opts)...)
}

func (b bound) Min(comparator rxgo.Comparator, opts ...rxgo.Option) rxgo.OptionalSingle {
	return b.Observable.Min(comparator, b.with(opts)...)
}

func (b bound) OnErrorResumeNext(resumeSequence rxgo.ErrorToObservable, opts ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.OnErrorResumeNext(resumeSequence, b.with(opts)...))
}

func (b bound) OnErrorReturn(resumeFunc rxgo.ErrorFunc, opts ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.OnErrorReturn(resumeFunc, b.with(opts)...))
}

func (b bound) OnErrorReturnItem(resume interface{}, opts ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.OnErrorReturnItem(resume, b.with(opts)...))
}

func (b bound) Reduce(apply rxgo.Func2, opts ...rxgo.Option) rxgo.OptionalSingle {
	return b.Observable.Reduce(apply, b.with(opts)...)
}

func (b bound) Repeat(count int64, frequency rxgo.Duration, opts ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.Repeat(count, frequency, b.with(opts)...))
}

func (b bound) Retry(count int, shouldRetry func(error) bool, opts ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.Retry(count, shouldRetry, b.with(opts)...))
}

func (b bound) Sample(iterable rxgo.Iterable, opts ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.Sample(iterable, b.with(opts)...))
}

func (b bound) Scan(apply rxgo.Func2, opts ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.Scan(apply, b.with(opts)...))
}

func (b bound) SequenceEqual(iterable rxgo.Iterable, opts ...rxgo.Option) rxgo.Single {
	return b.Observable.SequenceEqual(iterable, b.with(opts)...)
}

func (b bound) Serialize(from int, identifier func(interface{}) int, opts ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.Serialize(from, identifier, b.with(opts)...))
}

func (b bound) Skip(nth uint, opts ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.Skip(nth, b.with(opts)...))
}

func (b bound) SkipLast(nth uint, opts ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.SkipLast(nth, b.with(opts)...))
}

func (b bound) SkipWhile(apply rxgo.Predicate, opts ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.SkipWhile(apply, b.with(opts)...))
}

func (b bound) StartWith(iterable rxgo.Iterable, opts ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.StartWith(iterable, b.with(opts)...))
}

func (b bound) SumFloat32(opts ...rxgo.Option) rxgo.OptionalSingle {
	return b.Observable.SumFloat32(b.with(opts)...)
}

func (b bound) SumFloat64(opts ...rxgo.Option) rxgo.OptionalSingle {
	return b.Observable.SumFloat64(b.with(opts)...)
}

func (b bound) SumInt64(opts ...rxgo.Option) rxgo.OptionalSingle {
	return b.Observable.SumInt64(b.with(opts)...)
}

func (b bound) Take(nth uint, opts ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.Take(nth, b.with(opts)...))
}

func (b bound) TakeLast(nth uint, opts ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.TakeLast(nth, b.with(opts)...))
}

func (b bound) TakeUntil(apply rxgo.Predicate, opts ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.TakeUntil(apply, b.with(opts)...))
}

func (b bound) TakeWhile(apply rxgo.Predicate, opts ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.TakeWhile(apply, b.with(opts)...))
}

func (b bound) TimeInterval(opts ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.TimeInterval(b.with(opts)...))
}

func (b bound) Timestamp(opts ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.Timestamp(b.with(opts)...))
}

func (b bound) ToMap(keySelector rxgo.Func, opts ...rxgo.Option) rxgo.Single {
	return b.Observable.ToMap(keySelector, b.with(opts)...)
}

func (b bound) ToMapWithValueSelector(keySelector, valueSelector rxgo.Func, opts ...rxgo.Option) rxgo.Single {
	return b.Observable.ToMapWithValueSelector(keySelector, valueSelector, b.with(opts)...)
}

func (b bound) Unmarshal(unmarshaller rxgo.Unmarshaller, factory func() interface{}, opts ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.Unmarshal(unmarshaller, factory, b.with(opts)...))
}

func (b bound) WindowWithCount(count int, opts ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.WindowWithCount(count, b.with(opts)...))
}

func (b bound) WindowWithTime(timespan rxgo.Duration, opts ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.WindowWithTime(timespan, b.with(opts)...))
}

func (b bound) WindowWithTimeOrCount(timespan rxgo.Duration, count int, opts ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.WindowWithTimeOrCount(timespan, count, b.with(opts)...))
}

func (b bound) ZipFromIterable(iterable rxgo.Iterable, zipper rxgo.Func2, opts ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.ZipFromIterable(iterable, zipper, b.with(opts)...))
}
