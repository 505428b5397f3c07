// Package rx connects package stream with RxGo. [ToRx] converts a stream.Observable to an
// observable of [github.com/reactivex/rxgo/v2], [FromRx] converts in the other direction, and
// [Through] makes a stream.Operator of a chain of RxGo operators.
//
//	totals := stream.Pipe2(
//		orders,
//		rx.Through[Order, int](func(o rxgo.Observable) rxgo.Observable { return o.Filter(paid).Map(total) }),
//		operators.Scan(fold.Sum[int]()),
//	)
//
// The result keeps the contract of package stream as far as RxGo allows. Cold observables stay
// cold. The context and an early stop end everything that a run started, on both sides. Errors
// stay errors and follow the values before them. A slow yield slows the source. RxGo is
// untyped: an item of an unexpected type is a [TypeError].
//
// # Cost
//
// RxGo needs a channel and a select for each value and operator, some hundred nanoseconds each.
// With [ThroughBatches], [ToRxBatches] and [FromRxBatches] values cross in slices of all values
// that arrived while RxGo was busy. This costs less than 20 ns a value with a fast source,
// and no waiting with a slow one.
//
// # Limits
//
// This package cannot change the following behaviour of RxGo v2.5.0, the last release:
//
//   - A panic in a function that was given to RxGo ends the program, since it happens on a
//     goroutine of RxGo.
//   - A cancelled operator closes its channel before the operators that it reads from have
//     ended. These see the same context and end by themselves. But a user's function that is
//     running in one of them may outlast the run.
//   - Merge, Concat, Amb, CombineLatest, Sample and Map of an optional single send values
//     without checking a context. StartWith, Serialize and Reduce send errors so. At the end
//     of a chain this is harmless, because the run receives what they send. Elsewhere their
//     goroutine leaks if a later operator stops reading before its source ends: Take, First,
//     TakeWhile, an operator that fails, Map behind Merge when one of the merged observables
//     fails. Stop and merge with package operators then, outside of the chain.
//   - The same combinators, and operators chained to them, have no context unless it is given
//     to each of them. They end when their sources end, as all sources of Through do.
//     BackOffRetry needs rxgo.WithContext, too.
//   - FlatMap, Join, Debounce, TimeInterval, the operators with time in their name and the
//     singles (Count, All, Contains …) can be observed only once: the second time ends the
//     program. Retry, Sample, StartWith, Serialize, ZipFromIterable, GroupBy, Merge, Concat
//     and Create start when they are built. Through and [FromRxFunc] build them for each run.
//   - Create, FromChannel and FromEventSource are hot: runs share the values. An event source
//     cannot remove an observer. Depending on its strategy it waits forever for an observer
//     that has left, or drops values for all. Its own context ends it.
//   - Take(n) ends only at value n+1. SkipLast(n) is Take(n). Count treats a failure as the
//     end. FlatMap calls its function with error items, too. With rxgo.ContinueOnError a chain
//     may go on after an error; the run still fails with the first error.
//   - Windows and groups are observables that must be read: RxGo blocks until they are.
package rx
