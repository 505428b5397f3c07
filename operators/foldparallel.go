package operators

import (
	"context"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/stream"
)

// parallelBatch is how many values FoldParallel gives to a goroutine at a time. With so
// many, the hand-over costs little compared with combining them.
const parallelBatch = 1024

// FoldParallel is [Fold] on several goroutines: each combines 1024 values that follow each
// other, and their totals are combined in order, so that the monoid need not be
// commutative. It pays where Combine does more than adding two numbers. Up to workers
// goroutines combine at the same time; workers below one is [runtime.GOMAXPROCS]. The
// source has a goroutine of its own. The monoid is used by several goroutines at once.
//
// It emits one value when the source completes, the identity if there were none. A failure
// emits nothing. At most twice workers batches are combined or wait for it, and one more is
// being filled. The source waits when there are more values.
func FoldParallel[T any](workers int, m fold.Monoid[T]) stream.Operator[T, T] {
	mustHave("FoldParallel", "monoid", m != nil)
	return foldParallel("FoldParallel", workers, m, func(values []T) T { return fold.Slice(m, values) })
}

// FoldParallelFunc is [FoldParallel] of what f makes of each value, where f may be most of
// the work. f is called by several goroutines at once. Where it takes so long that a
// thousand calls are many, [MapParallel] before a [Fold] spreads them one by one.
func FoldParallelFunc[A, T any](workers int, m fold.Monoid[T], f func(A) T) stream.Operator[A, T] {
	mustHave("FoldParallelFunc", "monoid", m != nil)
	mustHave("FoldParallelFunc", "function", f != nil)
	return foldParallel("FoldParallelFunc", workers, m, func(values []A) T { return fold.SliceFunc(m, values, f) })
}

func foldParallel[A, T any](name string, workers int, m fold.Monoid[T], combine func([]A) T) stream.Operator[A, T] {
	return func(source stream.Observable[A]) stream.Observable[T] {
		mustHave(name, "observable", source != nil)
		return stream.Pipe3(source,
			BufferCount[A](parallelBatch),
			MapParallel(workers, func(_ context.Context, values []A) (T, error) { return combine(values), nil }),
			Fold(m),
		)
	}
}
