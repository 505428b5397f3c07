package stream_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/rxipc/rxipc/stream"
)

// observing is how a new observer's run goes, in its first minute.
func observing(t *testing.T, s *stream.Subject[int]) ([]int, error) {
	ctx, leave := context.WithTimeoutCause(t.Context(), time.Minute, errBroken)
	defer leave()
	return s.Observe(1, stream.Block).Collect(ctx)
}

var errCut = errors.New("cut")

func TestSubjectsNewcomerGets(t *testing.T) {
	kinds := map[string]struct {
		make                               func() *stream.Subject[int]
		atFirst, later, completed, failed  []int
		value, valueCompleted, valueFailed string
	}{
		"publish": {make: func() *stream.Subject[int] { return new(stream.Subject[int]) },
			value: "Nothing", valueCompleted: "Nothing", valueFailed: "Nothing"},
		"behavior": {make: func() *stream.Subject[int] { return stream.NewBehaviorSubject(0) },
			atFirst: []int{0}, later: []int{3},
			value: "Just(3)", valueCompleted: "Nothing", valueFailed: "Nothing"},
		"replay": {make: func() *stream.Subject[int] { return stream.NewReplaySubject[int](2, 0) },
			later: []int{2, 3}, completed: []int{2, 3}, failed: []int{2, 3},
			value: "Just(3)", valueCompleted: "Just(3)", valueFailed: "Just(3)"},
		"replay of none": {make: func() *stream.Subject[int] { return stream.NewReplaySubject[int](0, -1) },
			later: []int{3}, completed: []int{3}, failed: []int{3},
			value: "Just(3)", valueCompleted: "Just(3)", valueFailed: "Just(3)"},
		"async": {make: func() *stream.Subject[int] { return stream.NewAsyncSubject[int]() },
			completed: []int{3},
			value:     "Just(3)", valueCompleted: "Just(3)", valueFailed: "Nothing"},
	}
	for name, k := range kinds {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				check := func(s *stream.Subject[int], end error, want ...int) {
					t.Helper()
					got, err := observing(t, s)
					wantError(t, err, end)
					wantValues(t, got, want...)
				}
				for end, want := range map[error][]int{nil: k.completed, errCut: k.failed} {
					s := k.make()
					check(s, errBroken, k.atFirst...)
					for n := range 4 {
						s.Next(n)
					}
					check(s, errBroken, k.later...)
					wantValues(t, []string{s.Value().String()}, k.value)
					s.Error(end)
					s.Next(9)
					s.Complete()
					check(s, end, want...)
					value := k.valueCompleted
					if end != nil {
						value = k.valueFailed
					}
					wantValues(t, []string{s.Value().String()}, value)
				}
			})
		})
	}
}

func TestValueIsTheLastHoweverManyAreKept(t *testing.T) {
	for kept := range 10 {
		s := stream.NewReplaySubject[int](kept, 0)
		for n := range 30 {
			s.Next(n)
			wantValues(t, []string{s.Value().String()}, fmt.Sprintf("Just(%d)", n))
		}
	}
}

func TestAsyncSubjectTellsItsObserversAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stream.NewAsyncSubject[int]()
		w := watch(t.Context(), s, 1, stream.Block, 0)
		for n := range 9 {
			s.Next(n) // waits for nobody
		}
		synctest.Wait()
		wantValues(t, w.values)
		s.Complete()
		wantError(t, w.Wait(), nil)
		wantValues(t, w.values, 8)

		s = stream.NewAsyncSubject[int]()
		w = watch(t.Context(), s, 1, stream.Block, 0)
		s.Next(1)
		s.Error(errBroken)
		wantError(t, w.Wait(), errBroken)
		wantValues(t, w.values)
	})
}

// What a new observer gets first does not count against its capacity, and what is given
// meanwhile comes after it.
func TestAsyncSubjectTellsNoValueOfAFeedThatPanicked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, got := stream.NewAsyncSubject[int](), 0
		panicked := make(chan any)
		go func() {
			defer func() { panicked <- recover() }()
			_ = s.Observe(1, stream.Block).ForEach(t.Context(), func(int) { got++ })
		}()
		synctest.Wait()
		func() {
			defer func() { _ = recover() }()
			_ = s.Feed(t.Context(), func(_ context.Context, yield func(int) bool) error {
				yield(1)
				panic(errBroken)
			})
		}()
		if p := <-panicked; p == nil || got != 0 {
			t.Errorf("the observer of a feed that panicked got %d values and panicked with %v, want none and a panic", got, p)
		}
	})
}

