package stream_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// gather runs the producers at the same time.
func gather[T any](capacity int, producers ...stream.Observable[T]) stream.Observable[T] {
	return stream.Gather(capacity, func(g *stream.Group[T]) {
		for _, p := range producers {
			g.Go(p)
		}
	})
}

func TestGatherKeepsTheOrderOfEachProducer(t *testing.T) {
	for _, capacity := range []int{0, 1, 2, 3, 5, 64, 65, 1000} {
		t.Run(fmt.Sprint(capacity), func(t *testing.T) {
			const count = 1000
			next := []int{0, count, 2 * count}
			err := gather(capacity, stream.Range(next[0], count), stream.Range(next[1], count), stream.Range(next[2], count)).
				ForEach(t.Context(), func(v int) {
					if next[v/count] != v {
						t.Fatalf("got %d, want %d", v, next[v/count])
					}
					if next[v/count]++; v%count == count-1 {
						next[v/count] = 0
					}
				})
			wantError(t, err, nil)
			wantValues(t, next, 0, 0, 0)
		})
	}
}

func TestGatherHoldsNoMoreThanItsCapacity(t *testing.T) {
	for _, capacity := range []int{-1, 0, 1, 2, 3, 4, 5, 63, 64, 65, 200} {
		t.Run(fmt.Sprint(capacity), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pushed := make([]int, 2)
				counting := func(i int) stream.Observable[int] {
					return func(ctx context.Context, yield func(int) bool) error {
						for ; yield(i); pushed[i]++ {
						}
						return context.Cause(ctx)
					}
				}
				var yielded [2]int
				n := 0
				err := gather(capacity, counting(0), counting(1))(t.Context(), func(i int) bool {
					yielded[i]++
					n++
					synctest.Wait() // the producers are stuck
					for i := range pushed {
						// What yield has been given does not wait; the next is already
						// with the consumer up to a batch.
						if waiting := pushed[i] - yielded[i]; waiting > max(1, capacity) {
							t.Errorf("%d values wait", waiting)
						}
					}
					return n < 500
				})
				wantError(t, err, nil)
			})
		})
	}
}

func TestGatherTakesTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const capacity = 8
		endless := func(i int) stream.Observable[int] {
			return func(_ context.Context, yield func(int) bool) error {
				for yield(i) {
				}
				return nil
			}
		}
		last := make([]int, 3) // when each was served
		n := 0
		err := gather(capacity, endless(0), endless(1), endless(2))(t.Context(), func(i int) bool {
			synctest.Wait() // all have something
			n++
			last[i] = n
			for j, at := range last {
				if n-at > 3*2*capacity {
					t.Errorf("producer %d waits since %d values", j, n-at)
				}
			}
			return n < 1000
		})
		wantError(t, err, nil)
	})
}

func TestGatherFailsAfterWhatWasHandedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var cause error
		forever := func(ctx context.Context, yield func(int) bool) error {
			_ = yield(100) && yield(101)
			<-ctx.Done()
			cause = context.Cause(ctx)
			return cause
		}
		later := func(ctx context.Context, yield func(int) bool) error {
			time.Sleep(time.Second)
			return broken(1, 2, 3)(ctx, yield)
		}
		sum := 0
		err := gather(8, forever, later).ForEach(t.Context(), func(v int) {
			sum += v
			time.Sleep(time.Second) // the failure comes while values wait
		})
		wantError(t, err, errBroken)
		wantError(t, cause, context.Canceled)
		if sum != 207 {
			t.Errorf("got a sum of %d", sum)
		}
	})
}

func TestGatherFailureCancelsTheOthersWhileYieldIsAtWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var cancelled time.Duration
		waiting := func(ctx context.Context, yield func(int) bool) error {
			yield(1)
			<-ctx.Done()
			cancelled = time.Since(start)
			return context.Cause(ctx)
		}
		failing := func(context.Context, func(int) bool) error {
			time.Sleep(time.Second)
			return errBroken
		}
		err := gather(1, waiting, failing).ForEach(t.Context(), func(int) { time.Sleep(time.Minute) })
		wantError(t, err, errBroken)
		if cancelled != time.Second {
			t.Errorf("cancelled after %v", cancelled)
		}
	})
}

func TestGatherReportsTheFirstFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		after := func(d time.Duration, err error) stream.Observable[int] {
			return func(context.Context, func(int) bool) error {
				time.Sleep(d)
				return err
			}
		}
		err := gather(1, after(2, errors.New("second")), after(1, errBroken)).Run(t.Context())
		wantError(t, err, errBroken)
	})
}

func TestGatherTellsTheFailureBeforeItsContextEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		failing := func(_ context.Context, yield func(int) bool) error {
			yield(1)
			return errBroken
		}
		err := gather(1, failing)(ctx, func(int) bool {
			synctest.Wait() // it fails
			cancel(errCut)
			return true
		})
		wantError(t, err, errBroken)
	})
}

func TestGatherHandsPanicsOn(t *testing.T) {
	explode := func(context.Context, func(int) bool) error { panic(errBroken) }
	synctest.Test(t, func(t *testing.T) {
		caught := func(source stream.Observable[int]) (p *stream.PanicError) {
			defer func() { p, _ = recover().(*stream.PanicError) }()
			_ = source.Run(t.Context())
			return nil
		}
		one := gather(1, explode, stream.Never[int]())
		p := caught(one)
		if p == nil || p.Value != any(errBroken) || !strings.Contains(string(p.Stack), "TestGatherHandsPanicsOn") {
			t.Fatalf("gather from a producer that panics: got %v, want a PanicError with its value and stack", p)
		}
		wantError(t, p, errBroken)

		p = caught(gather(1, one, stream.Never[int]()))
		if p == nil || p.Value != any(errBroken) {
			t.Errorf("a panic that was handed on twice is %v", p)
		}
	})
}

func TestGatherEndsWithItsStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := false
		defer func() {
			if recover() != any(errBroken) || !ended {
				t.Error("the panic of start did not end the producers")
			}
		}()
		_ = stream.Gather(1, func(g *stream.Group[int]) {
			g.Go(func(ctx context.Context, _ func(int) bool) error {
				<-ctx.Done()
				ended = true
				return nil
			})
			panic(errBroken)
		}).Run(t.Context())
	})
}

func TestGatherHandsGoexitOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		returned := false
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = gather(1, stream.Never[int](), func(context.Context, func(int) bool) error {
				runtime.Goexit()
				return nil
			}).Run(t.Context())
			returned = true
		}()
		<-ended
		if returned {
			t.Error("the run returned")
		}
	})
}

func TestGatherIsCancelled(t *testing.T) {
	push := func(_ context.Context, yield func(int) bool) error {
		for i := 0; yield(i); i++ {
		}
		return nil
	}
	for name, c := range map[string]struct {
		producer stream.Observable[int]
		work     time.Duration // of yield
	}{
		"idle":            {stream.Never[int](), 0},
		"full":            {push, time.Minute},
		"slow and idle":   {stream.Just(1), time.Minute},
		"with a sleeper":  {stream.Interval(7 * time.Second), 0},
		"with one of own": {gather(1, push), time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(30*time.Second, func() { cancel(errBroken) })
				start := time.Now()
				err := gather(4, c.producer, stream.Never[int]()).ForEach(ctx, func(int) { time.Sleep(c.work) })
				wantError(t, err, errBroken)
				if took, want := time.Since(start), max(30*time.Second, c.work); took != want {
					t.Errorf("the run took %v, want %v", took, want)
				}
			})
		})
	}
}

// A producer whose value is turned away returns nil, and the run has not
// completed for that.
func TestGatherCancelledIsNoCompletion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		turnedAway := func(ctx context.Context, yield func(int) bool) error {
			yield(1)
			<-ctx.Done()
			return nil
		}
		got := 0
		err := gather(1, turnedAway)(ctx, func(n int) bool {
			got += n
			cancel(errBroken)
			synctest.Wait() // it returns
			return true
		})
		wantError(t, err, errBroken)
		if got != 1 {
			t.Errorf("got a sum of %d", got)
		}
	})
}

func TestGatherOfManyGenerations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const depth = 6
		source := stream.Gather(1, func(g *stream.Group[int]) {
			var node func(level int) stream.Observable[int]
			node = func(level int) stream.Observable[int] {
				return func(_ context.Context, yield func(int) bool) error {
					if level < depth {
						g.Go(node(level + 1))
						g.Go(node(level + 1))
					}
					yield(1)
					return nil
				}
			}
			g.Go(node(1))
		})
		got, err := source.Collect(t.Context())
		wantError(t, err, nil)
		if len(got) != 1<<depth-1 {
			t.Errorf("got %d values", len(got))
		}
	})
}

func TestGroupTellsWhenAProducerIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		note := func(s string) func() { return func() { got = append(got, s) } } // on yield's goroutine
		source := stream.Gather(8, func(g *stream.Group[int]) {
			g.GoThen(stream.Just(1, 2), note("two values"))
			g.GoThen(func(_ context.Context, yield func(int) bool) error {
				time.Sleep(time.Second)
				return nil
			}, note("no value"))
			g.GoThen(func(_ context.Context, yield func(int) bool) error {
				time.Sleep(2 * time.Second)
				yield(3)
				time.Sleep(time.Second)
				return nil
			}, note("a value before its end"))
			g.GoThen(func(context.Context, func(int) bool) error {
				time.Sleep(4 * time.Second)
				return errBroken
			}, note("a failure"))
		})
		err := source.ForEach(t.Context(), func(n int) { got = append(got, fmt.Sprint(n)) })
		wantError(t, err, errBroken)
		wantValues(t, got, "1", "2", "two values", "no value", "3", "a value before its end")
	})
}

// TestGatherThenIsNeverLost chases the moment in which a producer ends while the
// consumer finds its queue empty: a place that is not given back stops the source.
func TestGatherThenIsNeverLost(t *testing.T) {
	const rounds = 20_000
	places := make(chan struct{}, 1)
	err := stream.Gather(4, func(g *stream.Group[int]) {
		g.Go(func(ctx context.Context, _ func(int) bool) error {
			for n := range rounds {
				select {
				case places <- struct{}{}:
				case <-ctx.Done():
					return context.Cause(ctx)
				}
				g.GoThen(func(_ context.Context, yield func(int) bool) error {
					yield(n)
					for range n % 64 {
						spin.Add(1)
					}
					return nil
				}, func() { <-places })
			}
			return nil
		})
	}).Run(t.Context())
	wantError(t, err, nil)
	if len(places) != 0 {
		t.Error("a place is kept")
	}
}

var spin atomic.Int64

// TestGatherProducersMayBeStartedWhileOneLives has a timer start them while a producer that
// has no values waits.
func TestGatherProducersMayBeStartedWhileOneLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []int
		err := stream.Gather(1, func(g *stream.Group[int]) {
			started := make(chan struct{})
			g.Go(func(context.Context, func(int) bool) error {
				<-started
				return nil
			})
			time.AfterFunc(time.Second, func() {
				g.Go(stream.Just(1, 2))
				close(started)
			})
		}).ForEach(t.Context(), func(v int) { got = append(got, v) })
		wantError(t, err, nil)
		wantValues(t, got, 1, 2)
	})
}
