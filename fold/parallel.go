package fold

import (
	"runtime"
	"sync"
)

// smallestChunk is the least number of values for which a goroutine pays, unless the caller
// chooses the number of goroutines.
const smallestChunk = 1024

// Parallel combines the values in order, as [Slice] does, on several goroutines. Each
// goroutine combines one run of neighbouring values, and Parallel combines the results from
// left to right. It pays if Combine does more work than adding two numbers.
//
// Workers is the number of goroutines, including the caller's; there are never more than
// values. If workers is 0 or less, the number is GOMAXPROCS, or fewer if a goroutine would
// have less than 1024 values. Short slices are then folded on the caller's goroutine only.
//
// All goroutines have ended when Parallel returns or panics. A panic or a runtime.Goexit in
// the monoid is repeated in the caller, with the same value, after all goroutines have
// ended. If several goroutines panic or exit, the leftmost one is repeated.
func Parallel[T any](m Monoid[T], values []T, workers int) T {
	return parallel(m, values, workers, func(chunk []T) T { return Slice(m, chunk) })
}

// ParallelFunc combines f(value) of each value, in order. It runs f and Combine on several
// goroutines as [Parallel] does, so f must be safe for concurrent calls. For few values and
// a slow f, set workers.
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

// chunks returns the number of chunks for a slice of the given length.
func chunks(length, workers int) int {
	if workers <= 0 {
		return min(runtime.GOMAXPROCS(0), length/smallestChunk)
	}
	return min(workers, length)
}

// parallelChunks computes chunk 0 on the caller's goroutine and each other chunk on a
// goroutine of its own. All goroutines have ended when it returns, panics or exits.
func parallelChunks[T any](n int, compute func(i int) T) (first T, others []outcome[T]) {
	others = make([]outcome[T], n-1)
	var running sync.WaitGroup
	defer running.Wait()
	for i := range others {
		running.Go(func() { others[i].run(func() T { return compute(i + 1) }) })
	}
	return compute(0), others
}

// outcome records how a function ended on another goroutine: it returned, it panicked, or it
// called runtime.Goexit and did neither.
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

// open returns, panics or exits on the calling goroutine as the function did.
func (o *outcome[T]) open() T {
	if o.panicked != nil {
		panic(o.panicked)
	}
	if !o.returned {
		runtime.Goexit()
	}
	return o.value
}
