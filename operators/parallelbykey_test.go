package operators_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
)

func init() {
	tripled := func(_ context.Context, n int) (int, error) { return triple(n), nil }
	readAhead := streamtest.ReadAhead(4*stream.DefaultBuffer + 3)
	maps.Copy(contracts, map[string]func(*testing.T){
		"MapParallelByKey": func(t *testing.T) {
			t.Run("ordered", func(t *testing.T) {
				streamtest.CheckOperator(t, operators.MapParallelByKey(2, mod3, tripled), []int{1, 2, 3, 4}, []int{3, 6, 9, 12}, readAhead)
			})
			t.Run("unordered", func(t *testing.T) {
				streamtest.CheckOperator(t, operators.MapParallelByKey(2, mod3, tripled, operators.Unordered), []int{1, 2, 3, 4}, []int{3, 6, 9, 12},
					streamtest.Unordered(), streamtest.LosesOnFailure(), readAhead)
			})
			t.Run("one key", func(t *testing.T) {
				one := func(int) string { return "" }
				streamtest.CheckOperator(t, operators.MapParallelByKey(3, one, tripled, operators.Unordered), []int{1, 2, 3}, []int{3, 6, 9},
					streamtest.LosesOnFailure(), readAhead)
			})
			t.Run("failure", func(t *testing.T) {
				divide := func(_ context.Context, n int) (int, error) { return half(n) }
				streamtest.Check(t, operators.MapParallelByKey(2, mod3, divide)(stream.Just(2, 4, 5, 6)), []int{1, 2}, streamtest.Fails(errOdd))
			})
		},
	})
	totals["MapParallelByKey"] = boxed(operators.MapParallelByKey(2, mod3, tripled))
}

// Each account's transfers are made in order, those of different accounts side by side.
func ExampleMapParallelByKey() {
	type transfer struct {
		account string
		amount  int
	}
	var mu sync.Mutex
	balances := make(map[string]int)
	book := func(_ context.Context, t transfer) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		balances[t.account] += t.amount
		return fmt.Sprint(t.account, balances[t.account]), nil
	}
	transfers := stream.Just(transfer{"a", 5}, transfer{"b", 1}, transfer{"a", -2}, transfer{"b", 1})
	show(operators.MapParallelByKey(8, func(t transfer) string { return t.account }, book)(transfers))
	// Output: [a5 b1 a3 b2] <nil>
}

// A job is a value with its key, and how long f takes for it. No two sums of different
// jobs' times are the same, so nothing happens in the same instant.
type job struct {
	number, key int
	takes       time.Duration
}

func randomJobs(random *rand.Rand) []job {
	jobs := make([]job, random.IntN(15))
	for i := range jobs {
		jobs[i] = job{i, random.IntN(4), time.Duration(random.IntN(50))*ms + 1<<i}
	}
	return jobs
}

// schedule is when each job is done, by up to limit workers who take, in this order, what
// became ready first.
func schedule(jobs []job, limit int) []time.Duration {
	done := make([]time.Duration, len(jobs))
	var ready []job
	lines := make(map[int][]job)
	for _, j := range jobs {
		if lines[j.key] = append(lines[j.key], j); len(lines[j.key]) == 1 {
			ready = append(ready, j)
		}
	}
	var working []job
	now := time.Duration(0)
	for len(ready)+len(working) > 0 {
		for len(ready) > 0 && len(working) < limit {
			done[ready[0].number] = now + ready[0].takes
			working, ready = append(working, ready[0]), ready[1:]
		}
		next := slices.MinFunc(working, func(a, b job) int { return int(done[a.number] - done[b.number]) })
		now = done[next.number]
		working = slices.DeleteFunc(working, func(j job) bool { return j == next })
		if lines[next.key] = lines[next.key][1:]; len(lines[next.key]) > 0 {
			ready = append(ready, lines[next.key][0])
		}
	}
	return done
}

