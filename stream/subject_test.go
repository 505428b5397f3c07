package stream_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// watched is an observer that runs in the background and notes what it gets.
type watched struct {
	values []int
	*stream.Subscription
}

// watch observes the subject, taking the time for each value, and returns once it
// does.
func watch(ctx context.Context, s *stream.Subject[int], capacity int, overflow stream.Overflow, work time.Duration) *watched {
	w := new(watched)
	w.Subscription = s.Observe(capacity, overflow).Subscribe(ctx, stream.Observer[int]{Next: func(n int) {
		w.values = append(w.values, n)
		time.Sleep(work)
	}})
	synctest.Wait()
	return w
}

func TestSubjectReachesAllWhoObserveIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s stream.Subject[int]
		s.Next(0) // nobody is there
		first := watch(t.Context(), &s, 8, stream.Block, 0)
		s.Next(1)
		second := watch(t.Context(), &s, 8, stream.Block, 0)
		if s.Observers() != 2 {
			t.Errorf("%d observe", s.Observers())
		}
		s.Next(2)
		s.Complete()
		s.Next(3)
		s.Error(errBroken)
		wantError(t, first.Wait(), nil)
		wantError(t, second.Wait(), nil)
		wantValues(t, first.values, 1, 2)
		wantValues(t, second.values, 2)
		if s.Observers() != 0 {
			t.Errorf("%d observe the end", s.Observers())
		}
		got, err := s.Observe(1, stream.Block).Collect(t.Context())
		wantError(t, err, nil)
		wantValues(t, got)
	})
}

func TestSubjectFailsAfterWhatItHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s stream.Subject[int]
		w := watch(t.Context(), &s, 8, stream.Block, time.Second)
		for n := range 4 {
			s.Next(n)
		}
		s.Error(errBroken)
		wantError(t, w.Wait(), errBroken)
		wantValues(t, w.values, 0, 1, 2, 3)
		wantError(t, s.Observe(1, stream.Block).Run(t.Context()), errBroken)
	})
}

// overflowing gives nine values at once to an observer of capacity four that is
// at work on the first.
func overflowing(t *testing.T, overflow stream.Overflow) (got []int, blocked time.Duration, err error) {
	var s stream.Subject[int]
	w := watch(t.Context(), &s, 4, overflow, time.Second)
	s.Next(0)
	synctest.Wait()
	start := time.Now()
	for n := 1; n < 9; n++ {
		s.Next(n)
	}
	blocked = time.Since(start)
	s.Complete()
	err = w.Wait()
	return w.values, blocked, err
}

func TestSubjectOverflow(t *testing.T) {
	t.Run("block", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			got, blocked, err := overflowing(t, stream.Block)
			wantError(t, err, nil)
			wantValues(t, got, 0, 1, 2, 3, 4, 5, 6, 7, 8)
			if blocked == 0 {
				t.Error("overflow Block: Next did not wait for room")
			}
		})
	})
	for name, c := range map[string]struct {
		overflow stream.Overflow
		want     []int
		err      error
	}{
		"drop oldest": {stream.DropOldest, []int{0, 5, 6, 7, 8}, nil},
		"drop newest": {stream.DropNewest, []int{0, 1, 2, 3, 4}, nil},
		"fail":        {stream.Fail, []int{0, 1, 2, 3, 4}, stream.ErrOverflow},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got, blocked, err := overflowing(t, c.overflow)
				wantError(t, err, c.err)
				wantValues(t, got, c.want...)
				wantValues(t, []time.Duration{blocked}, 0)
			})
		})
	}
}

func TestSubjectHoldsNoMoreThanItsCapacity(t *testing.T) {
	for capacity := range 9 {
		t.Run(fmt.Sprint(capacity), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				var s stream.Subject[int]
				given, taken := 0, 0
				go func() {
					time.Sleep(time.Nanosecond) // until it is observed
					for ctx.Err() == nil {
						s.Next(given)
						given++
					}
				}()
				_ = s.Observe(capacity, stream.Block).ForEach(ctx, func(int) {
					taken++
					synctest.Wait()
					if waiting := given - taken; waiting > max(1, capacity) {
						t.Errorf("%d values wait", waiting)
					}
					if taken == 100 {
						cancel()
					}
				})
			})
		})
	}
}

