package operators_test

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
)

func publish() *stream.Subject[int] { return new(stream.Subject[int]) }

// onItsOwn gives each run a sharing of its own: shared runs are not independent.
func onItsOwn(op stream.Operator[int, int]) stream.Operator[int, int] {
	return func(s stream.Observable[int]) stream.Observable[int] {
		return stream.Defer(func() stream.Observable[int] { return op(s) })
	}
}

func init() {
	check := func(op stream.Operator[int, int]) func(*testing.T) {
		return func(t *testing.T) {
			streamtest.CheckOperator(t, onItsOwn(op), []int{1, 2, 3}, []int{1, 2, 3}, streamtest.ReadAhead(stream.DefaultBuffer+1))
		}
	}
	maps.Copy(contracts, map[string]func(*testing.T){
		"Share":       check(operators.Share[int]()),
		"ShareReplay": check(operators.ShareReplay[int](2, 0)),
		"Connectable": func(t *testing.T) {
			t.Run("RefCount", check(func(s stream.Observable[int]) stream.Observable[int] {
				return operators.Multicast(s, publish).RefCount(0, stream.DefaultBuffer, stream.Block)
			}))
			t.Run("two of a quorum", func(t *testing.T) {
				both := func(s stream.Observable[int]) stream.Observable[int] {
					shared := operators.Multicast(s, publish).RefCount(2, 8, stream.Block)
					return operators.Distinct[int](100)(operators.Merge(shared, shared))
				}
				streamtest.CheckOperator(t, onItsOwn(both), []int{1, 2, 3}, []int{1, 2, 3}, streamtest.ReadAhead(-1))
			})
			t.Run("Connect", check(func(s stream.Observable[int]) stream.Observable[int] {
				c := operators.Multicast(s, publish)
				return stream.Gather(1, func(g *stream.Group[int]) {
					g.Go(c.Observe(8, stream.Block))
					g.Go(func(ctx context.Context, _ func(int) bool) error {
						_ = c.Audience()(ctx, func(n int) bool { return n == 0 })
						_ = c.Connect(ctx) // the observer tells how it ended
						return nil
					})
				})
			}))
			t.Run("kept", func(t *testing.T) {
				kept := operators.ShareReplay[int](5, 0)(stream.Just(1, 2, 3))
				streamtest.Check(t, stream.Defer(func() stream.Observable[int] {
					return operators.ShareReplay[int](5, 0)(stream.Just(1, 2, 3))
				}), []int{1, 2, 3})
				wantRun(t, kept, nil, 1, 2, 3)
				streamtest.Check(t, kept, []int{1, 2, 3})
			})
		},
	})
}

// source counts the runs of a source and those that have not ended.
type source struct {
	runs, running atomic.Int32
}

// of is that source: what s does, and a second to end.
func (c *source) of(t *testing.T, s stream.Observable[int]) stream.Observable[int] {
	return func(ctx context.Context, yield func(int) bool) error {
		c.runs.Add(1)
		if c.running.Add(1) > 1 {
			t.Error("two runs of the source overlap")
		}
		defer c.running.Add(-1)
		defer time.Sleep(time.Second)
		return s(ctx, yield)
	}
}

// ended checks how often the source was run, and that it is not being run.
func (c *source) ended(t *testing.T, runs int32) {
	t.Helper()
	if c.runs.Load() != runs || c.running.Load() != 0 {
		t.Errorf("%d runs, %d running, want %d and none", c.runs.Load(), c.running.Load(), runs)
	}
}

func ticks(n int) stream.Observable[int] {
	return operators.Take[int](n)(stream.Interval(time.Minute))
}

func TestShareRunsTheSourceOnceForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c source
		shared := operators.Share[int]()(c.of(t, ticks(5)))
		var all sync.WaitGroup
		for late := range 4 {
			all.Go(func() {
				time.Sleep(time.Duration(late) * 61 * time.Second)
				wantRun(t, shared, nil, []int{0, 1, 2, 3, 4}[late:]...)
			})
		}
		all.Wait()
		c.ended(t, 1)
		wantRun(t, shared, nil, 0, 1, 2, 3, 4) // anew
		c.ended(t, 2)
	})
}

