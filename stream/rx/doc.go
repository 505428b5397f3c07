// Package rx is the door to RxGo: [ToRx] hands an observable of ours to
// [github.com/reactivex/rxgo/v2], [FromRx] takes one of RxGo's, and [Through] puts a
// chain of RxGo operators between a source and a sink of ours, as one operator.
//
//	totals := stream.Pipe2(
//		orders,
//		rx.Through[Order, int](func(o rxgo.Observable) rxgo.Observable { return o.Filter(paid).Map(total) }),
//		operators.Scan(fold.Sum[int]()),
//	)
//
// What comes out keeps the contract of package stream, as far as RxGo lets it: cold
// stays cold, the context and an early stop end all that a run started, on both
// sides, errors stay errors and come after the values before them, and a slow yield
// slows the source. RxGo has no types: an item that is not what was asked for is a
// [TypeError].
//
// # Cost
//
// A value costs RxGo a channel and a select an operator, some hundred nanoseconds
// each. [ThroughBatches], [ToRxBatches] and [FromRxBatches] let values cross in
// slices, of all that came while RxGo was at work: below 20 ns a value where the
// source is fast, no waiting where it is slow.
//
// # Limits
//
// What RxGo v2.5.0, its last release, does, no bridge can undo:
//
//   - A panic in a function that was given to RxGo ends the program: it happens on a
//     goroutine of RxGo's.
//   - An operator that is cancelled closes its channel before those it reads from
//     have ended. They see the same context and end by themselves, but a function of
//     the user's that is at work in one of them may outlast the run.
//   - Merge, Concat, Amb, CombineLatest, Sample and an optional single's Map send
//     without looking at a context, StartWith, Serialize and Reduce so send errors.
//     At the end of a chain they are fine:
//     the run takes what they send. Further up, what stops reading before its source
//     ends (Take, First, TakeWhile, an operator that fails, Map behind Merge when one
//     of the merged fails) leaves their goroutine there for ever. Stop and merge with
//     operators of ours then, outside of the chain.
//   - The same combinators get no context but the one they are given themselves, nor
//     does what is chained to them: it ends when their sources do, as all sources
//     of Through do. BackOffRetry wants rxgo.WithContext, too.
//   - FlatMap, Join, Debounce, TimeInterval, the operators with time in their name and
//     the singles (Count, All, Contains …) can be observed once: a second time ends
//     the program. Retry, Sample, StartWith, Serialize,
//     ZipFromIterable, GroupBy, Merge, Concat and Create start when they are built.
//     Through and [FromRxFunc] build them for each run.
//   - Create, FromChannel and FromEventSource are hot: runs share the values. An event
//     source knows no leaving: it waits for ever for an observer that has left, or
//     drops for all, as its strategy says; its own context ends it.
//   - Take(n) ends only when value n+1 comes; SkipLast(n) is Take(n); Count takes a
//     failure for the end; FlatMap gives its function the error items as well; with
//     rxgo.ContinueOnError a chain may go on after an error, and the run still fails
//     with the first.
//   - Windows and groups are observables that somebody has to read: RxGo waits until
//     somebody does.
package rx
