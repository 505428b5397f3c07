// Package operators is the catalogue: what stands between a source and a verb of
// package stream. Names are those of reactivex.io; [CATALOGUE.md] says for each operator
// of Rx, and of samber/ro, what it is called here.
//
// An operator is a function from observable to observable, so composing is
// calling; [stream.Pipe1] to [stream.Pipe9] write it left to right:
//
//	total := stream.Pipe3(
//		stream.Range(1, 10),
//		operators.Filter(func(n int) bool { return n%2 == 0 }),
//		operators.Map(func(n int) int { return n * n }),
//		operators.Fold(fold.Sum[int]()),
//	)
//
// With Go 1.27 a [Chain] has all of them as methods.
//
// Every operator keeps the contract of package stream: it runs on its caller's goroutine,
// holds nothing after its run, ends with its context, and starts afresh in each run. Those
// that run several sources at the same time (Merge, MergeMap and its siblings, MapParallel,
// Zip, CombineLatest, ForkJoin, Race) do so through [stream.Gather], and say what they
// buffer. TakeUntil, SkipUntil and WithLatestFrom run a second observable beside the
// source, which stays on its caller's goroutine. Operators that react to time use
// [stream.Timed], and say what becomes of a value that is pending when the source ends. If
// a value and a time come at the same instant, either may be first.
//
// Share, ShareReplay and the observables of Multicast are hot: their runs share one run of
// the source, which has a goroutine of its own and has ended when the last of them has.
//
// Operators that keep values say how many: Distinct a bound that its caller gives,
// TakeLast and the windows their size, GroupBy a buffer a group and a limit of groups,
// FoldByKey one total a key. Values that are dropped for want of room, or of a reader,
// are counted: [CountDrops] counts those of the stages before it, [Group.Dropped] those of
// a group, a [stages.Registry] those of a stage that is Named.
//
// Files are named after families: transform, filter, skip, element, distinct, until;
// accumulate, aggregate, foldbykey, foldwindow, foldwindowtime, foldparallel, buffer;
// eventtime, windoweventtime, sessions, where the time of the values counts;
// group, groupby, window; flatmap, concateager, mapparallel, mapparallelbykey, expand;
// concat, merge, mergesorted, zip, latest, forkjoin, race; share and multicast, where one run is for
// many; errors, retry, notification; boundary,
// where values change goroutines; debounce, throttle, sample, timeout, delay, ratelimit,
// buffertime, where time counts; and what looks on: tap, log, timestamp, named.
//
// [CATALOGUE.md]: https://github.com/rxipc/rxipc/blob/main/operators/CATALOGUE.md
package operators

//go:generate go run ./internal/chaingen chain_operators_go127.go