func TestReplayNewcomerGetsAllThatIsKeptFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for overflow, want := range map[stream.Overflow][]int{
			stream.Block: {0, 1, 2, 3, 4}, stream.DropOldest: {0, 1, 2, 4}, stream.DropNewest: {0, 1, 2, 3}, stream.Fail: {0, 1, 2, 3},
		} {
			s := stream.NewReplaySubject[int](5, 0)
			for n := range 3 {
				s.Next(n)
			}
			w := watch(t.Context(), s, 1, overflow, time.Second)
			s.Next(3)
			s.Next(4)
			s.Complete()
			err := w.Wait()
			wantValues(t, w.values, want...)
			if (overflow == stream.Fail) != errors.Is(err, stream.ErrOverflow) {
				t.Errorf("an observer of overflow %d whose buffer was full: got %v, want ErrOverflow only if it is Fail", overflow, err)
			}
		}
	})
}

func TestReplayForgetsWithTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stream.NewReplaySubject[int](3, time.Minute)
		check := func(want ...int) {
			t.Helper()
			ctx, leave := context.WithTimeout(t.Context(), time.Nanosecond)
			defer leave()
			got, _ := s.Observe(1, stream.Block).Collect(ctx)
			wantValues(t, got, want...)
		}
		s.Next(1)
		time.Sleep(30 * time.Second)
		s.Next(2)
		check(1, 2)
		time.Sleep(30*time.Second - 2*time.Nanosecond)
		check(1, 2)
		check(2) // a nanosecond later: 1 is a minute old
		s.Next(3)
		s.Next(4)
		check(2, 3, 4)
		s.Next(5)
		check(3, 4, 5)
		time.Sleep(time.Minute)
		if v := s.Value(); v.IsJust() {
			t.Error("there is still", v)
		}
		s.Next(6)
		s.Complete()
		check(6)
		time.Sleep(time.Hour)
		check()
	})
}

// A subject that is used lets go of what is too old, though nobody observes it.
func TestReplayDropsWhatIsTooOld(t *testing.T) {
	for name, touch := range map[string]func(*stream.Subject[*[64]byte]){
		"Next":      func(s *stream.Subject[*[64]byte]) { s.Next(nil) },
		"Value":     func(s *stream.Subject[*[64]byte]) { s.Value() },
		"Complete":  func(s *stream.Subject[*[64]byte]) { s.Complete() },
		"Observers": func(s *stream.Subject[*[64]byte]) { s.Observers() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := stream.NewReplaySubject[*[64]byte](100, time.Minute)
				var given []weak.Pointer[[64]byte]
				for range 50 {
					box := new([64]byte)
					given = append(given, weak.Make(box))
					s.Next(box)
				}
				time.Sleep(time.Hour)
				touch(s)
				runtime.GC()
				if kept := kept(given); kept > 1 {
					t.Errorf("%d values are kept", kept)
				}
				runtime.KeepAlive(s)
			})
		})
	}
}

func kept(given []weak.Pointer[[64]byte]) (n int) {
	for _, p := range given {
		if p.Value() != nil {
			n++
		}
	}
	return n
}

// What an observer did not take goes with it, and what all took is not kept for them.
func TestSubjectForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s stream.Subject[*[64]byte]
		ctx, leave := context.WithCancel(t.Context())
		stuck := s.Observe(64, stream.Block).Subscribe(ctx, stream.Observer[*[64]byte]{
			Next: func(*[64]byte) { <-ctx.Done() },
		})
		quick := s.Observe(64, stream.Block).Subscribe(t.Context(), stream.Observer[*[64]byte]{})
		synctest.Wait()
		var given []weak.Pointer[[64]byte]
		for range 50 {
			box := new([64]byte)
			given = append(given, weak.Make(box))
			s.Next(box)
		}
		synctest.Wait()
		runtime.GC()
		if kept := kept(given); kept < 48 {
			t.Errorf("%d values wait for the observer that is stuck", kept)
		}
		leave()
		wantError(t, stuck.Wait(), context.Canceled)
		synctest.Wait()
		runtime.GC()
		if kept := kept(given); kept > 2 {
			t.Errorf("%d values are kept for nobody", kept)
		}
		s.Complete()
		wantError(t, quick.Wait(), nil)
	})
}

