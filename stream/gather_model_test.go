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

// gatherScript says what the producers of a group do, and how its run ends: in one of three
// ways, or by itself.
type gatherScript struct {
	counts                    []int // how many values each producer has
	failing, stopAt, cancelAt int   // the producer that fails, the value to stop or cancel at; or -1
	lazy                      int   // of eight values, how many come after a pause
	capacity                  int
	seed                      uint64
}

func randomGatherScript(random *rand.Rand) gatherScript {
	s := gatherScript{counts: make([]int, 1+random.IntN(6)), failing: -1, stopAt: -1, cancelAt: -1}
	for i := range s.counts {
		s.counts[i] = random.IntN(1 + random.IntN(400))
	}
	switch random.IntN(4) {
	case 0:
		s.failing = random.IntN(len(s.counts))
	case 1:
		s.stopAt = 1 + random.IntN(200)
	case 2:
		s.cancelAt = 1 + random.IntN(200)
	}
	s.lazy, s.capacity, s.seed = random.IntN(3), random.IntN(130), random.Uint64()
	return s
}

// source is the group. It counts the producers that run, and the calls of then.
func (s gatherScript) source(running, thens *atomic.Int64) stream.Observable[numbered] {
	return stream.Gather(s.capacity, func(g *stream.Group[numbered]) {
		for i, count := range s.counts {
			running.Add(1)
			own := rand.New(rand.NewPCG(s.seed, uint64(i)))
			g.GoThen(func(_ context.Context, yield func(numbered) bool) error {
				defer running.Add(-1)
				for n := range count {
					if own.IntN(8) < s.lazy {
						runtime.Gosched()
					}
					if !yield(numbered{i, n}) {
						return nil
					}
				}
				if i == s.failing {
					return errBroken
				}
				return nil
			}, func() { thens.Add(1) })
		}
	})
}

func gatherOnce(t *testing.T, random *rand.Rand) {
	s := randomGatherScript(random)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	var running, thens atomic.Int64
	next := make([]int, len(s.counts))
	seen := 0
	err := s.source(&running, &thens)(ctx, func(v numbered) bool {
		if v.n != next[v.producer] {
			t.Fatalf("the values of producer %d: got %d, want %d", v.producer, v.n, next[v.producer])
		}
		next[v.producer]++
		seen++
		if random.IntN(8) < s.lazy {
			runtime.Gosched()
		}
		if seen == s.cancelAt {
			cancel(errBroken)
		}
		return seen != s.stopAt
	})
	if running.Load() != 0 {
		t.Errorf("the run has ended: %d producers still run, want none", running.Load())
	}
	s.wantEnd(t, err, next, seen, int(thens.Load()))
}

// wantEnd wants the end that the script says, after that many values of each producer.
func (s gatherScript) wantEnd(t *testing.T, err error, next []int, seen, thens int) {
	t.Helper()
	total := 0
	for _, count := range s.counts {
		total += count
	}
	switch {
	case s.failing >= 0:
		wantError(t, err, errBroken)
		if next[s.failing] != s.counts[s.failing] {
			t.Errorf("the producer that failed: got %d of its values, want %d", next[s.failing], s.counts[s.failing])
		}
	case s.stopAt >= 0 && s.stopAt <= total:
		wantError(t, err, nil)
		if seen != s.stopAt {
			t.Errorf("a run that was stopped: got %d values, want %d", seen, s.stopAt)
		}
	case s.cancelAt >= 0 && s.cancelAt < total:
		wantError(t, err, errBroken)
		if seen != s.cancelAt {
			t.Errorf("a run that was cancelled: got %d values, want %d", seen, s.cancelAt)
		}
	case s.cancelAt == total: // completed or cancelled, both is true
	default:
		wantError(t, err, nil)
		wantValues(t, next, s.counts...)
		if thens != len(s.counts) {
			t.Errorf("%d producers have completed: then was called %d times", len(s.counts), thens)
		}
	}
}
