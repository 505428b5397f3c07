package fold_test

import (
	"bytes"
	"errors"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rxipc/rxipc/fold"
)

func TestParallelEqualsSlice(t *testing.T) {
	m := fold.ConcatSlices[[]int]()
	for _, length := range []int{0, 1, 2, 3, 7, 64, 1023, 2048, 2050} {
		values := make([][]int, length)
		numbers := make([]int, length)
		for i := range values {
			values[i] = []int{i}
			numbers[i] = i
		}
		want := fold.Slice(m, values)
		for _, workers := range []int{-1, 0, 1, 2, 3, 8, 3000} {
			if got := fold.Parallel(m, values, workers); !slices.Equal(got, want) {
				t.Errorf("Parallel of %d values on %d workers differs from Slice", length, workers)
			}
			one := func(i int) []int { return []int{i} }
			if got := fold.ParallelFunc(m, numbers, workers, one); !slices.Equal(got, want) {
				t.Errorf("ParallelFunc of %d values on %d workers differs from Slice", length, workers)
			}
		}
	}
}

func TestParallelNumberOfGoroutines(t *testing.T) {
	processors := runtime.GOMAXPROCS(3)
	defer runtime.GOMAXPROCS(processors)

	for _, test := range []struct{ length, workers, want int }{
		{10, 0, 1},
		{2047, 0, 1},
		{2048, 0, 2},
		{4096, 0, 3},
		{4096, -1, 3},
		{10, 1, 1},
		{4096, 1, 1},
		{10, 4, 4},
		{10, 100, 10},
	} {
		var goroutines sync.Map
		fold.ParallelFunc(fold.Unit(), make([]int, test.length), test.workers, func(int) struct{} {
			goroutines.Store(goroutine(), true)
			return struct{}{}
		})
		used := 0
		goroutines.Range(func(any, any) bool { used++; return true })
		if used != test.want {
			t.Errorf("%d values and %d workers ran on %d goroutines, want %d", test.length, test.workers, used, test.want)
		}
	}
}

// goroutine returns the name of the running goroutine, as stack traces have it.
func goroutine() string {
	var stack [64]byte
	name, _, _ := bytes.Cut(stack[:runtime.Stack(stack[:], false)], []byte(" ["))
	return string(name)
}

// Four workers fold four values, one each: what a worker does is told by its value.
var four = []int{0, 1, 2, 3}

func TestParallelPanicReachesTheCallerAfterAllHaveEnded(t *testing.T) {
	failure := errors.New("failure")
	for failing := range four {
		var ended atomic.Int32
		failed := make(chan struct{})
		func() {
			defer func() {
				if got := recover(); got != failure {
					t.Errorf("worker %d: recovered %v, want the value of the panic", failing, got)
				}
			}()
			fold.ParallelFunc(fold.Sum[int](), four, 4, func(i int) int {
				defer ended.Add(1)
				if i == failing {
					close(failed)
					panic(failure)
				}
				<-failed
				return i
			})
			t.Errorf("worker %d: the call returned", failing)
		}()
		if ended.Load() != 4 {
			t.Errorf("worker %d: the panic arrived when %d of 4 workers had ended", failing, ended.Load())
		}
	}
}

func TestParallelGoexitReachesTheCallerAfterAllHaveEnded(t *testing.T) {
	for failing := range four {
		var ended atomic.Int32
		var returned bool
		failed := make(chan struct{})
		var caller sync.WaitGroup
		caller.Go(func() {
			fold.ParallelFunc(fold.Sum[int](), four, 4, func(i int) int {
				defer ended.Add(1)
				if i == failing {
					close(failed)
					runtime.Goexit()
				}
				<-failed
				return i
			})
			returned = true
		})
		caller.Wait()
		if returned {
			t.Errorf("worker %d: the call returned", failing)
		}
		if ended.Load() != 4 {
			t.Errorf("worker %d: the caller ended when %d of 4 workers had", failing, ended.Load())
		}
	}
}

func TestParallelRepeatsTheLeftmostPanic(t *testing.T) {
	for first := range four {
		func() {
			defer func() {
				if got := recover(); got != first {
					t.Errorf("recovered %v, want %d", got, first)
				}
			}()
			fold.ParallelFunc(fold.Sum[int](), four, 4, func(i int) int {
				if i >= first {
					panic(i)
				}
				return i
			})
		}()
	}
}

func TestParallelPanicInCombineReachesTheCaller(t *testing.T) {
	m := fold.New(
		func() int { return 0 },
		func(a, b int) int {
			if b == 3 {
				panic("three")
			}
			return a + b
		},
	)
	defer func() {
		if got := recover(); got != "three" {
			t.Errorf("recovered %v, want %q", got, "three")
		}
	}()
	fold.Parallel(m, four, 2)
	t.Error("the call returned")
}

// There are no more goroutines than values, however many workers are allowed.
func TestParallelOfMoreWorkersThanValues(t *testing.T) {
	for _, workers := range []int{5, 6, math.MaxInt} {
		if got := fold.Parallel(fold.ConcatStrings[string](), []string{"a", "b", "c", "d", "e"}, workers); got != "abcde" {
			t.Errorf("Parallel with %d workers made %q of five letters, want abcde", workers, got)
		}
		if got := fold.Parallel(fold.ConcatStrings[string](), nil, workers); got != "" {
			t.Errorf("Parallel with %d workers made %q of nothing, want nothing", workers, got)
		}
	}
}
