package stream_test

import (
	"context"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// TestGatherAgainstAModel runs random groups of random producers, and looks at
// what the model knows of each: the values of a producer come in order and
// without a gap; all of them if the run completes; none after its end.
func TestGatherAgainstAModel(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	defer func() {
		if t.Failed() {
			t.Log("seed", seed)
		}
	}()
	for begin := time.Now(); time.Since(begin) < 400*time.Millisecond && !t.Failed(); {
		gatherOnce(t, random)
	}
}

type numbered struct{ producer, n int }

func gatherOnce(t *testing.T, random *rand.Rand) {
	producers := 1 + random.IntN(6)
	counts := make([]int, producers)
	for i := range counts {
		counts[i] = random.IntN(1 + random.IntN(400))
	}
	failing, stopAt, cancelAt := -1, -1, -1 // how it ends: one of these, or by itself
	switch random.IntN(4) {
	case 0:
		failing = random.IntN(producers)
	case 1:
		stopAt = 1 + random.IntN(200)
	case 2:
		cancelAt = 1 + random.IntN(200)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	var running, thens atomic.Int64
	lazy := random.IntN(3)
	seed := random.Uint64()
	source := stream.Gather(random.IntN(130), func(g *stream.Group[numbered]) {
		for i, count := range counts {
			running.Add(1)
			own := rand.New(rand.NewPCG(seed, uint64(i)))
			g.GoThen(func(_ context.Context, yield func(numbered) bool) error {
				defer running.Add(-1)
				for n := range count {
					if own.IntN(8) < lazy {
						runtime.Gosched()
					}
					if !yield(numbered{i, n}) {
						return nil
					}
				}
				if i == failing {
					return errBroken
				}
				return nil
			}, func() { thens.Add(1) })
		}
	})

	next := make([]int, producers)
	seen := 0
	err := source(ctx, func(v numbered) bool {
		if v.n != next[v.producer] {
			t.Fatalf("producer %d: got %d, want %d", v.producer, v.n, next[v.producer])
		}
		next[v.producer]++
		seen++
		if random.IntN(8) < lazy {
			runtime.Gosched()
		}
		if seen == cancelAt {
			cancel(errBroken)
		}
		return seen != stopAt
	})

	if running.Load() != 0 {
		t.Error("producers go on")
	}
	total := 0
	for _, count := range counts {
		total += count
	}
	switch {
	case failing >= 0:
		wantError(t, err, errBroken)
		if next[failing] != counts[failing] {
			t.Errorf("got %d values of the one that failed, want %d", next[failing], counts[failing])
		}
	case stopAt >= 0 && stopAt <= total:
		wantError(t, err, nil)
		if seen != stopAt {
			t.Errorf("got %d values, want %d", seen, stopAt)
		}
	case cancelAt >= 0 && cancelAt < total:
		wantError(t, err, errBroken)
		if seen != cancelAt {
			t.Errorf("got %d values, want %d", seen, cancelAt)
		}
	case cancelAt == total: // completed or cancelled, both is true
	default:
		wantError(t, err, nil)
		wantValues(t, next, counts...)
		if thens.Load() != int64(producers) {
			t.Errorf("%d producers of %d are done", thens.Load(), producers)
		}
	}
}