func TestShareLastOneToLeaveAwaitsTheEndOfTheSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, op := range map[string]stream.Operator[int, int]{
			"Share": operators.Share[int](), "ShareReplay": operators.ShareReplay[int](9, 0),
		} {
			var c source
			shared := op(c.of(t, ticks(1000)))
			var all sync.WaitGroup
			all.Go(func() { wantRun(t, operators.Take[int](3)(shared), nil, 0, 1, 2) })
			all.Go(func() {
				ctx, leave := context.WithTimeoutCause(t.Context(), 90*time.Second, errBroken)
				defer leave()
				if got, err := shared.Collect(ctx); err != errBroken || len(got) != 1 {
					t.Errorf("%s: got %v and the error %v, want one value and errBroken", name, got, err)
				}
				if c.running.Load() != 1 {
					t.Errorf("%s: the source has ended with one of two", name)
				}
			})
			all.Wait()
			c.ended(t, 1)
			wantRun(t, operators.Take[int](2)(shared), nil, 0, 1) // nothing is left of before
			c.ended(t, 2)
		}
	})
}

// Who comes while the source is being cut waits for its end, and for a new run.
func TestShareRunWaitsForTheOneBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c source
		shared := operators.Share[int]()(c.of(t, stream.Just(7)))
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() { wantRun(t, operators.Take[int](1)(shared), nil, 7) })
			time.Sleep(time.Millisecond)
		}
		all.Wait()
		c.ended(t, 2) // the last two shared one
	})
}

func TestShareReplay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c source
		shared := operators.ShareReplay[int](2, time.Hour)(c.of(t, ticks(4)))
		var all sync.WaitGroup
		for _, late := range []time.Duration{1, 210, 250} {
			all.Go(func() {
				time.Sleep(late * time.Second)
				want := []int{0, 1, 2, 3}
				if late > 200 {
					want = want[int(late/60)-2:]
				}
				wantRun(t, shared, nil, want...)
			})
		}
		all.Wait()
		c.ended(t, 1)
		time.Sleep(time.Hour - 61*time.Second)
		wantRun(t, shared, nil, 3)
		c.ended(t, 1)
		time.Sleep(time.Hour)
		wantRun(t, shared, nil, 0, 1, 2, 3) // nothing was left of it
		c.ended(t, 2)
	})
}

func TestShareFailureReachesAllAndIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, op := range []stream.Operator[int, int]{operators.Share[int](), operators.ShareReplay[int](9, 0)} {
			var c source
			shared := op(c.of(t, concat(ticks(2), stream.Throw[int](errBroken))))
			var all sync.WaitGroup
			for range 3 {
				all.Go(func() { wantRun(t, shared, errBroken, 0, 1) })
			}
			all.Wait()
			c.ended(t, 1)
			wantRun(t, operators.Retry[int](operators.RetryPolicy{Times: 2, Delay: -1})(shared), errBroken, 0, 1, 0, 1, 0, 1)
			c.ended(t, 4)
		}
	})
}

// outcome is how a run ended: its error, its panic, or "exited".
func outcome(run func() error) (how any) {
	ended := make(chan struct{})
	how = "exited"
	go func() {
		defer close(ended)
		defer func() {
			if p := recover(); p != nil {
				how = p
			}
		}()
		how = run()
	}()
	<-ended
	return how
}

func TestSharePanicOfTheSourceReachesAll(t *testing.T) {
	for name, crash := range map[string]func(){"panic": func() { panic(errBroken) }, "Goexit": runtime.Goexit} {
		wanted := func(t *testing.T, how any) {
			t.Helper()
			p, panicked := how.(*stream.PanicError)
			if name == "panic" && (!panicked || !errors.Is(p, errBroken)) || name == "Goexit" && how != "exited" {
				t.Errorf("a subscriber of a source that ends by %s ended with %v, want the same", name, how)
			}
		}
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				crashing := operators.Tap(func(n int) {
					if n == 2 {
						crash()
					}
				})(ticks(9))
				shared := operators.ShareReplay[int](9, 0)(crashing)
				c := operators.Multicast(crashing, publish)
				var all sync.WaitGroup
				for _, run := range []func(context.Context) error{shared.Run, shared.Run, c.Connect, c.Connect, c.Observe(1, 0).Run} {
					all.Go(func() { wanted(t, outcome(func() error { return run(t.Context()) })) })
				}
				all.Wait()
			})
		})
		t.Run(name+" while it is cut", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shared := operators.Share[int]()(operators.Finally[int](func(operators.Ending, error) { crash() })(ticks(9)))
				wanted(t, outcome(func() error { return shared.First(t.Context()).Err() }))
			})
		})
	}
}

func TestShareSubscriberThatPanicsConcernsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c source
		shared := operators.Share[int]()(c.of(t, ticks(4)))
		var all sync.WaitGroup
		all.Go(func() { wantRun(t, shared, nil, 0, 1, 2, 3) })
		all.Go(func() {
			if how := outcome(func() error { return shared.ForEach(t.Context(), func(int) { panic(errBroken) }) }); how != errBroken {
				t.Errorf("a subscriber that panics ended with %v, want its panic", how)
			}
		})
		all.Wait()
		c.ended(t, 1)
		outcome(func() error { return shared.ForEach(t.Context(), func(int) { panic(errBroken) }) })
		c.ended(t, 2)
	})
}

func TestShareSourceHasTheValuesOfTheFirstContextAndNotItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		shared := operators.Share[int]()(func(ctx context.Context, yield func(int) bool) error {
			if ctx.Value(key{}) != "first" {
				t.Errorf("the source sees the value %v of the context, want that of the first subscriber", ctx.Value(key{}))
			}
			return ticks(3)(ctx, yield)
		})
		var all sync.WaitGroup
		all.Go(func() {
			ctx, leave := context.WithTimeout(context.WithValue(t.Context(), key{}, "first"), 90*time.Second)
			defer leave()
			_ = shared.Run(ctx)
		})
		time.Sleep(time.Second)
		wantRun(t, shared, nil, 0, 1, 2)
		all.Wait()
	})
}

func TestConnectAndRefCountKeepTheSameConnectionUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c source
		m := operators.Multicast(c.of(t, ticks(1000)), publish)
		ctx, disconnect := context.WithTimeoutCause(t.Context(), 150*time.Second, errBroken)
		defer disconnect()
		var all sync.WaitGroup
		all.Go(func() { wantRun(t, operators.Take[int](6)(m.RefCount(9, 1, stream.Block)), nil, 0, 1, 2, 3, 4, 5) })
		time.Sleep(time.Second)
		c.ended(t, 0) // one of nine
		all.Go(func() {
			if err := m.Connect(ctx); err != errBroken { // begins at once
				t.Errorf("Connect of a source that fails: got %v, want %v", err, errBroken)
			}
			if c.running.Load() != 1 {
				t.Error("the source has ended, but has another observer")
			}
		})
		synctest.Wait()
		all.Go(func() { wantRun(t, operators.Take[int](4)(m.RefCount(1, 1, stream.Block)), nil, 0, 1, 2, 3) })
		all.Go(func() { wantRun(t, m.Observe(1, stream.Block), context.Canceled, 0, 1, 2, 3, 4, 5) })
		time.Sleep(time.Hour)
		all.Wait()
		c.ended(t, 1)
	})
}

// TestShareUnderLoad has many come, take a few values in order, and go.
func TestShareUnderLoad(t *testing.T) {
	for name, op := range map[string]stream.Operator[int, int]{
		"Share": operators.Share[int](), "ShareReplay": operators.ShareReplay[int](3, 0),
	} {
		t.Run(name, func(t *testing.T) {
			var running atomic.Int32
			shared := op(func(ctx context.Context, yield func(int) bool) error {
				if running.Add(1) > 1 {
					t.Error("two runs of the source overlap")
				}
				defer running.Add(-1)
				return stream.Range(0, 3000)(ctx, yield)
			})
			var all sync.WaitGroup
			for i := range 16 {
				all.Go(func() {
					random := rand.New(rand.NewPCG(uint64(i), 1))
					for range 40 {
						got, err := operators.Take[int](1 + random.IntN(300))(shared).Collect(t.Context())
						if err != nil || !slices.IsSortedFunc(got, func(a, b int) int {
							if b == a+1 {
								return -1
							}
							return 1
						}) {
							t.Errorf("an observer of a shared run: got %v, %v, want consecutive numbers and no error", got, err)
						}
					}
				})
			}
			all.Wait()
			if running.Load() != 0 {
				t.Error("the source is still being run")
			}
		})
	}
}
