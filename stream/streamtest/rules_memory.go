package streamtest

import (
	"context"
	"runtime"
	"sync"
	"time"
	"weak"
)

// subscriber stands for all that a caller's yield and context hold on to.
type subscriber struct{ _ [64]byte }

// subscriberKey is what a context has its subscriber under.
type subscriberKey struct{}

// noReferenceIsKept looks for subscribers that cannot be collected though nobody
// knew them but runs, which ended in all the ways there are.
func noReferenceIsKept[T any](f *findings, s specimen[T]) {
	s.forgets(f)()
	runtime.KeepAlive(s)
}

// noReferenceIsKeptBeside is noReferenceIsKept for an operator. A collection takes
// time, and one is enough for all.
func noReferenceIsKeptBeside[A, B any](f *findings, s operatorSpecimen[A, B]) {
	atOnce := s.over(&feed[A]{inputs: s.inputs})
	inTime := s.over(&feed[A]{inputs: s.inputs, pace: pace})
	lookAtOnce, lookInTime := atOnce.forgets(f.titled("inputs at once")), inTime.forgets(f.titled("an input a second"))
	lookAtOnce()
	lookInTime()
	runtime.KeepAlive([]specimen[B]{atOnce, inTime})
}

// forgets makes the runs, and returns what looks whether they are forgotten.
func (s specimen[T]) forgets(f *findings) (look func()) {
	ways := map[string]weak.Pointer[subscriber]{
		"end":          s.collectable(f, len(s.want), 0),
		"cancellation": s.collectable(f, 0, pace/2),
	}
	if len(s.want) > 0 {
		ways["false"] = s.collectable(f, 1, 0)
	}
	time.Sleep(late) // a timer that was stopped may be known to the bubble until then
	return func() {
		for way, left := range ways {
			for range 3 { // what is in a sync.Pool goes with the second collection
				if left.Value() != nil {
					collect()
				}
			}
			if left.Value() != nil {
				f.titled(way).add("yield or its context can still be reached from the observable")
			}
		}
	}
}

// collectable makes a run with a subscriber of its own, up to the nth value of an
// endless run or one that is left early, or until it is cancelled.
//
//go:noinline
func (s specimen[T]) collectable(f *findings, n int, cancelled time.Duration) weak.Pointer[subscriber] {
	known := new(subscriber)
	ctx, cancel := context.WithCancelCause(context.WithValue(context.Background(), subscriberKey{}, known))
	defer cancel(nil)
	if cancelled > 0 {
		defer time.AfterFunc(cancelled, func() { cancel(errCancelled) }).Stop()
	} else if n == 0 && s.endless {
		cancel(errCancelled)
	}
	run[T]{s, ctx, func(i int) bool {
		runtime.KeepAlive(known)
		return cancelled > 0 && i <= len(s.want) || i < n || n == len(s.want) && !s.endless
	}}.beside(f)
	return weak.Make(known)
}

// flood is how many values a source has while yield is at its first, and unread
// how many bytes of that may be kept: less than a byte a value.
const (
	flood  = 1 << 17
	unread = flood / 2
)

// boundedMemory holds the first value in yield while the source of an operator that
// reads on has many more.
func boundedMemory[A, B any](f *findings, s operatorSpecimen[A, B]) {
	if s.unlimited || s.readAhead >= 0 || len(s.inputs) == 0 {
		return // backpressure has looked
	}
	fed := &feed[A]{inputs: s.inputs, cycles: flood / len(s.inputs)}
	over := s.over(fed)
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	before := heap()
	run[B]{over, ctx, func(int) bool {
		time.Sleep(pace) // ends once the source has no more, or is not read
		if more := heap() - before; more > unread {
			f.add("%d bytes were kept of %d values while yield was at its first", more, fed.reads.Load())
		}
		return false
	}}.start(f)
}

var collecting sync.Mutex // held while GOMAXPROCS is one

// collect runs the garbage collector on one processor. With several, [runtime.GC] wakes those that
// are idle once for each span that it sweeps, and takes forty times as long.
func collect() {
	collecting.Lock()
	defer collecting.Unlock()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	runtime.GC()
}

// heap is how many bytes are in use.
func heap() int64 {
	collect()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// deep is how many values a run has that is watched for recursion.
const deep = 64

// boundedRecursion looks at how deep the stack is at the first values and at later
// ones of a long run.
func boundedRecursion[A, B any](f *findings, s operatorSpecimen[A, B]) {
	if len(s.inputs) == 0 {
		return
	}
	fed := &feed[A]{inputs: s.inputs, cycles: 1 + deep/len(s.inputs)}
	over := s.over(fed)
	frames := make([]uintptr, 4*deep)
	first := 0
	ctx, _ := cancellable()
	run[B]{over, ctx, func(n int) bool {
		depth := runtime.Callers(0, frames)
		if n == 1 {
			first = depth
		}
		if n >= deep/2 && depth-first >= n/2 {
			f.add("the stack is %d calls deep at value %d, after %d at the first", depth, n, first)
			return false
		}
		return n < deep
	}}.start(f)
}
