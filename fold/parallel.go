package fold

import (
	"runtime"
	"sync"
)

// smallestChunk is the number of values below which a chunk is not worth a
// goroutine, unless the caller says how many goroutines to use.
const smallestChunk = 1024

// Parallel combines the values in order, as [Slice] does, on several goroutines:
// each combines one run of neighbouring values, and the results are combined from
// left to right. It pays where Combine does more work than adding two numbers.
//
// The number of goroutines, the caller's included, is workers, and never more than
// there are values. With workers 0 or less it is GOMAXPROCS, or fewer where a
// goroutine would have less than 1024 values; so short slices are folded on the
// caller's goroutine alone.
//
// All goroutines have ended when Parallel returns, and also when it panics: a
// panic or a runtime.Goexit in the monoid happens again in the caller, with the
// same value, once they have. Where there are several, it is the leftmost's.
func Parallel[T any](m Monoid[T], values []T, workers int) T {
	return parallel(m, values, workers, func(chunk []T) T { return Slice(m, chunk) })
}

// ParallelFunc combines, in order, what f makes of each value. It runs f and
// Combine on several goroutines in the manner of [Parallel], so f must be safe to
// call from several at once. Where f is slow and the values are few, say how many
// workers to use.
func ParallelFunc[A, T any](m Monoid[T], values []A, workers int, f func(A) T) T {
	return parallel(m, values, workers, func(chunk []A) T { return SliceFunc(m, chunk, f) })
}

func parallel[A, T any](m Monoid[T], values []A, workers int, fold func([]A) T) T {
	n := chunks(len(values), workers)
	if n < 2 {
		return fold(values)
	}
	chunk := func(i int) []A { return values[i*len(values)/n : (i+1)*len(values)/n] }

	total, others := parallelChunks(n, func(i int) T { return fold(chunk(i)) })
	for i := range others {
		total = m.Combine(total, others[i].open())
	}
	return total
}

// chunks returns how many chunks to cut a slice of the given length into.
func chunks(length, workers int) int {
	if workers <= 0 {
		return min(runtime.GOMAXPROCS(0), length/smallestChunk)
	}
	return min(workers, length)
}

// parallelChunks computes chunk 0 on the caller's goroutine and the others each on
// its own. They have all ended when it returns, panics or exits.
func parallelChunks[T any](n int, compute func(i int) T) (first T, others []outcome[T]) {
	others = make([]outcome[T], n-1)
	var running sync.WaitGroup
	defer running.Wait()
	for i := range others {
		running.Go(func() { others[i].run(func() T { return compute(i + 1) }) })
	}
	return compute(0), others
}

// An outcome is how a function ended on another goroutine: it returned, it
// panicked, or it called runtime.Goexit and so did neither.
type outcome[T any] struct {
	value    T
	returned bool
	panicked any
}

func (o *outcome[T]) run(f func() T) {
	defer func() {
		if !o.returned {
			o.panicked = recover()
		}
	}()
	o.value = f()
	o.returned = true
}

// open ends on the calling goroutine as the function did on its own.
func (o *outcome[T]) open() T {
	if o.panicked != nil {
		panic(o.panicked)
	}
	if !o.returned {
		runtime.Goexit()
	}
	return o.value
}
