package fold_test

import (
	"hash/maphash"
	"strconv"
	"testing"

	"github.com/rxipc/rxipc/fold"
)

const benchmarked = 1 << 16

// The hand-written loop, to compare Slice with.
func BenchmarkLoop(b *testing.B) {
	numbers := benchmarkNumbers()
	b.ReportAllocs()
	for b.Loop() {
		total := 0
		for _, n := range numbers {
			total += n
		}
		keptInt = total
	}
	perValue(b)
}

func BenchmarkSlice(b *testing.B) {
	numbers := benchmarkNumbers()
	sum := fold.Sum[int]()
	b.ReportAllocs()
	for b.Loop() {
		keptInt = fold.Slice(sum, numbers)
	}
	perValue(b)
}

func BenchmarkParallel(b *testing.B) {
	numbers := benchmarkNumbers()
	sum := fold.Sum[int]()
	b.ReportAllocs()
	for b.Loop() {
		keptInt = fold.Parallel(sum, numbers, 0)
	}
	perValue(b)
}

// Hashing each number is work enough for several goroutines to pay.
func BenchmarkHashes(b *testing.B) {
	numbers := benchmarkNumbers()
	largest := fold.Max[uint64]()
	seed := maphash.MakeSeed()
	hash := func(n int) uint64 {
		var text [20]byte
		return maphash.Bytes(seed, strconv.AppendInt(text[:0], int64(n), 10))
	}
	b.Run("SliceFunc", func(b *testing.B) {
		for b.Loop() {
			fold.SliceFunc(largest, numbers, hash)
		}
		perValue(b)
	})
	b.Run("ParallelFunc", func(b *testing.B) {
		for b.Loop() {
			fold.ParallelFunc(largest, numbers, 0, hash)
		}
		perValue(b)
	})
}

func BenchmarkByKey(b *testing.B) {
	m := fold.ByKey[int](fold.Sum[int]())
	values := make([]map[int]int, 1000)
	for i := range values {
		values[i] = map[int]int{i % 100: 1}
	}
	b.ReportAllocs()
	for b.Loop() {
		fold.Slice(m, values)
	}
}

func BenchmarkChain5(b *testing.B) {
	step := attemptSteps[3]
	b.ReportAllocs()
	for b.Loop() {
		keptAttempt = fold.Chain5(fold.Succeed(1), step, step, step, step, step)
	}
}

func benchmarkNumbers() []int {
	numbers := make([]int, benchmarked)
	for i := range numbers {
		numbers[i] = i
	}
	return numbers
}

func perValue(b *testing.B) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchmarked, "ns/value")
}