func TestMapParallelByKeyAgainstASchedule(t *testing.T) {
	wantModel(t, func(random *rand.Rand, _ []step, _ error) (func(context.Context) []string, []string) {
		jobs, limit := randomJobs(random), 1+random.IntN(4)
		var options []operators.ParallelOption
		unordered := random.IntN(2) == 0
		if unordered {
			options = append(options, operators.Unordered)
		}
		run := func(ctx context.Context) []string {
			return timeline(ctx, operators.MapParallelByKey(limit, func(j job) int { return j.key }, func(ctx context.Context, j job) (int, error) {
				return j.number, sleep(ctx, j.takes)
			}, options...)(stream.FromSlice(jobs)))
		}
		done := schedule(jobs, limit)
		order := make([]int, len(jobs))
		for i := range order {
			order[i] = i
		}
		if unordered {
			slices.SortFunc(order, func(a, b int) int { return int(done[a] - done[b]) })
		}
		var told []string
		now := time.Duration(0)
		for _, number := range order {
			now = max(now, done[number])
			told = append(told, seenAt(now, number))
		}
		return run, append(told, seenAt(now, error(nil)))
	})
}

// A hundred thousand values on real goroutines: -race sees what shares memory. Of the thousand
// keys, many are forgotten and come back while results of theirs are still under way.
func TestMapParallelByKeyKeepsTheOrderOfEachKey(t *testing.T) {
	for _, keys := range []int{50, 1000} {
		t.Run(fmt.Sprint(keys, " keys"), func(t *testing.T) {
			const values = 100_000
			key := func(n int) int { return n * n % keys }
			emitted, count := make([]int, keys), 0
			err := operators.MapParallelByKey(4, key, visitInOrder(keys, key), operators.Unordered)(stream.Range(0, values)).ForEach(t.Context(), func(n int) {
				count++
				if key := key(n); n < emitted[key] {
					t.Errorf("the result of %d of key %d came after that of %d", n, key, emitted[key])
				} else {
					emitted[key] = n
				}
			})
			if err != nil || count != values {
				t.Errorf("the run emitted %d results and ended with %v, want %d and no error", count, err, values)
			}
		})
	}
}

// visitInOrder returns a function that fails if it is called for two values of a key at once, or
// not in their order.
func visitInOrder(keys int, key func(int) int) func(context.Context, int) (int, error) {
	busy := make([]bool, keys) // each written by one worker at a time, or the race detector says so
	last := make([]int, keys)
	return func(_ context.Context, n int) (int, error) {
		key := key(n)
		if busy[key] {
			return 0, fmt.Errorf("two values of key %d are worked on at once", key)
		}
		busy[key] = true
		defer func() { busy[key] = false }()
		if n < last[key] {
			return 0, fmt.Errorf("value %d of key %d was worked on after %d", n, key, last[key])
		}
		last[key] = n
		return n, nil
	}
}

// A worker with quick tasks sets values aside. If one of them is slow, idle workers take the others.
func TestMapParallelByKeyStealsFromAWorkerThatTakesLong(t *testing.T) {
	const values = 2000
	for slow := 200; slow < 264; slow++ { // each of a worker's values in turn
		synctest.Test(t, func(t *testing.T) {
			begun := 0
			var mu sync.Mutex
			f := func(ctx context.Context, n int) (int, error) {
				mu.Lock()
				begun++
				mu.Unlock()
				if n == slow {
					return n, sleep(ctx, time.Minute)
				}
				return n, nil
			}
			different := func(n int) int { return n }
			time.AfterFunc(time.Second, func() {
				mu.Lock()
				defer mu.Unlock()
				if begun != values {
					t.Errorf("while f was at work with %d, it was called for %d values, want all %d", slow, begun, values)
				}
			})
			if err := operators.MapParallelByKey(2, different, f, operators.Unordered)(stream.Range(0, values)).Run(t.Context()); err != nil {
				t.Errorf("the run ended with %v, want no error", err)
			}
		})
	}
}