func TestSubjectObserverThatWaitsForItself(t *testing.T) {
	for _, capacity := range []int{1, 2, 7, 100} {
		t.Run(fmt.Sprint(capacity), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var s stream.Subject[int]
				other := watch(t.Context(), &s, 2*capacity, stream.Block, 0)
				var got []int
				w := s.Observe(capacity, stream.Block).Subscribe(t.Context(), stream.Observer[int]{Next: func(n int) {
					if got = append(got, n); n == 0 {
						for i := range capacity + 1 {
							s.Next(i + 1) // the last one finds no room
						}
					}
				}})
				synctest.Wait()
				s.Next(0)
				wantError(t, w.Wait(), stream.ErrOverflow)
				s.Complete()
				wantError(t, other.Wait(), nil)
				for i, values := range [][]int{got, other.values} {
					for n := range values {
						if values[n] != n || len(values) != capacity+1+i {
							t.Fatalf("values of subscriber %d: got %v, want 0 to %d", i, values, capacity+i)
						}
					}
				}
			})
		})
	}
}

// An observer that gives a value for each that it gets keeps exactly as many as there
// were waiting: with a full buffer that just works.
func TestSubjectObserverThatFeedsItself(t *testing.T) {
	for _, capacity := range []int{1, 2, 3, 8, 9} {
		t.Run(fmt.Sprint(capacity), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var s stream.Subject[int]
				got := 0
				w := s.Observe(capacity, stream.Block).Subscribe(t.Context(), stream.Observer[int]{Next: func(n int) {
					if n < 0 {
						time.Sleep(time.Second) // until the buffer is full
						return
					}
					if got++; got < 1000 {
						s.Next(n)
					}
				}})
				synctest.Wait()
				s.Next(-1)
				synctest.Wait()
				for n := range capacity {
					s.Next(n)
				}
				time.Sleep(time.Hour)
				s.Complete()
				wantError(t, w.Wait(), nil)
				if got != 999+capacity {
					t.Errorf("got %d values", got)
				}
			})
		})
	}
}

// An observer whose context has ended holds nobody up, also if its yield does not return.
func TestSubjectDoesNotWaitForAnEndedContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s stream.Subject[int]
		ctx, leave := context.WithCancelCause(t.Context())
		w := watch(ctx, &s, 1, stream.Block, time.Hour)
		time.AfterFunc(time.Minute, func() { leave(errBroken) })
		start := time.Now()
		for n := range 9 {
			s.Next(n)
		}
		if waited := time.Since(start); waited != time.Minute {
			t.Errorf("waited %v", waited)
		}
		if n := s.Observers(); n != 0 {
			t.Errorf("%d observe", n)
		}
		wantError(t, w.Wait(), errBroken)
		wantValues(t, w.values, 0)
	})
}

func TestFeedHandsOnHowTheSourceEnds(t *testing.T) {
	feed := func(t *testing.T, source stream.Observable[int]) (panicked any, observers []any, fed error) {
		var s stream.Subject[int]
		var all sync.WaitGroup
		results := make([]any, 2)
		for i := range results {
			all.Go(func() {
				results[i] = "exited"
				defer func() {
					if p := recover(); p != nil {
						results[i] = p
					}
				}()
				results[i] = s.Observe(1, stream.Block).Run(t.Context())
			})
		}
		synctest.Wait()
		fed = errCut
		all.Go(func() {
			defer func() { panicked = recover() }()
			fed = s.Feed(t.Context(), source)
		})
		all.Wait()
		return panicked, results, fed
	}
	synctest.Test(t, func(t *testing.T) {
		_, observers, fed := feed(t, stream.Just(1, 2))
		wantError(t, fed, nil)
		wantValues(t, observers, nil, nil)

		_, observers, fed = feed(t, broken(1, 2))
		wantError(t, fed, errBroken)
		wantValues(t, observers, any(errBroken), any(errBroken))

		panicked, observers, fed := feed(t, func(context.Context, func(int) bool) error { panic(errBroken) })
		wantError(t, fed, errCut)
		wantValues(t, []any{panicked}, any(errBroken))
		for _, o := range observers {
			if p, ok := o.(*stream.PanicError); !ok || !errors.Is(p, errBroken) || len(p.Stack) == 0 {
				t.Errorf("an observer got %v", o)
			}
		}

		_, observers, fed = feed(t, func(context.Context, func(int) bool) error { runtime.Goexit(); return nil })
		wantError(t, fed, errCut)
		wantValues(t, observers, any("exited"), any("exited"))
	})
}

func TestFeedEndsWithTheSubject(t *testing.T) {
	var s stream.Subject[int]
	n := 0
	wantError(t, s.Feed(t.Context(), func(_ context.Context, yield func(int) bool) error {
		for yield(n) {
			if n++; n == 3 {
				s.Complete()
			}
		}
		return nil
	}), nil)
	wantValues(t, []int{n}, 3)
}
