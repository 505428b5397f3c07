package stream_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/rxipc/rxipc/stream"
)

// wantDrops compares what a counter says with what was lost.
func wantDrops(t *testing.T, what string, got, want int) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %d values count as dropped, want %d", what, got, want)
	}
}

func TestDropsOfOverflow(t *testing.T) {
	ten := stream.Range(0, 10)
	for name, source := range map[string]func(stream.Overflow) stream.Observable[int]{
		"Buffered": func(o stream.Overflow) stream.Observable[int] { return stream.Buffered(ten, 3, o) },
		"Create": func(o stream.Overflow) stream.Observable[int] {
			return stream.Create(3, o, func(ctx context.Context, e *stream.Emitter[int]) (func(), error) {
				e.Error(ten.ForEach(ctx, func(n int) { e.Next(n) }))
				return nil, nil
			})
		},
		"Subject": func(o stream.Overflow) stream.Observable[int] {
			return func(ctx context.Context, yield func(int) bool) error {
				var s stream.Subject[int]
				go func() {
					synctest.Wait() // until it is observed
					_ = s.Feed(context.Background(), ten)
				}()
				return s.Observe(3, o)(ctx, yield)
			}
		},
	} {
		for _, overflow := range overflows {
			t.Run(fmt.Sprint(name, overflow), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var drops, outer stream.Drops
					got := 0
					err := source(overflow).ForEach(stream.WithDrops(stream.WithDrops(t.Context(), &outer), &drops), func(int) {
						if got++; got == 1 && overflow != stream.Block && name != "Subject" {
							synctest.Wait() // until the source has emitted all
						}
					})
					want := 10 - got
					if overflow == stream.Block || overflow == stream.Fail {
						want = 0
					}
					wantDrops(t, fmt.Sprintf("%d of 10 values came, error %v", got, err), drops.Total(), want)
					wantDrops(t, "the outer counter", outer.Total(), want)
				})
			})
		}
	}
}

// A counter is up to date in the moment in which a value is dropped.
func TestDropsWhileItRuns(t *testing.T) {
	var drops stream.Drops
	u := stream.NewUnicast[int](stream.WithDrops(t.Context(), &drops), 3, stream.DropOldest)
	for n := range 10 {
		u.Next(n)
		wantDrops(t, fmt.Sprintf("%d values given to a buffer of 3", n+1), drops.Total(), max(0, n-2))
		wantDrops(t, fmt.Sprintf("%d values given to a buffer of 3", n+1), u.Dropped(), max(0, n-2))
	}
}

// leave observes a source of 20 values until it has had count, by its own will or because
// its context ends then.
func leave(u *stream.Unicast[int], count int, cancelled bool) (got []int) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_ = u.Observe(ctx, func(n int) bool {
		if got = append(got, n); len(got) < count {
			return true
		}
		if cancelled {
			cancel()
		}
		return cancelled
	})
	return got
}

func TestUnicastCountsWhatItsObserverLeft(t *testing.T) {
	for _, overflow := range overflows {
		for _, count := range []int{1, 2, 5, 16, 17, 20} {
			for _, cancelled := range []bool{false, true} {
				name := fmt.Sprintf("overflow %d, left after %d of 20, cancelled %v", overflow, count, cancelled)
				var drops stream.Drops
				u := stream.NewUnicast[int](stream.WithDrops(t.Context(), &drops), 32, overflow)
				for n := range 20 {
					u.Next(n)
				}
				wantDrops(t, name+", before", u.Dropped(), 0)
				got := leave(u, count, cancelled)
				wantDrops(t, name, u.Dropped(), 20-len(got))
				if !cancelled {
					wantDrops(t, name+", of the context", drops.Total(), 20-len(got))
				}
				u.Complete()
				wantDrops(t, name+", of the context at the end", drops.Total(), 20-len(got))
			}
		}
	}
}

func TestUnicastRest(t *testing.T) {
	for _, overflow := range overflows {
		for _, count := range []int{1, 2, 5, 16, 17, 20} {
			for _, cancelled := range []bool{false, true} {
				var drops stream.Drops
				u := stream.NewUnicast[int](stream.WithDrops(t.Context(), &drops), 32, overflow)
				u.KeepRest()
				for n := range 20 {
					u.Next(n)
				}
				wantValues(t, u.Rest()) // it is observed yet
				got := leave(u, count, cancelled)
				if u.Next(20) {
					t.Errorf("overflow %d: a value was wanted when the observer had left", overflow)
				}
				wantDrops(t, "what may be taken is not dropped yet, so the context", drops.Total(), 0)
				all := append(got, u.Rest()...)
				wantValues(t, all, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19)
				wantValues(t, u.Rest())
				u.Complete()
				wantDrops(t, "what Rest took", u.Dropped()+drops.Total(), 0)
			}
		}
	}
}

// What nobody asks Rest for is dropped at the end, and forgotten without KeepRest.
func TestUnicastRestNobodyTook(t *testing.T) {
	for _, overflow := range overflows {
		var drops stream.Drops
		u := stream.NewUnicast[int](stream.WithDrops(t.Context(), &drops), 32, overflow)
		u.KeepRest()
		for n := range 20 {
			u.Next(n)
		}
		leave(u, 5, false)
		u.Complete()
		wantDrops(t, "what Rest did not take, at the end", drops.Total(), 15)

		forgets := stream.NewUnicast[int](t.Context(), 32, overflow)
		forgets.Next(1)
		forgets.Abandon()
		wantValues(t, forgets.Rest())
		wantDrops(t, "what was abandoned", forgets.Dropped(), 1)
	}
}

// watcher takes note of who waits.
type watcher struct{ producer, consumer int }

func (w *watcher) ProducerWaits(waits bool) {
	if waits {
		w.producer++
	}
}

func (w *watcher) ConsumerWaits(context.Context) { w.consumer++ }

func TestUnicastWatch(t *testing.T) {
	for _, overflow := range overflows {
		synctest.Test(t, func(t *testing.T) {
			var w watcher
			u := stream.NewUnicast[int](t.Context(), 2, overflow)
			u.Watch(&w)
			if u.Idle() {
				t.Errorf("overflow %d: a source without an observer is idle", overflow)
			}
			run := stream.Observable[int](u.Observe).Subscribe(t.Context(), stream.Observer[int]{})
			for times := 1; times <= 3; times++ {
				synctest.Wait()
				if w.consumer != times || !u.Idle() {
					t.Errorf("overflow %d: the reader told %d times that it waits, want %d; idle %v", overflow, w.consumer, times, u.Idle())
				}
				u.Nudge()
			}
			synctest.Wait()
			u.Next(1)
			synctest.Wait()
			u.Complete()
			wantError(t, run.Wait(), nil)
			if w.producer != 0 || u.Idle() {
				t.Errorf("overflow %d: the producer waited %d times, want none; idle at the end: %v", overflow, w.producer, u.Idle())
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		var w watcher
		u := stream.NewUnicast[int](t.Context(), 2, stream.Block)
		u.Watch(&w)
		go func() {
			for n := range 3 {
				u.Next(n)
			}
			u.Complete()
		}()
		synctest.Wait()
		got, err := stream.Observable[int](u.Observe).Collect(t.Context())
		wantValues(t, got, 0, 1, 2)
		wantError(t, err, nil)
		if w.producer != 1 {
			t.Errorf("three values into a buffer of two: the watcher heard %d times that the producer waits, want once", w.producer)
		}
	})
}