// Keys that never come back leave nothing behind.
func TestMapParallelByKeyForgetsKeys(t *testing.T) {
	for name, options := range map[string][]operators.ParallelOption{"ordered": nil, "unordered": {operators.Unordered}} {
		t.Run(name, func(t *testing.T) {
			const values, size, most = 20_000, 1 << 10, 10 << 20 // the source has not ended when a thousand are left
			key := func(n int) string { return strings.Repeat(fmt.Sprintf("%8d", n), size/8) }
			same := func(_ context.Context, n int) (int, error) { return n, nil }
			var held uint64
			err := operators.MapParallelByKey(4, key, same, options...)(stream.Range(0, values)).ForEach(t.Context(), func(n int) {
				if n == values-1000 {
					held = heapAfterCollection()
				}
			})
			if err != nil || held > most {
				t.Errorf("%d keys of %d bytes: the heap held %d bytes near the end, and the run ended with %v, want at most %d and no error", values, size, held, err, most)
			}
		})
	}
}

func heapAfterCollection() uint64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// A slow consumer holds nobody up but what must wait for it.
func TestMapParallelByKeyWorksWhileItsConsumerDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun, seen := 0, 0
		f := func(_ context.Context, n int) (int, error) { begun = n + 1; return n, nil }
		_ = operators.MapParallelByKey(1, mod3, f)(stream.Range(0, 1000))(t.Context(), func(int) bool {
			synctest.Wait()
			seen = begun
			return false
		})
		if want := 1 + 4*stream.DefaultBuffer; seen != want {
			t.Errorf("while yield was at work with the first result, f had been called for %d values, want %d", seen, want)
		}
	})
}

func TestMapParallelByKeySkips(t *testing.T) {
	odds := func(_ context.Context, n int) (int, error) {
		if even(n) {
			return 0, fmt.Errorf("even: %w", stream.ErrSkip)
		}
		return n, nil
	}
	wantRun(t, operators.MapParallelByKey(2, mod3, odds)(stream.Range(0, 6)), nil, 1, 3, 5)
}

func TestMapParallelByKeyOfKeysThatDoNotEqualThemselves(t *testing.T) {
	nan := func(int) float64 { return math.NaN() }
	same := func(_ context.Context, n int) (int, error) { return n, nil }
	wantRun(t, operators.MapParallelByKey(math.MaxInt, nan, same)(stream.Range(0, 5)), nil, 0, 1, 2, 3, 4)
}

func TestMapParallelByKeyHandsPanicsOn(t *testing.T) {
	for name, run := range map[string]func() error{
		"of its function": func() error {
			return operators.MapParallelByKey(2, mod3, func(context.Context, int) (int, error) { panic(errBroken) })(stream.Range(0, 9)).Run(t.Context())
		},
		"of the source, while a worker waits for the end": func() error {
			patient := func(ctx context.Context, n int) (int, error) { <-ctx.Done(); return n, nil }
			return operators.MapParallelByKey(2, mod3, patient)(concat(stream.Just(1), func(context.Context, func(int) bool) error { panic(errBroken) })).Run(t.Context())
		},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if err, ok := recover().(error); !ok || !errors.Is(err, errBroken) {
					t.Errorf("the run panicked with %v, want %v", err, errBroken)
				}
			}()
			_ = run()
		})
	}
}

func TestMapParallelByKeyRefusesNil(t *testing.T) {
	same := func(_ context.Context, n int) (int, error) { return n, nil }
	wantRefused(t, "MapParallelByKey", func() { operators.MapParallelByKey[int, int](1, mod3, nil) })
	wantRefused(t, "MapParallelByKey", func() { operators.MapParallelByKey[int, int, int](1, nil, same) })
	wantRefused(t, "MapParallelByKey", func() { operators.MapParallelByKey(1, mod3, same)(nil) })
}
