// Package operators is the catalogue: what stands between a source and a verb of
// package stream. Names are those of reactivex.io.
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
// Every operator keeps the contract of package stream: it runs on its caller's
// goroutine, holds nothing after its run, ends with its context, and starts
// afresh in each run. Those that run several sources at the same time (Merge,
// MergeMap) do so through [stream.Gather], and say what they buffer.
//
// Operators that keep values say how many: Distinct a bound that its caller gives,
// TakeLast and the windows their size, FoldByKey one total a key.
//
// Files are named after families: transform, filter, skip, element, distinct, until;
// accumulate, aggregate, foldbykey, window, buffer; concat, merge; errors, retry,
// notification; and what looks on: tap, log, timestamp.
package operators