func TestSubjectObserverThatLeavesFreesWhoWaitsForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s stream.Subject[int]
		ctx, leave := context.WithCancelCause(t.Context())
		stuck := make(chan struct{})
		gone := make(chan error)
		go func() { gone <- s.Observe(1, stream.Block).ForEach(ctx, func(int) { <-stuck }) }()
		other := watch(t.Context(), &s, 8, stream.Block, 0)
		time.AfterFunc(time.Minute, func() { leave(errBroken); close(stuck) })
		start := time.Now()
		for n := range 5 {
			s.Next(n)
		}
		if waited := time.Since(start); waited != time.Minute {
			t.Errorf("the subject waited %v for an observer that left after a minute", waited)
		}
		wantError(t, <-gone, errBroken)
		s.Complete()
		wantError(t, other.Wait(), nil)
		wantValues(t, other.values, 0, 1, 2, 3, 4)
	})
}

func TestSubjectEndFreesWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s stream.Subject[int]
		w := watch(t.Context(), &s, 1, stream.Block, time.Hour)
		start := time.Now()
		time.AfterFunc(time.Minute, s.Complete)
		for n := range 5 {
			s.Next(n)
		}
		if waited := time.Since(start); waited != time.Minute {
			t.Errorf("the subject waited %v, and ended after a minute", waited)
		}
		wantError(t, w.Wait(), nil)
	})
}

func TestSubjectIsReentrant(t *testing.T) {
	for _, overflow := range []stream.Overflow{stream.DropOldest, stream.DropNewest, stream.Fail} {
		t.Run(fmt.Sprint(overflow), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var s stream.Subject[int]
				var got, inner []int
				var late sync.WaitGroup
				w := s.Observe(4, overflow).Subscribe(t.Context(), stream.Observer[int]{Next: func(n int) {
					got = append(got, n)
					switch {
					case n == 0:
						late.Go(func() {
							inner, _ = s.Observe(8, stream.Block).Collect(t.Context())
						})
						for s.Observers() < 2 {
							time.Sleep(time.Nanosecond)
						}
						s.Next(1)
					case n < 3:
						s.Next(n + 1)
					default:
						s.Complete()
						s.Next(9)
					}
				}})
				synctest.Wait()
				s.Next(0)
				wantError(t, w.Wait(), nil)
				late.Wait()
				wantValues(t, got, 0, 1, 2, 3)
				wantValues(t, inner, 1, 2, 3)
			})
		})
	}
}

func TestSubjectObserveFromInsideAnObserver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s stream.Subject[int]
		var inner []int
		var err error
		time.AfterFunc(time.Second, func() { s.Next(1) })
		time.AfterFunc(2*time.Second, func() { s.Next(2) })
		time.AfterFunc(3*time.Second, s.Complete)
		outer := 0
		_ = s.Observe(8, stream.Block).ForEach(t.Context(), func(int) {
			if outer++; outer == 1 {
				inner, err = s.Observe(8, stream.Block).Collect(t.Context())
			}
		})
		wantError(t, err, nil)
		wantValues(t, inner, 2)
		if outer != 2 {
			t.Errorf("the outer observer got %d values", outer)
		}
	})
}

func TestSubjectFromManyGoroutines(t *testing.T) {
	var s stream.Subject[int]
	const producers, each = 4, 500
	got := make([]map[int]int, 3)
	var observers, all sync.WaitGroup
	for i := range got {
		got[i] = make(map[int]int)
		observers.Go(func() {
			_ = s.Observe(7, stream.Block).ForEach(t.Context(), func(n int) { got[i][n]++ })
		})
	}
	for s.Observers() < len(got) {
		runtime.Gosched()
	}
	for range producers {
		all.Go(func() {
			for n := range each {
				s.Next(n)
			}
		})
	}
	all.Wait()
	s.Complete()
	observers.Wait()
	for _, counts := range got {
		for n := range each {
			if counts[n] != producers {
				t.Fatalf("value %d came %d times", n, counts[n])
			}
		}
	}
}
